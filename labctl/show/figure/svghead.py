"""The head of an SVG figure: title, hosts, lifelines with their names, the axis of time."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from labctl.show.figure.arranging import breaks
from labctl.show.figure.labels import host_lines, lane_name
from labctl.show.figure.markup import add, path
from labctl.show.figure.metrics import fit, width
from labctl.show.figure.model import Column
from labctl.show.figure.svgplan import Plan
from labctl.show.figure.svgrows import HEAD, MARGIN, NAME, ROW, SMALL, TITLE
from labctl.show.figure.units import clock, clock_unit, duration, plain, shorten

_TOP, _HOST, _NAMES = 62.0, 44.0, HEAD - 16


def draw_head(svg: Element, plan: Plan) -> None:
    """Add title, hosts and the names of lanes."""
    figure = plan.figure
    room = plan.width - 2 * MARGIN
    title = fit(plain(figure.title), room, TITLE, bold=True)
    add(svg, "text", title, class_="title", x=MARGIN, y=34.0)
    seen = f"seen by {plain(figure.tracer)}" if figure.tracer else ""
    add(svg, "text", fit(seen, room, SMALL), class_="small dim", x=MARGIN, y=51.0)
    for number, column in enumerate(figure.columns):
        _host(svg, plan, number, column)
    for lane, x in zip(figure.lanes, plan.x, strict=True):
        text = fit(shorten(lane_name(lane), 26), 220, SMALL, bold=True)
        shown = add(svg, "text", text, class_="lane-name", x=x, y=_NAMES, text_anchor="middle")
        shown.set("data-lane", str(figure.lanes.index(lane)))


def _host(svg: Element, plan: Plan, number: int, column: Column) -> None:
    centre, most = _centre(plan, column), _room(plan, number)
    first, *below = host_lines(column)
    name = fit(first, most - 20, NAME, bold=True)
    lines = [fit(text, most - 20, SMALL, mono=True) for text in below]
    widths = [width(text, SMALL, mono=True) for text in lines]
    box = min(max([width(name, NAME, bold=True), *widths, 70.0]) + 20, most)
    group = add(svg, "g", class_=f"host {column.kind}", data_host=column.host)
    add(group, "title", " ".join((column.host, *column.addresses)))
    add(group, "rect", x=centre - box / 2, y=_TOP, width=box, height=_HOST, rx=7.0)
    middle = _TOP + (19 if lines else 27)
    add(group, "text", name, class_="name", x=centre, y=middle, text_anchor="middle")
    for text in lines[:1]:
        add(group, "text", text, class_="below", x=centre, y=_TOP + 35, text_anchor="middle")


def _centre(plan: Plan, column: Column) -> float:
    return (plan.x[column.lanes[0]] + plan.x[column.lanes[-1]]) / 2


def _room(plan: Plan, number: int) -> float:
    """Return how wide the box of a host may be: none over another, none out of the picture."""
    centres = [_centre(plan, column) for column in plan.figure.columns]
    here = centres[number]
    before = (here - centres[number - 1]) / 2 - 5 if number else here - MARGIN / 2
    after = plan.width - MARGIN / 2 - here
    if number + 1 < len(centres):
        after = (centres[number + 1] - here) / 2 - 5
    return 2 * min(before, after)


def draw_lifelines(svg: Element, plan: Plan) -> None:
    """Add the lifelines, from each thread's beginning to its end."""
    for number, (lane, x) in enumerate(zip(plan.figure.lanes, plan.x, strict=True)):
        group = add(svg, "g", class_="lane", data_lane=str(number))
        if not plan.y:
            continue
        begin = plan.y[lane.first] if lane.first else HEAD - 8
        end = plan.y[lane.last] if lane.end else plan.bottom
        if lane.first:
            add(group, "path", class_="guide", d=path((x, HEAD - 8), (x, begin)))
        add(group, "path", class_="lifeline", d=path((x, begin), (x, end)))


def draw_times(svg: Element, plan: Plan) -> None:
    """Add the time of each row, and where time is cut short how long the pause was."""
    rows = plan.figure.rows
    unit = clock_unit(rows[-1] if rows else 0)
    group, before = add(svg, "g", class_="axis"), ""
    right = plan.times - 14
    for ns, y in zip(rows, plan.y, strict=True):
        told = clock(ns, unit)
        if told != before:
            add(group, "text", told, class_="time", x=right, y=y + 4, text_anchor="end")
        before = told
    if rows:
        add(group, "text", unit, class_="time", x=right, y=HEAD - ROW + 2, text_anchor="end")
    for row in sorted(breaks(plan.figure)):
        y = (plan.y[row] + plan.y[row + 1]) / 2
        pause = duration(rows[row + 1] - rows[row])
        add(group, "path", class_="cut", d=path((plan.times, y), (plan.width - MARGIN, y)))
        add(group, "text", f"⋮ {pause}", class_="time", x=right, y=y + 4, text_anchor="end")
