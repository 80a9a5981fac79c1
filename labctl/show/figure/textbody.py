"""The body of a figure in characters: below its head, one or more lines for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from labctl.show.figure.arranging import breaks, went_wrong
from labctl.show.figure.canvas import Canvas
from labctl.show.figure.labels import Line
from labctl.show.figure.model import Bar, Figure
from labctl.show.figure.textarrows import Arrows
from labctl.show.figure.textplan import Plan
from labctl.show.figure.textrows import labels_of, lines_of_rows
from labctl.show.figure.textstyle import DIM, LIFELINE, TIME, WRONG, style_of
from labctl.show.figure.units import clock, clock_unit, duration

ROUNDS = 4
"""So often rows are moved apart for arrows whose words find no room."""


def body(figure: Figure, plan: Plan, ascii_only: bool) -> Canvas:
    """Return all of a figure that is below its head."""
    labels = labels_of(figure, plan)
    extra: Counter[int] = Counter()
    for _ in range(ROUNDS):
        lines = lines_of_rows(figure, labels, extra)
        canvas, crowded = _painted(figure, plan, labels, lines, ascii_only)
        if not crowded:
            break
        extra.update(crowded)
    return canvas


def _painted(
    figure: Figure,
    plan: Plan,
    labels: Sequence[tuple[Bar, tuple[Line, ...]]],
    lines: Sequence[int],
    ascii_only: bool,
) -> tuple[Canvas, set[int]]:
    """Return the sheet, and the rows before which it is too crowded for an arrow's words."""
    tallest = max((len(some) for _, some in labels), default=1)
    canvas = Canvas(plan.width, (lines[-1] if lines else 0) + tallest + 1, ascii_only)
    _times(canvas, figure, lines)
    _lifelines(canvas, figure, plan, lines)
    for number, (bar, some) in enumerate(labels):
        _bar(canvas, figure, plan, lines, plan.level[number], bar, some)
    _marks(canvas, figure, plan, lines)
    arrows = Arrows(canvas, figure, plan, lines)
    arrows.draw()
    return canvas, arrows.label()


def _times(canvas: Canvas, figure: Figure, lines: Sequence[int]) -> None:
    unit = clock_unit(figure.rows[-1] if figure.rows else 0)
    before = ""
    for row, (ns, y) in enumerate(zip(figure.rows, lines, strict=True)):
        told = clock(ns, unit)
        if told != before:
            canvas.write(0, y, f"{told} {unit}" if not row else told, TIME)
        before = told
    for row in breaks(figure):
        pause = duration(figure.rows[row + 1] - figure.rows[row])
        canvas.write(0, lines[row + 1] - 1, f"⋮ {pause}", TIME)


def _lifelines(canvas: Canvas, figure: Figure, plan: Plan, lines: Sequence[int]) -> None:
    cuts = {lines[row + 1] - 1 for row in breaks(figure)}
    for lane, x in zip(figure.lanes, plan.x, strict=True):
        for y in range(lines[lane.first], lines[lane.last] + 1) if lines else ():
            canvas.write(x, y, "┊" if y in cuts else "│", LIFELINE)


def _bar(
    canvas: Canvas,
    figure: Figure,
    plan: Plan,
    lines: Sequence[int],
    level: int,
    bar: Bar,
    label: Sequence[Line],
) -> None:
    left = plan.left[bar.lane]
    x = plan.x[bar.lane] + (-level if left else level)
    first, last = lines[bar.first], lines[bar.last]
    style = style_of(figure.colour(bar.connection))
    for y in range(first, last + 1):
        inside = bar.blocked and first < y < last
        canvas.write(x, y, "┇" if inside else "┃", style)
    words = DIM if bar.dimmed else WRONG if went_wrong(bar) else ""
    for offset, line in enumerate(label):
        _beside(canvas, plan, bar.lane, first + offset, line, words)


def _beside(canvas: Canvas, plan: Plan, lane: int, y: int, line: Line, style: str) -> None:
    """Write a label on its side of a lifeline."""
    distance = plan.levels[lane] + 1
    if plan.left[lane]:
        x = plan.x[lane] - distance - canvas.length(line.text) + 1
    else:
        x = plan.x[lane] + distance
    canvas.write(x - 1, y, " " * (canvas.length(line.text) + 2), "")
    canvas.write(x, y, line.main, style)
    canvas.write(x + canvas.length(line.main), y, line.aside, DIM)


def _marks(canvas: Canvas, figure: Figure, plan: Plan, lines: Sequence[int]) -> None:
    for mark in figure.marks:
        x, y = plan.x[mark.lane], lines[mark.row]
        style = style_of(figure.colour(mark.connection))
        if mark.kind == "fork" and mark.target is not None:
            end = plan.x[mark.target]
            step = 1 if end > x else -1
            for at in range(x + step, end - step, step):
                if canvas.free(at, y, 1):
                    canvas.write(at, y, "┄", DIM)
            canvas.write(end - step, y, "▶" if step > 0 else "◀", DIM)
            canvas.write(end, y, "│", LIFELINE)
        elif mark.kind != "fork":
            canvas.write(x, y, "┴" if mark.kind == "exit" else "●", style)
            _beside(canvas, plan, mark.lane, y, Line("", mark.text), "")
