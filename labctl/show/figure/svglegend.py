"""Below an SVG figure: what its signs mean, its connections, and what is not drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from labctl.show.figure.footing import foot_lines
from labctl.show.figure.labels import connection_line
from labctl.show.figure.markup import add, path
from labctl.show.figure.metrics import fit, width
from labctl.show.figure.model import Figure
from labctl.show.figure.svgbars import head
from labctl.show.figure.svgrows import MARGIN, SMALL
from labctl.show.figure.svgstyle import colour_class
from labctl.show.figure.textlegend import ESTIMATE, about_many
from labctl.show.figure.units import plain

_STEP = 19.0
_SIGN = 34.0

Draw = Callable[[Element, float, float], None]


def draw_legend(svg: Element, figure: Figure, top: float, wide: float) -> float:
    """Add the legend below `top`; return where it ends."""
    group = add(svg, "g", class_="legend")
    x, y = MARGIN, top + 30
    for sign, words in _signs(figure):
        room = _SIGN + width(words, SMALL) + 18
        if x > MARGIN and x + room > wide - MARGIN:
            x, y = MARGIN, y + _STEP
        sign(group, x, y)
        add(group, "text", words, class_="small foot", x=x + _SIGN, y=y + 4)
        x += room
    y += 8
    for connection in figure.connections:
        y += _STEP
        place = colour_class(figure.colour(connection.id))
        key = add(group, "g", class_=f"key {place}", data_connection=str(connection.id))
        add(key, "rect", class_="bar", x=MARGIN + 8, y=y - 5, width=10.0, height=10.0, rx=2.0)
        _line(key, connection_line(connection), y, wide, MARGIN + _SIGN)
    notices = (
        f"{notice.host}: {notice.text}" if notice.host else notice.text for notice in figure.notices
    )
    for text in (*foot_lines(figure), *notices):
        y += _STEP
        _line(group, text, y, wide, MARGIN)
    return y + MARGIN


def _line(group: Element, text: str, y: float, wide: float, x: float) -> None:
    shown = fit(plain(text), wide - MARGIN - x, SMALL)
    made = add(group, "text", shown, class_="small foot", x=x, y=y + 4)
    if shown != plain(text):
        add(made, "title", text)


def _signs(figure: Figure) -> Iterator[tuple[Draw, str]]:
    if any(not bar.blocked for bar in figure.bars):
        yield _bar("c-"), "a system call"
    if any(bar.blocked for bar in figure.bars):
        yield _bar("c- blocked"), "a call that waits"
    if any(len(arrow.segments) == 1 and not arrow.lost for arrow in figure.arrows):
        yield _arrow("c-", lost=False), "a segment on its way"
    if any(len(arrow.segments) > 1 for arrow in figure.arrows):
        yield _band, "many segments"
    if about_many(figure):
        yield _sign("≈"), ESTIMATE
    if any(arrow.lost for arrow in figure.arrows):
        yield _arrow("wrong", lost=True), "lost"
    routers = sorted({plain(name) for arrow in figure.arrows for name, _ in arrow.via})
    if routers:
        yield _ticked, f"passed {', '.join(routers[:3])}"
    if any(mark.kind == "fork" for mark in figure.marks):
        yield _arrow("fork c-", lost=False), "made a process or thread"
    if any(mark.kind == "state" for mark in figure.marks):
        yield _dot, "new state of the connection"


def _sign(char: str) -> Draw:
    def draw(group: Element, x: float, y: float) -> None:
        add(group, "text", char, class_="small", x=x + 16, y=y + 4, text_anchor="middle")

    return draw


def _bar(classes: str) -> Draw:
    def draw(group: Element, x: float, y: float) -> None:
        sign = add(group, "g", class_=classes)
        add(sign, "rect", class_="bar", x=x + 12, y=y - 7, width=9.0, height=14.0, rx=2.0)

    return draw


def _arrow(classes: str, lost: bool) -> Draw:
    def draw(group: Element, x: float, y: float) -> None:
        sign = add(group, "g", class_=classes)
        end = x + 26, y + 3
        add(sign, "path", class_="stroke", d=path((x, y - 3), end))
        if lost:
            cross = path((end[0] - 4, end[1] - 4), (end[0] + 4, end[1] + 4))
            cross += " " + path((end[0] - 4, end[1] + 4), (end[0] + 4, end[1] - 4))
            add(sign, "path", class_="stroke", d=cross)
        else:
            add(sign, "path", class_="head", d=head(end, (0.974, 0.225)))

    return draw


def _band(group: Element, x: float, y: float) -> None:
    sign = add(group, "g", class_="c-")
    corners = (x, y - 8), (x + 26, y - 3), (x + 26, y + 8), (x, y + 3)
    add(sign, "path", class_="band", d=path(*corners, closed=True))
    for start, end in ((corners[0], corners[1]), (corners[3], corners[2])):
        add(sign, "path", class_="stroke", d=path(start, end))
        add(sign, "path", class_="head", d=head(end, (0.982, 0.189)))


def _ticked(group: Element, x: float, y: float) -> None:
    sign = add(group, "g", class_="c-")
    add(sign, "path", class_="stroke", d=path((x, y - 2), (x + 26, y + 2)))
    add(sign, "path", class_="tick", d=path((x + 13, y - 5), (x + 13, y + 5)))


def _dot(group: Element, x: float, y: float) -> None:
    sign = add(group, "g", class_="c-")
    add(sign, "circle", class_="head", cx=x + 16, cy=y, r=4.0)
