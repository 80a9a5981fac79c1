"""Whose turn it is to be served: some at once, and the others in the order in which they came."""

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_WAITING = 100
"""So many may wait; who comes then is sent away."""


class Turns:
    """At most `most` at once; a queue beyond, first come, first served."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._free = most
        self._queue: deque[int] = deque()
        """An eventfd(2) for each who waits: written to when the turn comes."""

    @contextmanager
    def turn(self, connection: socket.socket, waiting: Callable[[int], None]) -> Iterator[None]:
        """Have a turn within the block; `waiting` is told the place in the queue, if any.

        Raises ConnectionResetError for one who hangs up while waiting, or when too many wait.
        """
        self._await(connection, waiting)
        try:
            yield
        finally:
            with self._lock:
                if self._queue:
                    os.eventfd_write(self._queue.popleft(), 1)
                else:
                    self._free += 1

    def _await(self, connection: socket.socket, waiting: Callable[[int], None]) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if len(self._queue) >= MOST_WAITING:
                raise ConnectionResetError("too many wait already")
            mine = os.eventfd(0)
            self._queue.append(mine)
            place = len(self._queue)
        try:
            waiting(place)
            watched = select.poll()
            watched.register(mine, select.POLLIN)
            watched.register(connection, select.POLLRDHUP)
            watched.poll()
        finally:
            with self._lock:
                came = mine not in self._queue
                if not came:
                    self._queue.remove(mine)
            os.close(mine)
        if not came:
            raise ConnectionResetError("left the queue")
