"""All that is known of what a figure draws, as the rows of tables: what a click on it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from labctl.sequence.events import Call, Segment, Sighting, Value
from labctl.show.figure.callwords import BROKEN_OFF, call_words, fold_words, meaning
from labctl.show.figure.labels import arrow_label, connection_line
from labctl.show.figure.model import Arrow, Bar, Figure
from labctl.show.figure.units import MS, duration, plain

FIRST, LAST = 12, 3
"""Of many calls or segments that are drawn as one, so many are told."""

_ANY = 10_000
Row = tuple[str, str]
Event = TypeVar("Event")


def bar_item(figure: Figure, bar: Bar) -> dict[str, Any]:
    """Return what is told of a bar: `title`, `sections` of rows, and how many `more` there are."""
    lane = figure.lanes[bar.lane]
    first = bar.calls[0]
    many = len(bar.calls) > 1
    thread = f"{first.pid}" + (f", thread {first.tid}" if first.tid != first.pid else "")
    rows = [("host", plain(first.host)), ("program", plain(lane.program)), ("process", thread)]
    rows += _connection(figure, bar.connection)
    sections = [{"heading": "", "rows": _told(rows)}]
    for call in _some(bar.calls):
        heading = call_words(call, bar.datagram).fit(_ANY) if many else ""
        sections.append({"heading": heading, "rows": _told(_call(figure, call))})
    words = fold_words(bar.calls, bar.datagram)
    title = "; ".join(words) if many else call_words(first, bar.datagram).fit(_ANY)
    return {"title": title, "sections": sections, "more": _more(len(bar.calls), "calls")}


def arrow_item(figure: Figure, arrow: Arrow) -> dict[str, Any]:
    """Return the same of an arrow."""
    sections = [{"heading": "", "rows": _told(_connection(figure, arrow.connection))}]
    for number, segment in enumerate(_some(arrow.segments), 1):
        heading = f"segment {number}" if len(arrow.segments) > 1 else ""
        sections.append({"heading": heading, "rows": _told(_segment(figure, segment))})
    more = _more(len(arrow.segments), "segments")
    return {"title": arrow_label(arrow), "sections": sections, "more": more}


def _some(events: Sequence[Event]) -> Sequence[Event]:
    if len(events) <= FIRST + LAST:
        return events
    return [*events[:FIRST], *events[-LAST:]]


def _more(count: int, what: str) -> str:
    if count <= FIRST + LAST:
        return ""
    return f"The first {FIRST} and the last {LAST} of {count:,} {what} are shown."


def _told(rows: Sequence[Row] | Iterator[Row]) -> list[Row]:
    return [(name, text) for name, text in rows if text]


def _connection(figure: Figure, number: int | None) -> list[Row]:
    found = (c for c in figure.connections if c.id == number)
    return [("connection", connection_line(connection)) for connection in found]


def _call(figure: Figure, call: Call) -> Iterator[Row]:
    yield "system call", plain(call.name)
    yield "descriptor", "" if call.fd is None else str(call.fd)
    for name, value in call.args.items():
        yield plain(name), _value(value)
    if call.errno in BROKEN_OFF:
        yield "broken off", "by a signal"
    elif call.errno:
        yield "failed with", ": ".join(filter(None, (plain(call.errno), meaning(call.errno))))
    else:
        yield "result", "" if call.result is None else f"{call.result:,}"
    yield "entered", _time(figure, call.start)
    if call.end is None:
        yield "returned", "never"
    else:
        yield "ended" if call.errno in BROKEN_OFF else "returned", _time(figure, call.end)
        yield "took", duration(call.end - call.start)


def _segment(figure: Figure, segment: Segment) -> Iterator[Row]:
    yield "protocol", segment.protocol.upper()
    yield "from", plain(str(segment.source))
    yield "to", plain(str(segment.target))
    yield "flags", " ".join(segment.flags)
    for name, number in (("sequence number", segment.seq), ("acknowledges", segment.ack)):
        yield name, "" if number is None else f"{number:,}"
    yield "data", f"{segment.length:,} bytes"
    yield "window", "" if segment.window is None else f"{segment.window:,} bytes"
    for option, value in segment.options.items():
        yield plain(option), _value(value)
    yield "says", plain(segment.about)
    yield "sent again", "yes, it was sent before" if segment.retransmission else ""
    yield "offloading", f"about {segment.joined:,} segments in one" if segment.joined > 1 else ""
    yield "sent", _seen(figure, segment.sent) or "not seen"
    for sighting in segment.via:
        yield "passed", _seen(figure, sighting)
    yield "received", _seen(figure, segment.received) or "not seen"
    if segment.sent and segment.received:
        yield "on its way", duration(segment.received.time - segment.sent.time)
    yield "begins with", plain(segment.data)
    yield "frames", ", ".join(map(str, segment.frames))


def _seen(figure: Figure, sighting: Sighting | None) -> str:
    if sighting is None:
        return ""
    where = f"{plain(sighting.host)}, network {plain(sighting.network)}"
    return f"{_time(figure, sighting.time)}, {where}"


def _time(figure: Figure, ns: int) -> str:
    return f"{(ns - figure.zero) / MS:,.6f} ms"


def _value(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{plain(key)}: {_value(one)}" for key, one in value.items())
    return f"{value:,}" if isinstance(value, int) else plain(value)
