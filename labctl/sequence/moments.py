"""The moments of a recording: when calls were entered and returned, packets sent and received."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from labctl.sequence.events import Call, ProcessEvent, Segment, StateChange
from labctl.sequence.recording import Recording

Kind = Literal["call", "return", "sent", "received", "at"]

NEAR = 2_000_000
"""Nanoseconds within which clocks do not decide: so late may a tracer stamp what it sees."""


class Order(Enum):
    """How one moment lies to another."""

    BEFORE = "before"
    AFTER = "after"
    UNORDERED = "unordered"
    """Neither causes the other, and they are too near for the clock to decide."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """`call` and `return` of a Call, `sent` and `received` of a Segment, `at` of what has no
    length: a StateChange, a ProcessEvent. `time` is in nanoseconds since the Unix epoch."""

    time: int
    kind: Kind
    event: Call | Segment | StateChange | ProcessEvent


def moments_of(recording: Recording, calls: Sequence[Call]) -> list[Moment]:
    """Return all moments, in the order of time; `calls` stand for the recording's."""
    found = [*_moments(recording, calls)]
    found.sort(key=lambda moment: moment.time)
    return found


def _moments(recording: Recording, calls: Sequence[Call]) -> Iterator[Moment]:
    for call in calls:
        yield Moment(call.start, "call", call)
        if call.end is not None:
            yield Moment(call.end, "return", call)
    for segment in recording.segments:
        if segment.sent is not None:
            yield Moment(segment.sent.time, "sent", segment)
        if segment.received is not None:
            yield Moment(segment.received.time, "received", segment)
    for change in recording.states:
        yield Moment(change.time, "at", change)
    for event in recording.processes:
        yield Moment(event.time, "at", event)
