"""Makes a figure shorter: what follows at once in the same lane gets no row of its own.

A call and what it sends, what arrives and the return of the call that waited for it, a call
that returns before anything else happens: a textbook draws each of these at one height. Their
order is still plain, as they are in one lane; between lanes nothing is moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from labctl.show.figure.model import Figure
from labctl.show.figure.units import MS

LONGEST = MS
"""What took longer than these nanoseconds keeps rows of its own."""

_AT_ONCE = {
    ("call", "sent"),
    ("call", "return"),
    ("sent", "return"),
    ("received", "return"),
}
"""What may share a row, one after the other in the same lane."""


def tighten(figure: Figure) -> Figure:
    """Return the same figure with fewer rows."""
    happens: list[dict[int, list[str]]] = [{} for _ in figure.rows]
    for lane, row, kind in _happenings(figure):
        happens[row].setdefault(lane, []).append(kind)
    kept: list[int] = []
    latest: dict[int, str] = {}
    new: list[int] = []
    for row, lanes in enumerate(happens):
        soon = bool(kept) and figure.rows[row] - figure.rows[kept[-1]] <= LONGEST
        if soon and all(_follows(latest.get(lane), kinds) for lane, kinds in lanes.items()):
            latest |= {lane: kinds[-1] for lane, kinds in lanes.items()}
        else:
            kept.append(row)
            latest = {lane: kinds[-1] for lane, kinds in lanes.items()}
        new.append(len(kept) - 1)
    return _renumbered(figure, new, tuple(figure.rows[row] for row in kept))


def _happenings(figure: Figure) -> Iterator[tuple[int, int, str]]:
    for bar in figure.bars:
        yield bar.lane, bar.first, "call"
        yield bar.lane, bar.last, "return"
    for arrow in figure.arrows:
        yield arrow.source, arrow.first, "sent"
        if not arrow.lost:
            yield arrow.target, arrow.last, "received"
    for mark in figure.marks:
        yield mark.lane, mark.row, mark.kind


def _follows(before: str | None, kinds: list[str]) -> bool:
    return len(kinds) == 1 and (before, kinds[0]) in _AT_ONCE


def _renumbered(figure: Figure, new: list[int], rows: tuple[int, ...]) -> Figure:
    """Return a figure with its rows put together: `new` has the new number of each."""
    return replace(
        figure,
        rows=rows,
        bars=tuple(replace(b, first=new[b.first], last=new[b.last]) for b in figure.bars),
        arrows=tuple(replace(a, first=new[a.first], last=new[a.last]) for a in figure.arrows),
        marks=tuple(replace(mark, row=new[mark.row]) for mark in figure.marks),
        lanes=tuple(
            replace(lane, first=new[lane.first], last=new[lane.last]) if new else lane
            for lane in figure.lanes
        ),
    )
