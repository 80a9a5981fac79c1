"""What a running command prints, taken as it comes and kept within a bound."""

from __future__ import annotations

import threading
from collections.abc import Collection

BOUND = 1 << 20
"""Bytes kept of each stream: the first half of them and the last."""


class Stream:
    """One of a command's two output streams.

    The texts in `wanted` are looked for in all that comes, also in what is not kept.
    Safe to read while another thread feeds it.
    """

    def __init__(self, wanted: Collection[str] = (), bound: int = BOUND) -> None:
        self._missing = {text.encode() for text in wanted}
        self._overlap = max((len(w) for w in self._missing), default=1) - 1
        self._recent = b""
        self._half = bound // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._lost = 0
        self._lock = threading.Lock()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        with self._lock:
            self._look_for(chunk)
            room = self._half - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:]
            surplus = len(self._tail) - self._half
            if surplus > 0:
                del self._tail[:surplus]
                self._lost += surplus

    def _look_for(self, chunk: bytes) -> None:
        if not self._missing:
            return
        text = self._recent + chunk
        self._missing -= {wanted for wanted in self._missing if wanted in text}
        self._recent = text[-self._overlap :] if self._overlap else b""

    def has(self, wanted: str) -> bool:
        """Tell whether a text, one of those given at the start, has come."""
        with self._lock:
            return wanted.encode() not in self._missing

    @property
    def text(self) -> str:
        """What has come so far; of much, its beginning and its end."""
        with self._lock:
            gap = f"\n[{self._lost} bytes are left out here]\n".encode() if self._lost else b""
            return (bytes(self._head) + gap + bytes(self._tail)).decode(errors="replace")


class Output:
    """Both streams of a command."""

    def __init__(self, wanted: Collection[str] = (), bound: int = BOUND) -> None:
        self.stdout = Stream(wanted, bound)
        self.stderr = Stream(wanted, bound)

    def has(self, wanted: str) -> bool:
        """Tell whether a text, one of those given at the start, has come on either."""
        return self.stdout.has(wanted) or self.stderr.has(wanted)


class PidLine:
    """Takes the first line, a process number, off a stream: see `processes.told`."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self._begun = b""
        self._over = False

    def feed(self, chunk: bytes) -> bytes:
        """Return what of the chunk belongs to the program."""
        if self._over:
            return chunk
        self._begun += chunk
        line, newline, rest = self._begun.partition(b"\n")
        if newline and line.isdigit():
            self.pid, self._over = int(line), True
            return rest
        if newline or not line.isdigit():  # no shell there to tell: an error of the engine's
            self._over = True
            return self._begun
        return b""
