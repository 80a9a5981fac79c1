"""Finds the pauses in a repetition: an arrow over a pause would hide what other hosts did in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from labctl.sequence.events import Call, Segment
from labctl.show.figure.units import MS

PAUSE, BREAK, SLOW = 20, 10 * MS, 200 * MS
"""What follows after so many times the usual distance, if that is more than BREAK, is no
repetition of what was before; nor is it after more than SLOW, unless that is usual in a run of
many."""


def between(run: Sequence[Segment], many: int) -> list[tuple[Segment, ...]]:
    """Return segments cut where there was a pause; more than `many` may be as slow as they are."""
    gaps = [after.time - before.time for before, after in pairwise(run)]
    usual = median(gaps) if gaps else 0
    slow = SLOW if len(run) <= many else max(SLOW, 4 * usual)
    longest = min(max(PAUSE * usual, BREAK), slow)
    parts: list[list[Segment]] = [[run[0]]]
    for segment, gap in zip(run[1:], gaps, strict=True):
        if gap > longest:
            parts.append([])
        parts[-1].append(segment)
    return [tuple(part) for part in parts]


def between_calls(run: Sequence[Call], many: int) -> list[tuple[Call, ...]]:
    """Return calls of one thread cut where it made none for long; of more than `many`, only
    where that is unusual too."""
    gaps = [after.start - (before.end or before.start) for before, after in pairwise(run)]
    longest = SLOW if len(run) <= many else max(SLOW, 4 * median(gaps))
    parts: list[list[Call]] = [[run[0]]]
    for call, gap in zip(run[1:], gaps, strict=True):
        if gap > longest:
            parts.append([])
        parts[-1].append(call)
    return [tuple(part) for part in parts]
