"""Boxes that labels take on a page, turned or not, and whether they overlap."""

from __future__ import annotations

from collections import defaultdict
from math import cos, radians, sin
from typing import NamedTuple

_BAND = 64.0
"""The height of the bands by which boxes are found."""


class Box(NamedTuple):
    """A rectangle by its middle and measures, turned by `angle` degrees, clockwise."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def corners(self) -> list[tuple[float, float]]:
        turn, rise = cos(radians(self.angle)), sin(radians(self.angle))
        half = [(self.width / 2 * a, self.height / 2 * b) for a, b in _CORNERS]
        return [(self.x + a * turn - b * rise, self.y + a * rise + b * turn) for a, b in half]

    def span(self, axis: int) -> tuple[float, float]:
        """Return from where to where it reaches, along x (0) or y (1)."""
        along = [corner[axis] for corner in self.corners()]
        return min(along), max(along)

    def overlaps(self, other: Box) -> bool:
        """Return whether two boxes have more than an edge in common (separating axes)."""
        mine, theirs = self.corners(), other.corners()
        for angle in {self.angle, self.angle + 90, other.angle, other.angle + 90}:
            way = cos(radians(angle)), sin(radians(angle))
            first = [x * way[0] + y * way[1] for x, y in mine]
            second = [x * way[0] + y * way[1] for x, y in theirs]
            if min(max(first), max(second)) - max(min(first), min(second)) <= _TOUCH:
                return False
        return True


_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_TOUCH = 1e-6


class Taken:
    """The boxes that are taken already."""

    def __init__(self) -> None:
        self.bands: dict[int, list[Box]] = defaultdict(list)

    def add(self, box: Box) -> None:
        for band in self._bands(box):
            self.bands[band].append(box)

    def free(self, box: Box) -> bool:
        """Return whether a box overlaps none that is taken."""
        return not any(
            box.overlaps(other) for band in self._bands(box) for other in self.bands.get(band, ())
        )

    def _bands(self, box: Box) -> range:
        top, bottom = box.span(1)
        return range(int(top // _BAND), int(bottom // _BAND) + 1)
