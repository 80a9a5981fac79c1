"""How far a download is: a bar on a terminal, a line now and then elsewhere. On stderr."""

import os
import sys
import time

from command import printable

BAR = 30
AGAIN_SECONDS = {True: 0.1, False: 2.0}
"""How often it is told: on a terminal, and elsewhere (there, nothing of short downloads)."""


class Progress:
    """Tells how many bytes of `size` there are. Does nothing where `wanted` is false."""

    def __init__(self, name: str, size: int, *, wanted: bool = True) -> None:
        self._name = printable(name)
        self._size = size
        self._wanted = wanted
        self._terminal = sys.stderr.isatty()
        self._began = self._told = time.monotonic()
        self._first: int | None = None
        self._drawn = False

    def __call__(self, count: int) -> None:
        if self._first is None:
            self._first = count
        now = time.monotonic()
        if self._wanted and now >= self._told + AGAIN_SECONDS[self._terminal]:
            self._told = now
            self._tell(count, now)

    def end(self) -> None:
        """Leave the line of the bar to others."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _tell(self, count: int, now: float) -> None:
        line = progress_line(self._name, count, self._size, self._rate(count, now))
        if self._terminal:
            self._write(f"\r\x1b[K{bar(count, self._size)} {line}"[: _columns() + 4])
            self._drawn = True
        else:
            self._write(f"{line}\n")

    def _rate(self, count: int, now: float) -> float:
        return (count - (self._first or 0)) / max(now - self._began, 1e-6)

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def bar(count: int, size: int) -> str:
    """The part of `size` that has come, drawn."""
    full = BAR * count // size if size else BAR
    return f"[{'#' * full}{'.' * (BAR - full)}]"


def progress_line(name: str, count: int, size: int, rate: float) -> str:
    """`rate` is in bytes a second."""
    part = 100 * count // size if size else 100
    done = f"{count / 1e6:.1f} of {size / 1e6:.1f} MB"
    return f"{part:3d}% {name}: {done}, {rate / 1e6:.1f} MB/s"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns - 1
    except OSError:
        return 79
