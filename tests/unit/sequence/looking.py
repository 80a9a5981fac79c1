"""Finds calls, sockets and moments of a timeline, for tests."""

from __future__ import annotations

from labctl.sequence.connection import Socket
from labctl.sequence.events import Call, ProcessEvent, Segment, StateChange
from labctl.sequence.moments import Kind, Moment
from labctl.sequence.timeline import Timeline

Event = Call | Segment | StateChange | ProcessEvent


def calls(timeline: Timeline, name: str, host: str | None = None) -> list[Call]:
    """Return the calls of a name, on one host or on all."""
    return [c for c in timeline.calls if c.name == name and host in (None, c.host)]


def call(timeline: Timeline, name: str, host: str | None = None) -> Call:
    """Return the only call of a name."""
    (found,) = calls(timeline, name, host)
    return found


def socket_of(timeline: Timeline, one: Call) -> Socket:
    """Return the socket that a call was on."""
    (found,) = [socket for socket in timeline.sockets if socket.id == one.socket]
    return found


def moment(timeline: Timeline, event: Event, kind: Kind) -> Moment:
    """Return a moment of an event of the timeline, or of the recording it was made from."""
    for found in timeline.moments:
        if found.kind == kind and (found.event is event or found.event == event):
            return found
    raise AssertionError(f"no {kind} of {event}")


def order(timeline: Timeline, one: tuple[Event, Kind], other: tuple[Event, Kind]) -> str:
    """Return how one moment lies to another: `before`, `after`, `unordered`."""
    return timeline.order(moment(timeline, *one), moment(timeline, *other)).value
