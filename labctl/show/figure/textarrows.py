"""Slanted arrows between lifelines, in characters, with words on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labctl.show.figure.canvas import Canvas
from labctl.show.figure.labels import arrow_label
from labctl.show.figure.model import Arrow, Figure
from labctl.show.figure.textplan import Plan
from labctl.show.figure.textstyle import WRONG, style_of
from labctl.show.figure.units import shorten

LOST_AFTER = 0.7
"""The part of its way that a lost segment is drawn to go."""


class Arrows:
    """Draws the arrows of a figure on a sheet that has everything else."""

    def __init__(self, canvas: Canvas, figure: Figure, plan: Plan, lines: Sequence[int]) -> None:
        self.canvas, self.figure, self.plan, self.lines = canvas, figure, plan, lines

    def draw(self) -> None:
        """Draw the arrows without their words."""
        for number, arrow in enumerate(self.figure.arrows):
            style = self._style(arrow)
            if arrow.source == arrow.target:
                continue
            step = 1 if arrow.target > arrow.source else -1
            for y0, y1 in self._strokes(arrow):
                start, end = self.plan.x[arrow.source] + step, self._end(arrow)
                self.canvas.line((start, y0), (end - step, y1), number, style)
                head = "✕" if arrow.lost else "▶" if step > 0 else "◀"
                self.canvas.write(end, y1, head, style)
                for _, part in arrow.via:
                    x = start + round((end - start) * part)
                    self._write_free(x, y0 + round((y1 - y0) * part), "○", number, style)

    def label(self) -> set[int]:
        """Write the words on the arrows; return the rows before which more room is needed."""
        crowded = set()
        for number, arrow in enumerate(self.figure.arrows):
            if not self._label(number, arrow):
                crowded.add(arrow.last if arrow.last > arrow.first else arrow.last + 1)
        return crowded & set(range(1, len(self.lines)))

    def _style(self, arrow: Arrow) -> str:
        wrong = arrow.lost or arrow.kind in ("rst", "icmp")
        return WRONG if wrong else style_of(self.figure.colour(arrow.connection))

    def _end(self, arrow: Arrow) -> int:
        """Return the cell of an arrow's head."""
        source, target = self.plan.x[arrow.source], self.plan.x[arrow.target]
        if arrow.lost:
            return source + round((target - source) * LOST_AFTER)
        return target - 1 if target > source else target + 1

    def _strokes(self, arrow: Arrow) -> list[tuple[int, int]]:
        """Return the first and last line of each stroke: two where there were many segments."""
        first, last = self.lines[arrow.first], self.lines[arrow.last]
        if len(arrow.segments) > 1 and last - first > 1:
            return [(first, first + 1), (last - 1, last)]
        return [(first, last)]

    def _label(self, number: int, arrow: Arrow) -> bool:
        words = self.canvas.safe(arrow_label(arrow))
        style = self._style(arrow)
        if arrow.source == arrow.target:
            left = self.plan.left[arrow.source]
            words = f"↻ {words}"
            x = self.plan.x[arrow.source] + (2 if left else -1 - len(words))
            self.canvas.write(x, self.lines[arrow.first], words, style)
            return True
        for text in dict.fromkeys((words, shorten(words, self.plan.wire()))):
            for over_lines in (False, True):
                for x, y in self._places(arrow, len(text)):
                    if self.canvas.free(x - 1, y, len(text) + 2, number, over_lines):
                        self.canvas.write(x - 1, y, f" {text} ", style)
                        return True
        return False

    def _places(self, arrow: Arrow, length: int) -> Iterator[tuple[int, int]]:
        """Yield cells where the words may begin, the best first: on the middle of the arrow."""
        # The words of a lost segment have the rest of its way too.
        start, end = sorted((self.plan.x[arrow.source], self.plan.x[arrow.target]))
        first, last = self.lines[arrow.first], self.lines[arrow.last]
        middle = (first + last) / 2
        below = 1 if first == last else 0
        for y in sorted(range(first, last + 1 + below), key=lambda y: abs(y - middle)):
            centre = (start + end - length) // 2 + 1
            slack = max((end - start - length) // 2, 0)
            for offset in range(slack):
                yield from ((centre + offset, y), (centre - offset, y))

    def _write_free(self, x: int, y: int, text: str, number: int, style: str) -> None:
        if self.canvas.free(x, y, len(text), number):
            self.canvas.write(x, y, text, style)
