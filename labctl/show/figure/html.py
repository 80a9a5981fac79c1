"""Draws a figure as one HTML page to look around in: it needs no network and no server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from labctl.sequence.diagnose.diagnosis import Diagnosis
from labctl.sequence.timeline import Timeline
from labctl.show.figure.details import arrow_item, bar_item
from labctl.show.figure.labels import connection_line, lane_name
from labctl.show.figure.layout import figure_of
from labctl.show.figure.model import Figure, Options
from labctl.show.figure.svg import element_text, picture
from labctl.show.figure.svgplan import Plan
from labctl.show.figure.svgstyle import colour_class
from labctl.show.figure.units import plain
from labctl.show.pages import page


def draw(
    shown: Timeline | Figure,
    options: Options | None = None,
    *,
    diagnoses: Iterable[Diagnosis] = (),
    verdict_text: str | None = None,
) -> str:
    """Return a figure as an HTML document, with what is to be said of it beside it."""
    figure = figure_of(shown, options)
    svg, measures = picture(figure)
    title = plain(figure.title or "Sequence")
    data = _data(figure, measures, tuple(diagnoses), verdict_text)
    return page("labctl.show.figure", title, data, {"figure": element_text(svg)})


def _data(
    figure: Figure, measures: Plan, diagnoses: Sequence[Diagnosis], verdict: str | None
) -> dict[str, Any]:
    items = {f"b{n}": bar_item(figure, bar) for n, bar in enumerate(figure.bars)}
    items |= {f"a{n}": arrow_item(figure, arrow) for n, arrow in enumerate(figure.arrows)}
    return {
        "hosts": [
            {
                "name": plain(column.host),
                "x": round((measures.x[column.lanes[0]] + measures.x[column.lanes[-1]]) / 2, 1),
                "lanes": column.lanes,
            }
            for column in figure.columns
        ],
        "lanes": [
            {
                "host": plain(lane.host),
                "text": f"{plain(lane.host)}: {lane_name(lane) or 'as a whole'}",
            }
            for lane in figure.lanes
        ],
        "connections": _connections(figure),
        "items": items,
        "order": _order(figure),
        "findings": [_finding(figure, diagnosis) for diagnosis in diagnoses],
        "verdict": "" if verdict is None else "\n".join(map(plain, verdict.splitlines())),
    }


def _connections(figure: Figure) -> list[dict[str, Any]]:
    drawn = [
        {"key": connection.id, "text": connection_line(connection), "colour": colour_class(place)}
        for place, connection in enumerate(figure.connections)
    ]
    other = {"key": "", "text": "what is of no single one", "colour": colour_class(None)}
    return [*drawn, other]


def _order(figure: Figure) -> list[str]:
    """Return the names of all bars and arrows in the order of their rows."""
    bars = [(bar.first, 0, f"b{n}") for n, bar in enumerate(figure.bars)]
    arrows = [(arrow.first, 1, f"a{n}") for n, arrow in enumerate(figure.arrows)]
    return [name for _, _, name in sorted([*bars, *arrows], key=lambda item: item[:2])]


def _finding(figure: Figure, diagnosis: Diagnosis) -> dict[str, Any]:
    shows = {id(event) for event in diagnosis.events}
    bars = (f"b{n}" for n, bar in enumerate(figure.bars) if any(id(c) in shows for c in bar.calls))
    arrows = (
        f"a{n}"
        for n, arrow in enumerate(figure.arrows)
        if any(id(s) in shows for s in arrow.segments)
    )
    return {
        "level": diagnosis.level,
        "sentence": f"{plain(diagnosis.sentence)} ",
        "advice": plain(diagnosis.advice),
        "items": [*bars, *arrows],
    }
