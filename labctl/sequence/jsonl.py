"""A recording as JSON, one object a line, and back: docs/events.md has its names.

The first line tells what was played (`event` is `recording`), then come the hosts, then all
events in the order of time. `socket` and `connection` lines at the end are for those who read
the file: they follow from the events, and are made anew when it is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from labctl.errors import UsageError
from labctl.sequence.connection import Connection, Side, Socket
from labctl.sequence.events import (
    Call,
    Endpoint,
    Notice,
    OpenSocket,
    ProcessEvent,
    Segment,
    Sighting,
    StateChange,
)
from labctl.sequence.jsonread import Reader, shown
from labctl.sequence.recording import ObservedHost, Pair, Recording

VERSION = 1

KINDS: dict[str, type] = {
    "host": ObservedHost,
    "call": Call,
    "segment": Segment,
    "state": StateChange,
    "process": ProcessEvent,
    "open_socket": OpenSocket,
    "notice": Notice,
}
_KNOWN = frozenset(KINDS) | {"socket", "connection"}


def dump(
    recording: Recording,
    sockets: Sequence[Socket] = (),
    connections: Sequence[Connection] = (),
) -> Iterator[str]:
    """Yield the lines, without their ends."""
    head: dict[str, Any] = {
        "version": VERSION,
        "title": recording.title,
        "tracer": recording.tracer,
    }
    if recording.went_on:
        head["went_on"] = sorted(sorted(map(str, pair)) for pair in recording.went_on)
    yield _line("recording", head)
    for host in recording.hosts:
        yield _line("host", _plain(host))
    for opened in recording.open_sockets:
        yield _line("open_socket", _plain(opened))
    events: list[tuple[int, str, Any]] = [
        *((call.start, "call", call) for call in recording.calls),
        *((segment.time, "segment", segment) for segment in recording.segments),
        *((change.time, "state", change) for change in recording.states),
        *((event.time, "process", event) for event in recording.processes),
    ]
    events.sort(key=lambda event: event[0])
    for _, kind, event in events:
        yield _line(kind, _plain(event))
    for notice in recording.notices:
        yield _line("notice", _plain(notice))
    for socket in sockets:
        yield _line("socket", _plain(socket))
    for connection in connections:
        yield _line("connection", _told(connection))


def load(lines: Iterable[str], name: str) -> Recording:
    """Return the recording that lines tell of; `name` is the file's, for errors.

    Raises UsageError where a line is not one of a recording.
    """
    head: dict[str, Any] | None = None
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        reader = Reader(f"{name}:{number}")
        told = reader.object(line)
        kind = told.pop("event", None)
        if head is None:
            head = _head(reader, kind, told)
        elif not isinstance(kind, str) or kind not in _KNOWN:
            raise reader.wrong(f"there is no event {shown(kind)}")
        elif kind in KINDS:
            found[kind].append(_event(reader, kind, told))
    if head is None:
        raise UsageError(f"{name} is empty", "Name a .jsonl file that `labctl trace` has written.")
    return Recording(
        title=head["title"],
        tracer=head["tracer"],
        hosts=tuple(found["host"]),
        calls=tuple(sorted(found["call"], key=lambda call: call.start)),
        segments=tuple(sorted(found["segment"], key=lambda segment: segment.time)),
        states=tuple(sorted(found["state"], key=lambda change: change.time)),
        processes=tuple(sorted(found["process"], key=lambda event: event.time)),
        open_sockets=tuple(found["open_socket"]),
        notices=tuple(found["notice"]),
        went_on=head["went_on"],
    )


def _event(reader: Reader, kind: str, told: dict[str, Any]) -> Any:
    event = reader.build(KINDS[kind], told)
    if isinstance(event, Segment) and event.sent is None and event.received is None:
        raise reader.wrong("a segment is `sent` or `received` or both")
    return event


def _head(reader: Reader, kind: object, told: dict[str, Any]) -> dict[str, Any]:
    if kind != "recording":
        raise reader.wrong("the file does not begin with a line whose `event` is `recording`")
    if told.get("version") != VERSION:
        raise reader.wrong(
            f"version {shown(told.get('version'))} is not {VERSION}, the one known here"
        )
    if not all(isinstance(told.get(key), str) for key in ("title", "tracer")):
        raise reader.wrong("a recording has a `title` and a `tracer`")
    return {**told, "went_on": _pairs(reader, told.get("went_on", []))}


def _pairs(reader: Reader, told: object) -> frozenset[Pair]:
    try:
        if isinstance(told, list):
            return frozenset(frozenset(Endpoint.parse(end) for end in pair) for pair in told)
    except (ValueError, TypeError, AttributeError):
        pass
    raise reader.wrong("`went_on` is a list of pairs of endpoints")


def _line(kind: str, told: dict[str, Any]) -> str:
    return json.dumps({"event": kind, **told}, separators=(", ", ": "))


def _plain(event: Any) -> dict[str, Any]:
    """Return an event's fields as JSON has them; endpoints as texts, sightings as objects."""
    return {field.name: _value(getattr(event, field.name)) for field in fields(event)}


def _value(value: Any) -> Any:
    if isinstance(value, Endpoint):
        return str(value)
    if isinstance(value, Sighting):
        return value._asdict()
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return value


def _told(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "protocol": connection.protocol,
        "outcome": connection.outcome,
        "client": _side(connection.client),
        "server": _side(connection.server),
        "segments": len(connection.segments),
        "bytes": {
            "client": _bytes(connection, connection.client),
            "server": _bytes(connection, connection.server),
        },
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "host": side.host,
        "endpoint": _value(side.endpoint),
        "socket": side.socket.id if side.socket else None,
    }


def _bytes(connection: Connection, side: Side) -> int:
    """Return how many bytes of data an end sent, each counted once."""
    own = (s for s in connection.segments if s.source == side.endpoint and s.protocol != "icmp")
    return sum(segment.length for segment in own if not segment.retransmission)
