"""Draws a figure in characters: lifelines, calls as bars, slanted arrows."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from labctl.sequence.timeline import Timeline
from labctl.show.figure.canvas import Span, as_ascii
from labctl.show.figure.footing import foot_lines
from labctl.show.figure.labels import connection_line
from labctl.show.figure.layout import figure_of
from labctl.show.figure.model import Figure, Options
from labctl.show.figure.textbody import body
from labctl.show.figure.texthead import head
from labctl.show.figure.textlegend import legend
from labctl.show.figure.textplan import plan
from labctl.show.figure.textstyle import DIM, style_of
from labctl.show.figure.units import plain


def draw(
    shown: Timeline | Figure,
    options: Options | None = None,
    *,
    width: int = 120,
    ascii_only: bool = False,
) -> str:
    """Return a figure as plain text, of lines that are `width` long or shorter.

    Where many hosts need longer lines, they are longer. `ascii_only` for where there is nothing
    but ASCII.
    """
    lines = _lines(figure_of(shown, options), width, ascii_only)
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def coloured(
    shown: Timeline | Figure,
    options: Options | None = None,
    *,
    width: int = 120,
    ascii_only: bool = False,
) -> Text:
    """Return the same with the colours of a terminal."""
    text = Text(no_wrap=True, overflow="crop", end="")
    for line in _lines(figure_of(shown, options), width, ascii_only):
        for span in line:
            text.append(span.text, style=span.style)
        text.append("\n")
    return text


def width_of(figure: Figure, width: int) -> int:
    """Return how many columns a figure takes where `width` are wanted."""
    return plan(figure, width).width


def _lines(figure: Figure, width: int, ascii_only: bool) -> Iterator[list[Span]]:
    measures = plan(figure, width)
    if figure.title:
        yield [Span(_safe(plain(figure.title), ascii_only), "bold")]
        yield []
    if figure.lanes:
        yield from head(figure, measures, ascii_only).rows()
        yield from body(figure, measures, ascii_only).rows()
    yield []
    for line in legend(figure, measures.width):
        yield [Span(_safe(line, ascii_only), DIM)]
    for place, connection in enumerate(figure.connections):
        line = _safe(connection_line(connection), ascii_only)
        yield [Span(line, style_of(place))]
    for line in foot_lines(figure):
        yield [Span(_safe(line, ascii_only), DIM)]


def _safe(text: str, ascii_only: bool) -> str:
    return as_ascii(text) if ascii_only else text
