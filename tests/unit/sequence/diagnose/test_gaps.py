"""Recordings with gaps, as a tracer or a capture that misses something leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.diagnose import diagnose
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.diagnose.test_deadlock import both_wait
from tests.unit.sequence.diagnose.test_endings import unread
from tests.unit.sequence.diagnose.test_in_use import first_run, second_run
from tests.unit.sequence.diagnose.test_leaks import forking
from tests.unit.sequence.exchanges import datagrams, exchange

Event = TypeVar("Event")


def in_use() -> Recording:
    story = first_run()
    second_run(story)
    return story.recording()


WHOLE = [
    exchange(3, subordinates=True),
    exchange(3, threads=True, told=False),
    datagrams(3),
    both_wait()[0].recording(),
    unread()[0].recording(),
    forking(closes=False, waits=False).recording(),
    in_use(),
]


def kept(events: Sequence[Event], data: st.DataObject, least: float) -> tuple[Event, ...]:
    """Return some of the events: of each it is drawn whether it was seen."""
    seen = data.draw(st.lists(st.floats(0, 1), min_size=len(events), max_size=len(events)))
    return tuple(event for event, luck in zip(events, seen, strict=True) if luck >= least)


@given(data=st.data(), which=st.sampled_from(WHOLE), least=st.floats(0, 0.6))
def test_whatever_is_missing_the_rest_is_diagnosed(
    data: st.DataObject, which: Recording, least: float
) -> None:
    recording = replace(
        which,
        calls=kept(which.calls, data, least),
        segments=kept(which.segments, data, least),
        processes=kept(which.processes, data, least),
    )
    for diagnosis in diagnose(Timeline.of(recording)):
        assert diagnosis.sentence.endswith(".")
        assert diagnosis.advice.endswith(".")
        assert diagnosis.host in (None, *(host.name for host in recording.hosts))
        assert diagnosis.events
