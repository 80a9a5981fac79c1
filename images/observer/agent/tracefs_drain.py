"""Takes what is traced out of the kernel's buffers into a file, while it is traced."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PAUSE = 0.05
"""Seconds between two looks. Waiting in read(2) instead would wake us at each event, in the
middle of what is observed."""
_CHUNK = 1 << 16
_OURS = 1 << 14
"""So many bytes of the file are left for lines of our own."""
MARK = b"#labctl "


class Drain:
    """A thread that writes the lines of some trace pipes to one file, whole ones only.

    Lines that begin with `MARK` are our own: a JSON object each. The file never has more than
    `max_bytes`: where it would, or when the disk is full, nothing more of the trace is written,
    and `on_cut` is called, once, in the thread.
    """

    def __init__(self, output: Path, max_bytes: int, on_cut: Callable[[], None]) -> None:
        self.cut: str | None = None
        """Why lines are missing at the end, in words; None where none are."""
        self.written = 0
        self._pipes: dict[int, bytes] = {}
        self._max = max_bytes
        self._on_cut = on_cut
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._file = output.open("wb", buffering=1 << 20)
        self._thread = threading.Thread(target=self._run, name="tracefs", daemon=True)

    def take_from(self, pipe: int) -> None:
        """Add a trace pipe, to be closed by `close`; before `start`."""
        self._pipes[pipe] = b""

    def start(self) -> None:
        self._thread.start()

    def mark(self, **what: object) -> None:
        """Write a line of our own."""
        line = MARK + json.dumps(what).encode() + b"\n"
        with self._lock, suppress(OSError):
            if self.written + len(line) <= self._max:
                self.written += len(line)
                self._file.write(line)
                self._file.flush()

    def finish(self) -> None:
        """Take out all that is left, after tracing was turned off, and end the thread."""
        self._ending.set()
        self._thread.join()

    def close(self) -> None:
        """Close the file and the pipes."""
        with suppress(OSError):
            self._file.close()
        for pipe in self._pipes:
            os.close(pipe)

    def _run(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(PAUSE)
            for pipe in self._pipes:
                self._empty(pipe)
            with self._lock, suppress(OSError):
                self._file.flush()

    def _empty(self, pipe: int) -> None:
        while True:
            try:
                chunk = os.read(pipe, _CHUNK)
            except InterruptedError:
                continue
            except OSError:  # EAGAIN: nothing there now
                return
            if not chunk:
                return
            self._take(pipe, chunk)

    def _take(self, pipe: int, chunk: bytes) -> None:
        if self.cut is not None:
            return
        lines, newline, rest = (self._pipes[pipe] + chunk).rpartition(b"\n")
        self._pipes[pipe] = rest
        try:
            with self._lock:
                if self.written + len(lines) < self._max - _OURS:
                    self._file.write(lines + newline)
                    self.written += len(lines) + len(newline)
                    return
            self.cut = f"more than {self._max} bytes were traced"
        except OSError as error:
            self.cut = f"the trace could not be written: {error.strerror}"
        self._on_cut()
