"""The way of each arrow of an SVG figure across the page, and where its words may stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import atan2, degrees, hypot

from labctl.show.figure.boxes import Box
from labctl.show.figure.labels import arrow_label
from labctl.show.figure.metrics import fit, width
from labctl.show.figure.model import Arrow
from labctl.show.figure.svgplan import Plan
from labctl.show.figure.svgrows import BAR, SLANT, WORD

Point = tuple[float, float]

LOST_AFTER = 0.62
"""The part of its way that a lost segment is drawn to go."""

LOOP = 30.0
"""How far an arrow from a lane to itself reaches out."""

_ALONG = (0.5, 0.44, 0.56, 0.38, 0.62, 0.31, 0.69, 0.24, 0.76, 0.18, 0.82)
_STEEP = 25.0
_WORD_HEIGHT = 14.0
_OPEN_END = 12.0


@dataclass(frozen=True, slots=True)
class Way:
    """The strokes of an arrow from their beginnings to their heads, one or two (of many)."""

    arrow: Arrow
    strokes: tuple[tuple[Point, Point], ...]

    @property
    def direction(self) -> Point:
        """Return the direction of length 1 in which it goes."""
        (x0, y0), (x1, y1) = self.strokes[0]
        length = hypot(x1 - x0, y1 - y0) or 1.0
        return (x1 - x0) / length, (y1 - y0) / length

    def at(self, part: float) -> Point:
        """Return the point of the first stroke after that part of its length."""
        (x0, y0), (x1, y1) = self.strokes[0]
        return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part


def way_of(plan: Plan, arrow: Arrow) -> Way:
    """Return the way of an arrow."""
    first, last = plan.y[arrow.first], plan.y[arrow.last]
    step = 1 if arrow.target > arrow.source else -1
    start = plan.x[arrow.source] + step * (BAR / 2 + 1)
    end = plan.x[arrow.target] - step * (BAR / 2 + 1)
    if arrow.source == arrow.target:
        out = -step if plan.left[arrow.source] else step
        x = plan.x[arrow.source] - out * (BAR / 2 + 1)
        return Way(arrow, (((x, first), (x, max(last, first + 12))),))
    if arrow.lost:
        goal = start + (end - start) * LOST_AFTER
        return Way(arrow, (((start, first), (goal, first + SLANT * LOST_AFTER)),))
    if arrow.first == arrow.last:
        # Of one that came from outside or went there, only one end was seen.
        known = arrow.segments[0].sent is None
        ends = (first - _OPEN_END, last) if known else (first, last + _OPEN_END)
        return Way(arrow, (((start, ends[0]), (end, ends[1])),))
    if len(arrow.segments) > 1 and last - first > 2 * SLANT:
        upper = (start, first), (end, first + SLANT)
        return Way(arrow, (upper, ((start, last - SLANT), (end, last))))
    return Way(arrow, (((start, first), (end, last)),))


def words_of(way: Way) -> str:
    """Return what is written on an arrow, no longer than it has room."""
    (x0, _), (x1, _) = way.strokes[0]
    room = max(abs(x1 - x0) - 16, 40.0)
    return fit(arrow_label(way.arrow), room, WORD)


def places(plan: Plan, way: Way, words: str) -> Iterator[Box]:
    """Yield the boxes in which the words may stand, the best first."""
    wide = width(words, WORD)
    arrow = way.arrow
    if arrow.source == arrow.target:
        (x, y0), (_, y1) = way.strokes[0]
        out = x - plan.x[arrow.source]
        reach = LOOP + 4 + wide / 2
        yield Box(x + (reach if out > 0 else -reach), (y0 + y1) / 2, wide, _WORD_HEIGHT)
        return
    angle = _angle(way)
    crossed = sorted(plan.x[a] for a in range(len(plan.x)) if a not in (arrow.source, arrow.target))
    boxes = [*_along(way, wide, angle)]
    clear = [box for box in boxes if not any(_over(box, x) for x in crossed)]
    yield from clear
    yield from (box for box in boxes if box not in clear)


def _along(way: Way, wide: float, angle: float) -> Iterator[Box]:
    away = _WORD_HEIGHT / 2 + 2
    (x0, y0), (x1, _) = way.strokes[0]
    down = way.strokes[-1][0][1] - y0
    if down:
        for share in (0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9):
            for part in _ALONG:
                x, y = way.at(part)
                yield Box(x, y + down * share, wide, _WORD_HEIGHT, angle)
        return
    for side in (-1, 1):
        for part in _ALONG:
            x, y = way.at(part)
            if min(x0, x1) <= x - wide / 2 and x + wide / 2 <= max(x0, x1):
                yield Box(
                    x, y + side * (away + (abs(angle) > _STEEP) * 4), wide, _WORD_HEIGHT, angle
                )


def _angle(way: Way) -> float:
    along, down = way.direction
    angle = degrees(atan2(down, along))
    if angle > 90:
        angle -= 180
    return 0.0 if abs(angle) > _STEEP else round(angle, 1)


def _over(box: Box, x: float) -> bool:
    left, right = box.span(0)
    return left - 3 < x < right + 3
