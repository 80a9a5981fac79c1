"""Recordings with gaps, as a tracer or a capture that misses something leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.diagnose import diagnose
from labctl.sequence.events import Notice
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.diagnose.found import pair, rules
from tests.unit.sequence.diagnose.test_bind_failed import failed_bind
from tests.unit.sequence.diagnose.test_deadlock import both_wait
from tests.unit.sequence.diagnose.test_endings import unread
from tests.unit.sequence.diagnose.test_in_use import first_run, second_run
from tests.unit.sequence.diagnose.test_leaks import forking
from tests.unit.sequence.diagnose.test_partial import took_one_piece
from tests.unit.sequence.diagnose.test_queue import dropped, queued
from tests.unit.sequence.diagnose.test_refused import refuse
from tests.unit.sequence.diagnose.test_unreached import attempt
from tests.unit.sequence.exchanges import datagrams, exchange, listening

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


def told_with(recording: Recording, notice: Notice) -> set[str]:
    return rules(replace(recording, notices=(notice,)))


def refused() -> Recording:
    story, client, _ = pair()
    refuse(client)
    return story.recording()


def full() -> Recording:
    story, _, server = pair()
    listening(server, backlog=1)
    for number in range(2):
        queued(server, number)
    dropped(story, 50000)
    return story.recording()


@pytest.mark.parametrize(
    ("recording", "rule", "hosts"),
    [
        (both_wait()[0].recording(), "deadlock", ["client", "server", ""]),
        (unread()[0].recording(), "rst-unread", ["client", ""]),
        (forking(closes=False).recording(), "descriptor-leak", ["server", ""]),
        (forking(waits=False).recording(), "zombie", ["server", ""]),
        (took_one_piece()[0].recording(), "short-read", ["client", ""]),
        (in_use(), "time-wait", ["server", ""]),
        (refused(), "refused-nobody", ["server", ""]),
        (full(), "backlog-overflow", ["server", ""]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_calls_are_missing_nobody_is_said_not_to_have_called(
    recording: Recording, rule: str, hosts: list[str]
) -> None:
    assert rule in told_with(recording, Notice("", "nothing is missing"))
    assert rule in told_with(recording, Notice("", "packets", missing=("packets",)))
    assert rule in told_with(recording, Notice("elsewhere", "calls", missing=("calls",)))
    for host in hosts:
        assert rule not in told_with(recording, Notice(host, "calls", missing=("calls",)))


def test_a_leak_on_the_server_is_one_though_calls_of_the_client_are_missing() -> None:
    notice = Notice("client", "calls", missing=("calls",))
    assert "descriptor-leak" in told_with(forking(closes=False).recording(), notice)


def test_where_packets_are_missing_none_is_said_not_to_have_come() -> None:
    story, client, _ = pair()
    attempt(client, "ETIMEDOUT")
    assert "no-answer" in told_with(story.recording(), Notice("", "no matter"))
    for host in ("", "server"):
        notice = Notice(host, "packets", missing=("packets",))
        assert "no-answer" not in told_with(story.recording(), notice)


def test_what_was_seen_is_told_whatever_else_was_not() -> None:
    notice = Notice("", "calls and packets", missing=("calls", "packets"))
    story = failed_bind("EADDRNOTAVAIL", "192.0.2.1:80")
    assert "address-not-local" in told_with(story.recording(), notice)
