"""Words for the directory from other threads, which the one that holds the session sends."""

import os
from collections import deque

from napster import Kind


class Outbox:
    """Messages without data that wait to be sent; `bell` becomes readable when one comes."""

    def __init__(self) -> None:
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._waiting: deque[Kind] = deque()

    def put(self, kind: Kind) -> None:
        """Called from any thread."""
        self._waiting.append(kind)
        os.eventfd_write(self.bell, 1)

    def take(self) -> list[Kind]:
        """All that wait, in order."""
        try:
            os.eventfd_read(self.bell)
        except BlockingIOError:
            return []
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
