"""Where those are let in who were asked to call."""

import select
import threading
from contextlib import suppress
from socket import socket

from door import Door
from swarm_callers import Callers

LOOK_SECONDS = 0.1
"""How often the thread looks whether it is to end."""


class Reception:
    """Answers the door in a thread, until it is closed."""

    def __init__(self, callers: Callers, door: Door) -> None:
        self._callers = callers
        self._door = door
        self._came: dict[str, socket] = {}
        self._changed = threading.Condition()
        self._closed = False
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
        self._thread.join()
        for connection in self._came.values():
            connection.close()

    def _receive(self) -> None:
        watched = select.poll()
        watched.register(self._door, select.POLLIN)
        while not self._closed:
            if not watched.poll(LOOK_SECONDS * 1000):
                continue
            came = self._door.answer(self._callers.awaited)
            if came is None:
                continue
            connection, nick = came
            with self._changed:
                before = self._came.pop(nick, None)
                self._came[nick] = connection
                self._changed.notify_all()
            if before is not None:
                with suppress(OSError):
                    before.close()
