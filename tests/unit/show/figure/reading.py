"""Reads an SVG figure back: where its texts stand, and how much room they take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from labctl.show.figure.boxes import Box
from labctl.show.figure.metrics import width

SVG = "{http://www.w3.org/2000/svg}"
_FONTS = {
    "title": (18.0, False, True),
    "name": (15.0, False, True),
    "call": (12.5, True, False),
    "below": (11.0, True, False),
    "time": (11.0, True, False),
    "small": (11.0, False, False),
    "lane-name": (11.0, False, True),
    "state": (11.0, False, True),
    "word": (12.0, False, False),
}
"""Of each class of texts the height of its font, and whether it is of one width, and bold."""


class Written(NamedTuple):
    """A text of a figure and the room that it takes."""

    text: str
    box: Box


def parsed(svg: str) -> Element:
    return ElementTree.fromstring(svg)


def written(svg: Element) -> Iterator[Written]:
    """Yield all texts of a figure."""
    for element in svg.iter(f"{SVG}text"):
        text = "".join(part for part in _texts(element))
        if text:
            yield Written(text, _box(element, text))


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    yield from (child.text or "" for child in element.iter(f"{SVG}tspan"))


def _box(element: Element, text: str) -> Box:
    name = next(name for name in element.get("class", "").split() if name in _FONTS)
    size, mono, bold = _FONTS[name]
    wide = width(text, size, mono=mono, bold=bold)
    x, y = float(element.get("x", "")), float(element.get("y", "")) - size / 3
    x += {"start": wide / 2, "middle": 0.0, "end": -wide / 2}[element.get("text-anchor", "start")]
    turn = re.match(r"rotate\((-?[\d.]+)", element.get("transform", ""))
    return Box(x, y, wide, size * 0.85, float(turn[1]) if turn else 0.0)


def crossing(svg: Element) -> list[tuple[str, str]]:
    """Return the pairs of texts that overlap."""
    texts = sorted(written(svg), key=lambda one: one.box.y)
    return [
        (a.text, b.text)
        for a, b in combinations(texts, 2)
        if b.box.y - a.box.y < 60 and a.box.overlaps(b.box)
    ]


def outside(svg: Element) -> list[str]:
    """Return the texts that reach out of the picture."""
    wide, high = float(svg.get("width", "")), float(svg.get("height", ""))
    return [
        text
        for text, box in written(svg)
        if box.span(0)[0] < 0
        or box.span(0)[1] > wide
        or box.span(1)[0] < 0
        or box.span(1)[1] > high
    ]
