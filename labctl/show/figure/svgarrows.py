"""Segments in an SVG figure: slanted arrows, and words on them that never overlap."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from labctl.show.figure.boxes import Box, Taken
from labctl.show.figure.labels import arrow_label
from labctl.show.figure.markup import add, number, path
from labctl.show.figure.model import Arrow
from labctl.show.figure.segmentwords import numbers
from labctl.show.figure.svgbars import head, take_labels
from labctl.show.figure.svgplan import Plan
from labctl.show.figure.svgstyle import colour_class
from labctl.show.figure.svgways import LOOP, Way, places, way_of, words_of
from labctl.show.figure.units import duration, plain

Placed = Mapping[int, tuple[Box, str]]
"""The words of each arrow and where they stand, by its number."""


def place_words(plan: Plan) -> tuple[dict[int, tuple[Box, str]], set[int]]:
    """Return where the words of arrows stand, and the rows that are too crowded for some."""
    taken = Taken()
    take_labels(plan, taken)
    placed: dict[int, tuple[Box, str]] = {}
    crowded: set[int] = set()
    for place, arrow in enumerate(plan.figure.arrows):
        way = way_of(plan, arrow)
        words = words_of(way)
        for _, part in arrow.via:
            taken.add(Box(*way.at(part), 4.0, 12.0))
        box = next((box for box in places(plan, way, words) if taken.free(box)), None)
        if box is None:
            crowded.add(arrow.last if arrow.last > arrow.first else arrow.last + 1)
        else:
            taken.add(box)
            placed[place] = box, words
    return placed, crowded


def draw_arrows(svg: Element, plan: Plan) -> None:
    """Add the arrows without their words."""
    for place, arrow in enumerate(plan.figure.arrows):
        way = way_of(plan, arrow)
        group = add(svg, "g", class_=_classes(plan, arrow), id=f"a{place}", **_data(arrow))
        add(group, "title", arrow_title(arrow))
        if arrow.source == arrow.target:
            _loop(group, plan, way)
            continue
        if len(way.strokes) > 1:
            (a, b), (d, c) = way.strokes
            add(group, "path", class_="band", d=path(a, b, c, d, closed=True))
        for start, end in way.strokes:
            add(group, "path", class_="hit", d=path(start, end))
            add(group, "path", class_="stroke", d=path(start, end))
            if arrow.lost:
                add(group, "path", class_="stroke", d=_cross(end))
            else:
                add(group, "path", class_="head", d=head(end, way.direction))
        for router, part in arrow.via:
            _tick(group, way, router, part)


def draw_words(svg: Element, plan: Plan, placed: Placed) -> None:
    """Add the words of arrows."""
    for place, (box, words) in placed.items():
        arrow = plan.figure.arrows[place]
        turn = f"rotate({number(box.angle)} {number(box.x)} {number(box.y)})" if box.angle else None
        group = add(svg, "g", class_=_classes(plan, arrow), data_of=f"a{place}", **_data(arrow))
        add(
            group,
            "text",
            words,
            class_="word",
            x=box.x,
            y=box.y + 4,
            text_anchor="middle",
            transform=turn,
        )


def arrow_title(arrow: Arrow) -> str:
    """Return what is to be said of an arrow, in one line."""
    first = arrow.segments[0]
    parts = [f"{plain(str(first.source))} → {plain(str(first.target))}", arrow_label(arrow)]
    if len(arrow.segments) == 1:
        parts.append(numbers(first))
        if first.sent and first.received:
            parts.append(f"{duration(first.received.time - first.sent.time)} on its way")
    return ", ".join(filter(None, parts))


def _classes(plan: Plan, arrow: Arrow) -> str:
    wrong = " wrong" if arrow.lost or arrow.kind in ("rst", "icmp") else ""
    return f"arrow {arrow.kind} {colour_class(plan.figure.colour(arrow.connection))}{wrong}"


def _data(arrow: Arrow) -> dict[str, str]:
    data = {"data_lane": f"{arrow.source} {arrow.target}"}
    if arrow.connection is not None:
        data["data_connection"] = str(arrow.connection)
    return data


def _cross(at: tuple[float, float]) -> str:
    x, y = at
    return f"{path((x - 5, y - 5), (x + 5, y + 5))} {path((x - 5, y + 5), (x + 5, y - 5))}"


def _tick(group: Element, way: Way, router: str, part: float) -> None:
    (x, y), (along, down) = way.at(part), way.direction
    ends = (x + 5 * down, y - 5 * along), (x - 5 * down, y + 5 * along)
    tick = add(group, "path", class_="tick", d=path(*ends))
    add(tick, "title", f"passed {plain(router)}")


def _loop(group: Element, plan: Plan, way: Way) -> None:
    (x, y0), (_, y1) = way.strokes[0]
    out = LOOP if x > plan.x[way.arrow.source] else -LOOP
    far = number(x + out)
    curve = f"M{number(x)} {number(y0)} C{far} {number(y0)} {far} {number(y1)}"
    add(group, "path", class_="stroke", d=f"{curve} {number(x)} {number(y1)}")
    add(group, "path", class_="head", d=head((x, y1), (-1.0 if out > 0 else 1.0, 0.0)))
