"""Names for moments, while causes are collected: one number of an event and a kind."""

from __future__ import annotations

from labctl.sequence.events import Call, ProcessEvent, Segment, StateChange
from labctl.sequence.moments import Kind, Moment

Key = int
Cause = tuple[Key, Key]
"""What came first, and what it led to."""

_KINDS: dict[Kind, int] = {"call": 0, "return": 1, "sent": 2, "received": 3, "at": 4}


def key_of(moment: Moment) -> Key:
    return id(moment.event) * 8 + _KINDS[moment.kind]


def entry(call: Call) -> Key:
    return id(call) * 8


def exit_of(call: Call) -> Key:
    return id(call) * 8 + 1


def sent(segment: Segment) -> Key:
    return id(segment) * 8 + 2


def received(segment: Segment) -> Key:
    return id(segment) * 8 + 3


def at(event: StateChange | ProcessEvent) -> Key:
    return id(event) * 8 + 4
