"""What is to be said of how a process crosses: where it does so for little or for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labctl.sequence.crossings.model import Crossings, Kind

MANY = 500
"""Fewer crossings of one kind are not worth a word."""
SMALL = 16
"""Bytes that a call moves on the average, below which the crossing costs more than its load."""

_IN_VAIN = ("EAGAIN", "EINTR", "EINPROGRESS")


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` names what it is, `sentence` says what was seen, `advice` what to do."""

    rule: str
    process: Crossings
    sentence: str
    advice: str


def findings(processes: Iterable[Crossings]) -> list[Finding]:
    """Return what is to be said of each process, in their order."""
    return [one for process in processes for one in _of(process)]


def _of(process: Crossings) -> Iterator[Finding]:
    for kind in process.kinds:
        failed = sum(kind.errors.get(errno, 0) for errno in _IN_VAIN)
        if failed >= MANY and 2 * failed > kind.calls:
            yield _spins(process, kind, failed)
        elif kind.calls >= MANY and 0 < kind.moved < SMALL * kind.calls:
            yield _little(process, kind)


def _spins(process: Crossings, kind: Kind, failed: int) -> Finding:
    errno = max(kind.errors, key=kind.errors.__getitem__)
    sentence = (
        f"{kind.name} failed with {errno} {failed:,} times of {kind.calls:,}: it asks again and "
        "again instead of waiting"
    )
    advice = "Let the call block, or wait in poll(2) or epoll(7): the kernel wakes it in time."
    return Finding("spins", process, sentence, advice)


def _little(process: Crossings, kind: Kind) -> Finding:
    each = f"{kind.moved / kind.calls:.2g}"
    unit = "byte" if each == "1" else "bytes"
    sentence = (
        f"{kind.calls:,} calls of {kind.name} for {kind.moved:,} bytes: {each} {unit} a crossing"
    )
    return Finding("little-a-call", process, sentence, "A larger buffer crosses less often.")
