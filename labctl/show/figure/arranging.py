"""What text and SVG have in common: on which side labels stand, which bars stand side by side,
where time is cut short."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from labctl.show.figure.callwords import BROKEN_OFF
from labctl.show.figure.model import Bar, Figure
from labctl.show.figure.units import MS

MANY_TIMES = 10
"""A pause so many times longer than most is cut short."""


def label_sides(figure: Figure) -> tuple[bool, ...]:
    """Return of each lane whether its labels stand on its left.

    Outermost lanes have them outside, as in figure 6-30; others where fewer arrows are.
    """
    last = len(figure.lanes) - 1
    balance = [0] * (last + 1)
    for arrow in figure.arrows:
        way = arrow.target - arrow.source
        balance[arrow.source] += (way > 0) - (way < 0)
        balance[arrow.target] += (way < 0) - (way > 0)
    return tuple(
        lane == 0 or (lane != last and (balance[lane] > 0 or (not balance[lane] and lane < last)))
        for lane in range(last + 1)
    )


def levels(figure: Figure) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the level of each bar, and of each lane how many levels it has (at least 1).

    Bars of one lane that overlap (of several connections) stand side by side.
    """
    busy_until: list[list[int]] = [[] for _ in figure.lanes]
    found = [0] * len(figure.bars)
    for number in sorted(range(len(found)), key=lambda n: figure.bars[n].first):
        bar = figure.bars[number]
        ends = busy_until[bar.lane]
        level = next((n for n, end in enumerate(ends) if end < bar.first), len(ends))
        ends[level : level + 1] = [bar.last]
        found[number] = level
    return tuple(found), tuple(max(len(ends), 1) for ends in busy_until)


def neighbours(figure: Figure) -> frozenset[int]:
    """Return the lanes with an arrow between them and the lane before them."""
    pairs = ((arrow.source, arrow.target) for arrow in figure.arrows)
    return frozenset(max(pair) for pair in pairs if abs(pair[0] - pair[1]) == 1)


def breaks(figure: Figure) -> frozenset[int]:
    """Return the rows after which time is cut short, as nothing happened for long."""
    times = figure.rows
    gaps = [after - before for before, after in pairwise(times)]
    usual = median([gap for gap in gaps if gap > 0] or [0])
    return frozenset(row for row, gap in enumerate(gaps) if gap >= max(MS, MANY_TIMES * usual))


_PASSING = frozenset({"EAGAIN", "EWOULDBLOCK", "EINTR", "EINPROGRESS"}) | BROKEN_OFF


def went_wrong(bar: Bar) -> bool:
    """Return whether a call failed in a way that a reader should see at once."""
    return any(call.failed and call.errno not in _PASSING for call in bar.calls)
