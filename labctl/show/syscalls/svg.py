"""Draws figure 6-26 of processes as one SVG document: above the line they, below the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from labctl.play.crossing import Crossed
from labctl.show.figure.markup import add, root
from labctl.show.figure.metrics import fit
from labctl.show.figure.svg import element_text
from labctl.show.syscalls.svgprocess import COLUMN, HEAD, TURN, draw_process
from labctl.show.syscalls.svgstyle import sheet
from labctl.show.syscalls.words import Drawn, drawn

PER_ROW = 4
_MARGIN = 24.0
_GAP = 18.0
_LABEL = 24.0
_SIDE = 84.0
_TITLE = 40.0
_FOOT = 44.0
_BETWEEN = 30.0
_NAMESPACE = "http://www.w3.org/2000/svg"
_LEGEND = (
    ("outside", "outside, in its own code"),
    ("working", "inside, the kernel at work"),
    ("waiting", "inside, waiting"),
)


def draw(crossed: Crossed, kinds: int) -> str:
    """Return the picture; of each process at most `kinds` kinds of call are drawn."""
    return element_text(picture(crossed, kinds))


def picture(crossed: Crossed, kinds: int) -> Element:
    """Return the document's element, which HTML can hold too."""
    rows = list(_rows(crossed, kinds))
    columns = max((len(row) for _, row in rows), default=1)
    width = 2 * _MARGIN + _SIDE + columns * (COLUMN + _GAP)
    svg = root(
        "svg", xmlns=_NAMESPACE, class_="crossings", role="img", aria_labelledby="crossings-title"
    )
    add(svg, "title", crossed.title, id="crossings-title")
    add(svg, "style").text = sheet()
    paper = add(svg, "rect", class_="paper", x=0.0, y=0.0, width=width)
    title = fit(crossed.title, width - 2 * _MARGIN, 16, bold=True)
    add(svg, "text", title, class_="title", x=_MARGIN, y=_MARGIN + 12)
    y = _MARGIN + _TITLE
    for host, row in rows:
        y = _draw_row(svg, host, row, y, width) + _BETWEEN
    _draw_legend(svg, y)
    height = y + _FOOT - _BETWEEN / 2
    paper.set("height", f"{height:.0f}")
    svg.set("viewBox", f"0 0 {width:.0f} {height:.0f}")
    svg.set("width", f"{width:.0f}")
    svg.set("height", f"{height:.0f}")
    return svg


def _rows(crossed: Crossed, kinds: int) -> list[tuple[str, list[Drawn]]]:
    found = []
    for host, processes in groupby(crossed.processes, key=lambda one: one.host):
        columns = [drawn(one, kinds) for one in processes]
        cuts = range(0, len(columns), PER_ROW)
        found += [(host, columns[first : first + PER_ROW]) for first in cuts]
    return found


def _draw_row(svg: Element, host: str, row: Sequence[Drawn], y: float, width: float) -> float:
    """Draw some processes of a host; return how far down they reach."""
    line = y + _LABEL + HEAD
    deepest = max(len(one.kinds) for one in row) if row else 0
    bottom = line + deepest * TURN + 44
    right = width - _MARGIN
    add(
        svg, "rect", class_="kernel", x=_MARGIN, y=line, width=right - _MARGIN, height=bottom - line
    )
    add(svg, "text", f"host {host}", class_="host", x=_MARGIN + 8, y=y + 14)
    add(svg, "text", "user space", class_="side", x=_MARGIN + 8, y=line - 10)
    add(svg, "text", "kernel", class_="side", x=_MARGIN + 8, y=line + 20)
    for place, one in enumerate(row):
        draw_process(svg, one, _MARGIN + _SIDE + place * (COLUMN + _GAP), y + _LABEL, line)
    add(svg, "path", class_="boundary", d=f"M{_MARGIN:.0f} {line:.0f}H{right:.0f}")
    return bottom


def _draw_legend(svg: Element, y: float) -> None:
    x = _MARGIN + 8
    for name, words in _LEGEND:
        add(svg, "rect", class_=name, x=x, y=y - 9, width=16.0, height=10.0)
        add(svg, "text", words, class_="small", x=x + 22, y=y)
        x += 210
