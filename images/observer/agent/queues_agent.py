"""Writes down the queues of one host's sockets over time; told in JSON lines on standard input.

It runs in a container of its own that shares the host's network namespace and nothing else: it
needs no capability, and no program of the host notices it.
"""

from __future__ import annotations

import threading
import time
from io import BufferedWriter
from typing import Any

from failure import Failure
from queues import Queues
from serving import OUT, Obedient, serve

_FILE = "queues"
_PATIENCE = 20.0


class QueuesAgent(Obedient):
    """What it does: see serving.py for how it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._queues = Queues()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._begun = self._ended = 0
        self._looks = 0
        self._longest = 0
        self._wrong = ""

    def hello(self) -> dict[str, Any]:
        """Tell that it is there."""
        return {}

    def begin(self, interval: float, max_bytes: int) -> dict[str, Any]:
        """Look every `interval` seconds from now on, until the file has `max_bytes`."""
        file = (OUT / _FILE).open("wb")
        self._begun = self._ended = time.time_ns()
        self._thread = threading.Thread(
            target=self._run, args=(file, interval, max_bytes), daemon=True
        )
        self._thread.start()
        return {}

    def end(self) -> dict[str, Any]:
        """Look no more; tell the file, how often it was looked, and the longest time between."""
        if self._thread is None:
            raise Failure("nothing was begun")
        self._stop.set()
        self._thread.join(_PATIENCE)
        return {
            "file": _FILE,
            "begun": self._begun,
            "ended": self._ended,
            "looks": self._looks,
            "longest": self._longest,
            "wrong": self._wrong,
        }

    def leave(self) -> None:
        """Look no more."""
        self._stop.set()

    def _run(self, file: BufferedWriter, interval: float, max_bytes: int) -> None:
        with file:
            try:
                self._look(file, interval, max_bytes)
            except OSError as error:
                self._wrong = str(error)

    def _look(self, file: BufferedWriter, interval: float, max_bytes: int) -> None:
        size = 0
        while not self._stop.is_set():
            began = time.monotonic()
            for record in self._queues.look():
                size += file.write(record)
            now = time.time_ns()
            if self._looks:
                self._longest = max(self._longest, now - self._ended)
            self._ended = now
            self._looks += 1
            if size > max_bytes:
                self._wrong = f"it came to {max_bytes} bytes"
                return
            self._stop.wait(max(0, interval - (time.monotonic() - began)))


if __name__ == "__main__":
    serve(QueuesAgent())
