"""What is marked because it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labctl.observe.sockets.changes import Change, changes
from labctl.observe.sockets.model import Snapshot


@dataclass(frozen=True)
class Marks:
    """What differs from the snapshot that was shown before."""

    _changes: frozenset[tuple[str, tuple[int | str, ...], str | None]] = frozenset()

    @classmethod
    def between(cls, before: Snapshot | None, after: Snapshot) -> Marks:
        """Return the marks of a snapshot; of the first that is shown, none."""
        return cls() if before is None else cls.of(changes(before, after))

    @classmethod
    def of(cls, changed: Iterable[Change]) -> Marks:
        return cls(frozenset((one.what, one.where, one.field) for one in changed))

    def process(self, pid: int) -> bool:
        return ("process", (pid,), None) in self._changes

    def descriptor(self, pid: int, fd: int) -> bool:
        return ("descriptor", (pid, fd), None) in self._changes

    def socket(self, key: str) -> bool:
        """Whether the socket is new."""
        return ("socket", (key,), None) in self._changes

    def field(self, key: str, names: Iterable[str]) -> bool:
        """Whether any of a socket's fields has another value than before."""
        return any(("socket", (key,), name) in self._changes for name in names)
