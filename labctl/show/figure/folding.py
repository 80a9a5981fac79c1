"""Folds repetitions: many calls of one kind into one, a stream of segments into one.

A repetition is looked for among the calls of one thread on one connection, and among the
segments of one connection; so it stays one whatever else is drawn beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from labctl.sequence.events import Call, Segment
from labctl.sequence.verbs import verb
from labctl.show.figure.callwords import BROKEN_OFF, outcome
from labctl.show.figure.pauses import SLOW, between, between_calls
from labctl.show.figure.segmentwords import closes_window, kind_of

ALIKE = 4
"""So many alike in a row become one."""

MIXED = 12
"""So many in a row become one where they alternate: recv, send, recv, send, ..."""

MILESTONES = 40
"""A connection with more milestones than these repeats itself in these too."""

Event = TypeVar("Event")
Run = tuple[Event, ...]
Test = Callable[[Event], bool]

_ONCE = frozenset({"socket", "bind", "listen", "accept", "connect", "shutdown", "close", "fork"})
"""Calls that are steps of a connection, so that they are drawn each on its own."""


def fold_calls(calls: Sequence[Call]) -> list[Run[Call]]:
    """Return the calls of one thread in their order, repetitions as one run."""
    bounded = sum(map(_is_step, calls)) <= MILESTONES
    runs = _fold(
        calls,
        lambda call: (call.name, outcome(call)),
        lambda call: bounded and _is_step(call),
        len,
    )
    return [part for run in runs for part in between_calls(run, MILESTONES)]


def _is_step(call: Call) -> bool:
    ended = outcome(call) == "end" or call.end is None or call.errno in BROKEN_OFF
    return ended or _is_blocked_send(call) or verb(call.name) in _ONCE


def _is_blocked_send(call: Call) -> bool:
    """Tell whether a send found no room in the kernel's buffer for long."""
    return verb(call.name) == "send" and call.end is not None and call.end - call.start > SLOW


def fold_segments(segments: Sequence[Segment], lost: Test[Segment]) -> list[Run[Segment]]:
    """Return the segments of one connection, repetitions as one run of one kind and direction.

    A stream of data takes the acknowledgments along that it meets: they become a run beside it.
    """
    steps = _steps(segments, lost)
    kinds = {id(segment): _kind(segment, lost) for segment in segments}
    streams = _streams(segments, kinds)

    def most_alike(run: Sequence[Segment]) -> int:
        return max(Counter(kinds[id(segment)] for segment in run).values())

    runs = _fold(segments, lambda s: streams[id(s)], lambda s: id(s) in steps, most_alike)
    return [part for run in runs for alike in _by_kind(run, kinds) for part in _unbroken(alike)]


def _steps(segments: Sequence[Segment], lost: Test[Segment]) -> set[int]:
    """Return the segments (as `id`s) that stand for themselves."""
    found = []
    for before, segment in zip([None, *segments], segments, strict=False):
        # The third segment of the handshake is an ACK like any other but for its place.
        third = before is not None and {"SYN", "ACK"} <= set(before.flags)
        unusual = segment.retransmission or lost(segment) or "FIN" in segment.flags
        unusual |= closes_window(segment)
        if third or unusual or kind_of(segment) in ("syn", "rst", "icmp"):
            found.append(id(segment))
    return set(found) if len(found) <= MILESTONES else set()


def _kind(segment: Segment, lost: Test[Segment]) -> Hashable:
    odd = segment.retransmission, lost(segment), closes_window(segment)
    return segment.source, kind_of(segment), odd


def _streams(segments: Sequence[Segment], kinds: Mapping[int, Hashable]) -> dict[int, Hashable]:
    """Return the kind of the stream that each segment (by `id`) is part of."""
    streams: dict[int, Hashable] = {}
    current: Hashable = None
    for segment in segments:
        if kind_of(segment) != "ack" or current is None:
            current = kinds[id(segment)]
        streams[id(segment)] = current
    return streams


def _by_kind(run: Run[Segment], kinds: Mapping[int, Hashable]) -> list[Run[Segment]]:
    """Return a run as one for each kind and direction."""
    parts: dict[Hashable, list[Segment]] = {}
    for segment in run:
        parts.setdefault(kinds[id(segment)], []).append(segment)
    return [tuple(part) for part in parts.values()]


def _unbroken(run: Run[Segment]) -> list[Run[Segment]]:
    """Return a run without its pauses: what is too short then is no repetition any more."""
    parts = between(run, MILESTONES)
    if len(parts) == 1:
        return [run]
    return [cut for part in parts for cut in ([part] if len(part) >= ALIKE else _single(part))]


def _single(run: Run[Segment]) -> list[Run[Segment]]:
    return [(segment,) for segment in run]


def _fold(
    events: Sequence[Event],
    kind: Callable[[Event], Hashable],
    alone: Test[Event],
    weigh: Callable[[Sequence[Event]], int],
) -> list[Run[Event]]:
    """Return runs of like events; of short ones that alternate for long, one run."""
    runs: list[Run[Event]] = []
    for single, some in groupby(events, alone):
        if single:
            runs += [(event,) for event in some]
        else:
            runs += _alternations([tuple(alike) for _, alike in groupby(some, kind)], weigh)
    return runs


def _alternations(
    runs: Iterable[Run[Event]], weigh: Callable[[Sequence[Event]], int]
) -> list[Run[Event]]:
    made: list[Run[Event]] = []
    for long, some in groupby(runs, lambda run: weigh(run) >= ALIKE):
        several = list(some)
        flat = tuple(event for run in several for event in run)
        if long:
            made += several
        elif len(flat) > MIXED:
            made.append(flat)
        else:
            made += [(event,) for event in flat]
    return made
