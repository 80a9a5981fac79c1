"""Rows of a figure: each moment further down than what came before it, side by side with what
nothing puts in an order with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from labctl.sequence.timeline import Moment, Order, Timeline
from labctl.show.figure.units import US

CLOSE = 100 * US
"""Moments further apart than these nanoseconds are not drawn side by side, though unordered."""

WIDEST = 12
"""So many moments share a row at the most."""


class Stamp(NamedTuple):
    """A moment that is drawn: its place among all moments of the timeline, and its lane."""

    place: int
    lane: int


def places(timeline: Timeline) -> dict[tuple[int, str], int]:
    """Return the place of each moment, by the event's `id` and the moment's kind."""
    return {(id(m.event), m.kind): place for place, m in enumerate(timeline.moments)}


def arrange(timeline: Timeline, stamps: Iterable[Stamp]) -> tuple[dict[int, int], list[int]]:
    """Return the row of each place that is drawn, and each row's time (ns since the epoch).

    Rows keep the order of the timeline's moments, and their times never go back.
    """
    lanes_at: dict[int, set[int]] = {}
    for stamp in stamps:
        lanes_at.setdefault(stamp.place, set()).add(stamp.lane)
    row_of: dict[int, int] = {}
    times: list[int] = []
    current: list[Moment] = []
    taken: set[int] = set()
    for place in sorted(lanes_at):
        moment, lanes = timeline.moments[place], lanes_at[place]
        if current and taken.isdisjoint(lanes) and _beside(moment, current, timeline.order):
            current.append(moment)
            taken |= lanes
        else:
            times.append(max(moment.time, times[-1] if times else moment.time))
            current, taken = [moment], set(lanes)
        row_of[place] = len(times) - 1
    return row_of, times


def _beside(
    moment: Moment, row: Sequence[Moment], order: Callable[[Moment, Moment], Order]
) -> bool:
    if len(row) >= WIDEST or moment.time - row[0].time > CLOSE:
        return False
    return all(order(other, moment) is Order.UNORDERED for other in row)
