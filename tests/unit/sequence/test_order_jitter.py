"""No moment comes before any of its causes, however wrong clocks are within their limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.arguments import number
from labctl.sequence.events import Call, ProcessEvent, Segment
from labctl.sequence.moments import Order
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.oracle import Stamp, connections, pairs

MOST = 1_000_000
"""By how many nanoseconds a stamp is too late at most."""


@dataclass
class Clocks:
    """Stamps that are late by chance; of one thread, and of one capture, never out of order."""

    chance: Random
    most: int

    def __post_init__(self) -> None:
        self._last: dict[object, int] = defaultdict(int)

    def stamp(self, who: object, time: int) -> int:
        self._last[who] = max(self._last[who], time + self.chance.randint(0, self.most))
        return self._last[who]


def stamps(made: Recording) -> Iterator[tuple[Stamp, int, object]]:
    """Yield each stamp, its time, and whose clock it is of: a thread's, or a host's capture's."""
    for n, call in enumerate(made.calls):
        yield Stamp("call", n, "call"), call.start, call.tid
        yield Stamp("call", n, "return"), call.end or 0, call.tid
    for n, segment in enumerate(made.segments):
        for part, seen in (("sent", segment.sent), ("received", segment.received)):
            if seen is not None:
                yield Stamp("segment", n, part), seen.time, seen.host
    for n, event in enumerate(made.processes):
        yield Stamp("process", n, "at"), event.time, event.tid


def jittered(made: Recording, clocks: Clocks) -> Recording:
    """Return the same recording with other stamps, every event in its old place."""
    ordered = sorted(stamps(made), key=lambda told: told[1])
    new: dict[tuple[str, int, str], int] = {
        stamp: clocks.stamp(who, time) for stamp, time, who in ordered
    }
    calls = [
        replace(c, start=new["call", n, "call"], end=new["call", n, "return"])
        for n, c in enumerate(made.calls)
    ]
    segments = [
        replace(
            s,
            sent=s.sent and s.sent._replace(time=new["segment", n, "sent"]),
            received=s.received and s.received._replace(time=new["segment", n, "received"]),
        )
        for n, s in enumerate(made.segments)
    ]
    processes = [replace(p, time=new["process", n, "at"]) for n, p in enumerate(made.processes)]
    return replace(made, calls=tuple(calls), segments=tuple(segments), processes=tuple(processes))


def in_time(made: Recording) -> Recording:
    """Return a recording with its events in the order of their stamps, as all have them."""
    return replace(
        made,
        calls=tuple(sorted(made.calls, key=lambda c: c.start)),
        segments=tuple(sorted(made.segments, key=lambda s: s.time)),
        processes=tuple(sorted(made.processes, key=lambda p: p.time)),
    )


def marked(made: Recording) -> Recording:
    """Return a recording whose events tell their number, to know them in any order."""
    numbers = count()
    calls = tuple(replace(c, args={**c.args, "number": next(numbers)}) for c in made.calls)
    segments = tuple(replace(s, frames=(n,)) for n, s in enumerate(made.segments))
    processes = tuple(replace(p, program=str(n)) for n, p in enumerate(made.processes))
    return replace(made, calls=calls, segments=segments, processes=processes)


def places(timeline: Timeline) -> dict[Stamp, int]:
    """Return where the moment of each stamp is."""
    found = {}
    for place, moment in enumerate(timeline.moments):
        event = moment.event
        if isinstance(event, Call):
            found[Stamp("call", number(event, "number") or 0, moment.kind)] = place
        elif isinstance(event, Segment):
            found[Stamp("segment", event.frames[0], moment.kind)] = place
        elif isinstance(event, ProcessEvent):
            found[Stamp("process", int(event.program or ""), moment.kind)] = place
    return found


def inversions(made: Recording, seed: int, most: int) -> tuple[int, Timeline]:
    """Return how many causes are inverted when the clocks are so wrong."""
    timeline = Timeline.of(in_time(jittered(marked(made), Clocks(Random(seed), most))))
    at = places(timeline)
    return sum(at[one] >= at[other] for one, other in pairs(made)), timeline


@pytest.fixture(scope="module")
def few() -> Recording:
    return connections(12)


def test_the_oracle_has_what_true_clocks_say(few: Recording) -> None:
    timeline = Timeline.of(marked(few))
    at = places(timeline)
    told = [*pairs(few)]
    assert len(told) > 12 * 60
    for one, other in told:
        first, second = timeline.moments[at[one]], timeline.moments[at[other]]
        assert first.time < second.time
        assert timeline.order(first, second) is Order.BEFORE


def test_stamps_alone_would_invert_many(few: Recording) -> None:
    wrong = in_time(jittered(marked(few), Clocks(Random(1), MOST)))
    times: dict[Stamp, int] = {}
    for moment in Timeline.of(wrong).moments:
        event = moment.event
        if isinstance(event, Segment):
            times[Stamp("segment", event.frames[0], moment.kind)] = moment.time
    told = [(a, b) for a, b in pairs(few) if a in times and b in times]
    assert sum(times[a] > times[b] for a, b in told) > 12


@given(st.integers(0, 1 << 32), st.integers(0, MOST))
def test_no_cause_is_inverted(few: Recording, seed: int, most: int) -> None:
    inverted, timeline = inversions(few, seed, most)
    assert inverted == 0
    assert len(timeline.connections) == 12
    assert timeline.doubted == 0


def test_no_cause_is_inverted_in_1000_connections() -> None:
    made = connections(1000)
    inverted, timeline = inversions(made, 4, MOST)
    assert inverted == 0
    assert len(timeline.connections) == 1000
    moving = 2 * len(made.calls) + 2 * len(made.segments) + len(made.processes)
    assert len({id(moment) for moment in timeline.moments}) == len(timeline.moments) == moving
