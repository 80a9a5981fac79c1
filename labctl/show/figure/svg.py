"""Draws a figure as one SVG document that needs nothing else."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element, register_namespace, tostring

from labctl.sequence.timeline import Timeline
from labctl.show.figure.labels import connection_line
from labctl.show.figure.layout import figure_of
from labctl.show.figure.markup import add, number, root
from labctl.show.figure.model import Figure, Options
from labctl.show.figure.svgarrows import Placed, draw_arrows, draw_words, place_words
from labctl.show.figure.svgbars import draw_bars, draw_marks
from labctl.show.figure.svghead import draw_head, draw_lifelines, draw_times
from labctl.show.figure.svglegend import draw_legend
from labctl.show.figure.svgplan import Plan, plan
from labctl.show.figure.svgstyle import sheet

ROUNDS = 12
"""So often rows are moved apart for arrows whose words find no room."""

_APART = 12.0
_NAMESPACE = "http://www.w3.org/2000/svg"


def draw(shown: Timeline | Figure, options: Options | None = None) -> str:
    """Return a figure as an SVG document."""
    return element_text(picture(figure_of(shown, options))[0])


def element_text(svg: Element) -> str:
    """Return an element as text, without an XML declaration, so that HTML can hold it too."""
    register_namespace("", _NAMESPACE)
    return tostring(svg, encoding="unicode") + "\n"


def picture(figure: Figure) -> tuple[Element, Plan]:
    """Return the document's element, and where on it lifelines and rows are."""
    measures, placed = _planned(figure)
    svg = root(
        "svg",
        xmlns=_NAMESPACE,
        class_="figure",
        role="img",
        aria_labelledby="figure-title figure-desc",
    )
    add(svg, "title", figure.title or "Sequence of calls and segments", id="figure-title")
    add(svg, "desc", description(figure), id="figure-desc")
    # No text of others is in the style sheet: it may go in as it is.
    add(svg, "style").text = sheet()
    paper = add(svg, "rect", class_="paper", x=0.0, y=0.0, width=measures.width)
    draw_head(svg, measures)
    draw_times(svg, measures)
    for layer, paint in (
        ("lanes", draw_lifelines),
        ("arrows", draw_arrows),
        ("bars", draw_bars),
        ("marks", draw_marks),
    ):
        paint(add(svg, "g", class_=layer), measures)
    draw_words(add(svg, "g", class_="words"), measures, placed)
    bottom = draw_legend(svg, figure, measures.bottom, measures.width)
    paper.set("height", number(bottom))
    svg.set("width", number(measures.width))
    svg.set("height", number(bottom))
    svg.set("viewBox", f"0 0 {number(measures.width)} {number(bottom)}")
    return svg, measures


def _planned(figure: Figure) -> tuple[Plan, Placed]:
    """Return the measures with room for the words of all arrows, and where these stand."""
    extra: Counter[int] = Counter()
    for _ in range(ROUNDS):
        measures = plan(figure, extra)
        placed, crowded = place_words(measures)
        if not crowded:
            break
        extra.update(dict.fromkeys(crowded, int(_APART)))
    return measures, placed


def description(figure: Figure) -> str:
    """Return a figure in a few sentences, for those who cannot see it."""
    calls = sum(len(bar.calls) for bar in figure.bars)
    segments = sum(len(arrow.segments) for arrow in figure.arrows)
    hosts = ", ".join(column.host for column in figure.columns) or "no host"
    told = [f"Hosts from the left: {hosts}.", f"{calls:,} calls and {segments:,} segments."]
    told += [f"{connection_line(connection)}." for connection in figure.connections]
    return " ".join(told)
