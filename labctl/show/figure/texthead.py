"""The head of a figure in characters: hosts, their addresses, the programs of their threads."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from labctl.show.figure.canvas import Canvas
from labctl.show.figure.labels import host_lines, lane_name
from labctl.show.figure.model import Column, Figure
from labctl.show.figure.textplan import Plan
from labctl.show.figure.textstyle import DIM, NAME


def head(figure: Figure, plan: Plan, ascii_only: bool) -> Canvas:
    """Return what stands above the lifelines."""
    canvas = Canvas(plan.width, 3, ascii_only)
    centres = [_centre(column, plan) for column in figure.columns]
    for y in (0, 1):
        lines = [host_lines(column)[y : y + 1] for column in figure.columns]
        texts = [line[0] if line else "" for line in lines]
        _spread(canvas, y, centres, texts, DIM if y else NAME)
    _spread(canvas, 2, plan.x, [lane_name(lane) for lane in figure.lanes], "")
    return canvas


def _centre(column: Column, plan: Plan) -> int:
    places = [plan.x[lane] for lane in column.lanes]
    return (min(places) + max(places)) // 2


def _spread(
    canvas: Canvas, y: int, centres: Sequence[int], texts: Sequence[str], style: str
) -> None:
    """Write texts around their centres, none over another."""
    for number, (centre, text) in enumerate(zip(centres, texts, strict=True)):
        before = centres[number - 1] if number else -centre
        after = centres[number + 1] if number + 1 < len(centres) else 2 * canvas.width - centre
        most = max(min(centre - before, after - centre) - 1, 1)
        shown = text if cell_len(text) <= most else set_cell_size(text, most - 1).rstrip() + "…"
        start = centre - cell_len(shown) // 2
        canvas.write(max(0, min(start, canvas.width - cell_len(shown))), y, shown, style)
