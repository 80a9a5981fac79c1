"""Where those are let in who were asked to call."""

import select
import threading
import time
from socket import socket

from door import Door, greeted
from swarm_callers import Callers

LOOK_SECONDS = 0.1
"""How often the thread looks whether it is to end."""

MOST_GUESTS = 32
"""Who may be saying at the same time what it brings; more wait in the backlog."""


class Reception:
    """Answers the door in a thread until it is closed, and hears each who knocks in a thread of its
    own, so that nobody waits for one who says nothing."""

    def __init__(self, callers: Callers, door: Door) -> None:
        self._callers = callers
        self._door = door
        self._came: dict[str, socket] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._free = threading.Semaphore(MOST_GUESTS)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def caller(self, nick: str, seconds: float) -> socket | None:
        """The connection of the one called so; None when it has not come after so long."""
        key = nick.lower()
        with self._changed:
            self._changed.wait_for(lambda: key in self._came or self._closed, seconds)
            connection = self._came.pop(key, None)
        if connection is not None:
            self._callers.came(nick)
        return connection

    def close(self) -> None:
        """Let nobody in any more, and hang up on those that nobody has met."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            while self._came:
                self._came.popitem()[1].close()
        self._thread.join()

    def _receive(self) -> None:
        watched = select.poll()
        watched.register(self._door, select.POLLIN)
        while not self._closed:
            if not watched.poll(LOOK_SECONDS * 1000) or not self._free.acquire(
                timeout=LOOK_SECONDS
            ):
                continue
            connection = self._door.accept()
            if connection is None:
                self._free.release()
                time.sleep(LOOK_SECONDS)  # of descriptors there are enough again later
                continue
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket) -> None:
        try:
            nick = greeted(connection, self._callers.awaited)
        finally:
            self._free.release()
        if nick is None:
            return
        unmet: socket | None = connection
        with self._changed:
            if not self._closed:
                unmet = self._came.get(nick)
                self._came[nick] = connection
                self._changed.notify_all()
        if unmet is not None:
            unmet.close()
