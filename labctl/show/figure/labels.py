"""The labels of a figure: what is written beside a bar, on an arrow, on a lane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from labctl.sequence.connection import Connection, Side
from labctl.show.figure.callwords import BROKEN_OFF, CallWords, call_words, fold_words
from labctl.show.figure.model import Arrow, Bar, Column, Lane
from labctl.show.figure.segmentwords import fold_label, label
from labctl.show.figure.units import duration, plain, shorten

_NEVER = ("never returned", "no return")
"""What is said of a call that never returned, the best first."""


class Line(NamedTuple):
    """A line of a label; `aside` follows `main` and may be written lighter."""

    main: str
    aside: str = ""

    @property
    def text(self) -> str:
        return self.main + self.aside


def bar_lines(bar: Bar, most: int) -> tuple[Line, ...]:
    """Return the label of a bar, in lines of at most `most` characters."""
    if len(bar.calls) > 1:
        return tuple(Line(shorten(words, most)) for words in fold_words(bar.calls, bar.datagram))
    words = call_words(bar.calls[0], bar.datagram)
    if not bar.returned:
        return _unfinished(words, most)
    for inside, aside in _choices(words, _asides(bar)):
        line = Line(f"{words.name}({inside}){words.result}", aside)
        if len(line.text) <= most:
            return (line,)
    return (Line(words.fit(most)),)


def _unfinished(words: CallWords, most: int) -> tuple[Line, ...]:
    """Return the label of a call that never returned: that it did not is told in any case."""
    *full, least = words.inside or ("",)
    for inside in full or [least]:
        for aside in _NEVER:
            line = Line(f"{words.name}({inside})", f", {aside}")
            if len(line.text) <= most:
                return (line,)
    below = next((aside for aside in _NEVER if len(aside) <= most), shorten(_NEVER[-1], most))
    return Line(words.fit(most)), Line("", below)


def _choices(words: CallWords, asides: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield what may stand in a call's brackets and after it, the best first.

    An address is worth more than the word `blocked`, the time more than the address.
    """
    *full, least = words.inside or ("",)
    for aside in asides[:-1]:
        yield from ((inside, aside) for inside in full)
    yield from ((least, aside) for aside in asides[:-1])
    yield from ((inside, asides[-1]) for inside in words.inside)


def _asides(bar: Bar) -> tuple[str, ...]:
    call = bar.calls[0]
    if call.errno in BROKEN_OFF:
        return ", interrupted by a signal", ", interrupted", ""
    if not bar.blocked or call.end is None:
        return ("",)
    took = duration(call.end - call.start)
    return f", blocked {took}", f", {took}", ""


def arrow_label(arrow: Arrow) -> str:
    """Return what is written on an arrow."""
    many = len(arrow.segments) > 1
    words = fold_label(arrow.segments) if many else label(arrow.segments[0])
    return f"{words}, lost" if arrow.lost else words


def lane_name(lane: Lane) -> str:
    """Return what stands above a lifeline: `M tcp_server`, with its number where that is needed."""
    number = "" if lane.pid is None else f"pid {lane.pid}"
    if lane.tid is not None and lane.tid != lane.pid:
        number = f"thread {lane.tid}"
    program = plain(lane.program)
    told = (program, number if lane.numbered or not program else "")
    return " ".join(filter(None, (lane.name, *told)))


def host_lines(column: Column) -> tuple[str, ...]:
    """Return the name of a host, and what is to be said of it below: its addresses, its kind."""
    shown = [plain(address) for address in column.addresses[:2]]
    more = len(column.addresses) - len(shown)
    below = ", ".join(shown) + (f" and {more} more" if more else "")
    if column.kind != "host":
        kind = "outside of the lab" if column.kind == "outside" else column.kind
        below = f"{kind} {below}".strip()
    return tuple(filter(None, (plain(column.host), below)))


def connection_line(connection: Connection) -> str:
    """Return a connection in one line: who opened it to whom, and how that ended."""
    ends = f"{_end(connection.client)} → {_end(connection.server)}"
    how = f", {connection.outcome}" if connection.protocol != "udp" else ""
    return f"{connection.protocol.upper()} {connection.id}: {ends}{plain(how)}"


def _end(side: Side) -> str:
    parts = (plain(str(part)) for part in (side.host, side.endpoint) if part)
    return " ".join(parts) or "unknown"
