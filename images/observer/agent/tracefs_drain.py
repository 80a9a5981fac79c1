"""Takes what is traced out of the kernel's buffers into a file.

The kernel makes text of what it has kept as it is read, which costs several times what keeping it
does. So it is left there until the end, unless a buffer fills up before that.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PAUSE = 0.05
"""Seconds between two looks at how full the buffers are. Waiting in read(2) instead would wake us
at each event, in the middle of what is observed."""
FULL = 0.5
"""How full a buffer becomes before it is emptied."""
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
        """What was read of a line that is not all there yet."""
        self._filled: dict[int, Callable[[], float]] = {}
        self._max = max_bytes
        self._on_cut = on_cut
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._file = output.open("wb", buffering=1 << 20)
        self._thread = threading.Thread(target=self._run, name="tracefs", daemon=True)

    def take_from(self, pipe: int, filled: Callable[[], float]) -> None:
        """Add a trace pipe, to be closed by `close`; before `start`.

        `filled` tells how full the buffer behind it is, from 0 to 1.
        """
        self._pipes[pipe] = b""
        self._filled[pipe] = filled

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
            for pipe, filled in self._filled.items():
                if ending or filled() >= FULL:
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
        whole = lines + newline
        try:
            with self._lock:
                room = max(0, self._max - _OURS - self.written)
                fitting = whole if len(whole) <= room else whole[: whole.rfind(b"\n", 0, room) + 1]
                self._file.write(fitting)
                self.written += len(fitting)
                if len(fitting) == len(whole):
                    return
            self.cut = f"more than {self._max} bytes were traced"
        except OSError as error:
            self.cut = f"the trace could not be written: {error.strerror}"
        self._on_cut()
