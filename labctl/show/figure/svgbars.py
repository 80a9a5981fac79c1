"""Calls in an SVG figure: bars on lifelines with their labels; and marks: states, forks, ends."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from labctl.sequence.events import Call
from labctl.show.figure.arranging import went_wrong
from labctl.show.figure.boxes import Box, Taken
from labctl.show.figure.callwords import call_words, meaning
from labctl.show.figure.labels import Line
from labctl.show.figure.markup import add, path
from labctl.show.figure.metrics import width
from labctl.show.figure.model import Bar, Mark
from labctl.show.figure.svgplan import Plan
from labctl.show.figure.svgrows import BAR, CALL, LINE, SMALL
from labctl.show.figure.svgstyle import colour_class
from labctl.show.figure.units import duration

_ANY = 10_000
_SHORTEST = 11.0


def draw_bars(svg: Element, plan: Plan) -> None:
    """Add the bars with their labels."""
    for number, bar in enumerate(plan.figure.bars):
        classes = ["call-bar", colour_class(plan.figure.colour(bar.connection))]
        classes += ["blocked"] * bar.blocked + ["dimmed"] * bar.dimmed
        classes += ["wrong"] * went_wrong(bar)
        group = add(svg, "g", class_=" ".join(classes), id=f"b{number}", data_lane=str(bar.lane))
        if bar.connection is not None:
            group.set("data-connection", str(bar.connection))
        add(group, "title", bar_title(bar))
        top, bottom = _extent(plan, bar)
        for name in ("paper", "bar"):
            shape = add(group, "rect", class_=name, x=_left(plan, number), y=top, width=BAR, rx=2.0)
            shape.set("height", f"{bottom - top:.1f}")
        for offset, line in enumerate(plan.lines[number]):
            _label(group, plan, number, offset, line)


def bar_title(bar: Bar) -> str:
    """Return all that is known of a call, in one line."""
    call = bar.calls[0]
    if len(bar.calls) > 1:
        return f"{call.host}: {len(bar.calls):,} calls"
    words = call_words(call, bar.datagram).fit(_ANY)
    return f"{call.host}: {words}{_took(call, bar.returned)}"


def _took(call: Call, returned: bool) -> str:
    why = f" ({meaning(call.errno)})" if call.errno and meaning(call.errno) else ""
    if not returned or call.end is None:
        return f"{why}, never returned"
    return f"{why}, {duration(call.end - call.start)}"


def _extent(plan: Plan, bar: Bar) -> tuple[float, float]:
    first, last = plan.y[bar.first], plan.y[bar.last]
    if bar.calls[-1].end is None:
        last = plan.bottom
    return first - _SHORTEST / 2, max(last, first) + _SHORTEST / 2


def _left(plan: Plan, number: int) -> float:
    """Return the left edge of a bar; those side by side go the way of their labels."""
    bar = plan.figure.bars[number]
    away = plan.level[number] * (BAR - 2)
    return plan.x[bar.lane] - BAR / 2 + (-away if plan.left[bar.lane] else away)


def _label(group: Element, plan: Plan, number: int, offset: int, line: Line) -> None:
    bar = plan.figure.bars[number]
    text = add(
        group,
        "text",
        line.main,
        class_="call",
        x=plan.side(bar.lane),
        y=plan.y[bar.first] - plan.lifts[number] + 4 + offset * LINE,
        text_anchor="end" if plan.left[bar.lane] else "start",
    )
    if line.aside:
        add(text, "tspan", line.aside, class_="aside")


def draw_marks(svg: Element, plan: Plan) -> None:
    """Add states, forks and the ends of threads."""
    for number, mark in enumerate(plan.figure.marks):
        colour = colour_class(plan.figure.colour(mark.connection))
        group = add(svg, "g", class_=f"mark {mark.kind} {colour}", id=f"m{number}")
        group.set(
            "data-lane",
            " ".join(str(lane) for lane in (mark.lane, mark.target) if lane is not None),
        )
        if mark.connection is not None:
            group.set("data-connection", str(mark.connection))
        if mark.kind == "fork":
            _fork(group, plan, mark)
        else:
            _moment(group, plan, mark)


def _fork(group: Element, plan: Plan, mark: Mark) -> None:
    if mark.target is None:
        return
    start, end, y = plan.x[mark.lane], plan.x[mark.target], plan.y[mark.row]
    step = 1 if end > start else -1
    add(group, "title", mark.text)
    add(group, "path", class_="stroke", d=path((start + step * BAR / 2, y), (end - step * 8, y)))
    add(group, "path", class_="head", d=head((end - step, y), (step, 0.0)))


def _moment(group: Element, plan: Plan, mark: Mark) -> None:
    x, y = plan.x[mark.lane], plan.y[mark.row]
    if mark.kind == "exit":
        add(group, "path", class_="ground", d=path((x - 8, y), (x + 8, y)))
    else:
        add(group, "circle", class_="head dot", cx=x, cy=y, r=4.5)
    anchor = "end" if plan.left[mark.lane] else "start"
    words = add(group, "text", mark.text, class_="state", y=y + 4, text_anchor=anchor)
    words.set("x", f"{plan.side(mark.lane):.1f}")


def head(tip: tuple[float, float], way: tuple[float, float]) -> str:
    """Return the path of an arrow's head; `way` is its direction, of length 1."""
    (x, y), (along, down) = tip, way
    back = x - 9 * along, y - 9 * down
    left, right = (
        (back[0] + 4 * down, back[1] - 4 * along),
        (back[0] - 4 * down, back[1] + 4 * along),
    )
    return path(tip, left, right, closed=True)


def take_labels(plan: Plan, taken: Taken) -> None:
    """Take the room of all labels of calls and marks, and of the bars themselves."""
    for bar, lines, lift in zip(plan.figure.bars, plan.lines, plan.lifts, strict=True):
        top, bottom = _extent(plan, bar)
        taken.add(Box(plan.x[bar.lane], (top + bottom) / 2, BAR, bottom - top))
        for offset, line in enumerate(lines):
            y = plan.y[bar.first] - lift + offset * LINE
            _take(plan, taken, bar.lane, y, width(line.text, CALL, mono=True))
    for mark in plan.figure.marks:
        if mark.kind != "fork":
            room = width(mark.text, SMALL, bold=True)
            _take(plan, taken, mark.lane, plan.y[mark.row], room)


def _take(plan: Plan, taken: Taken, lane: int, y: float, wide: float) -> None:
    side = plan.side(lane)
    centre = side - wide / 2 if plan.left[lane] else side + wide / 2
    taken.add(Box(centre, y, wide, LINE))
