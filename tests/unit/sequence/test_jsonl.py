"""A recording as lines of JSON and back; files that are none get an error with file and line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import UsageError
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
from labctl.sequence.jsonl import dump, load
from labctl.sequence.recording import ObservedHost, Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.exchanges import datagrams, exchange

HEAD = '{"event": "recording", "version": 1, "title": "t", "tracer": "strace"}'

# Bytes that are no UTF-8 are low surrogates in Python (PEP 383); no others come up.
texts = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.integers(0xDC80, 0xDCFF).map(chr),
    ),
    max_size=6,
)
numbers = st.one_of(st.integers(), st.just(10**4000), st.just(-(2**63)))
times = st.integers(0, 10**30)
endpoints = st.builds(
    Endpoint, st.sampled_from(["10.0.0.1", "0.0.0.0", "::", "fe80::1"]), st.integers(0, 65535)
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
args = st.dictionaries(texts, values, max_size=3)
sightings = st.builds(Sighting, texts, texts, times)


def maybe(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), inner)


def several(inner: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=most).map(tuple)


def in_time(inner: st.SearchStrategy[Any], key: str) -> st.SearchStrategy[Any]:
    ordered = st.lists(inner, max_size=3)
    return ordered.map(lambda found: tuple(sorted(found, key=lambda e: getattr(e, key))))


calls = st.builds(
    Call,
    *(texts, numbers, numbers, texts, times, maybe(times), maybe(numbers), maybe(texts)),
    *(maybe(numbers), args, maybe(numbers), st.booleans()),
)
segments = st.builds(
    Segment,
    *(texts, endpoints, endpoints, sightings, maybe(sightings), several(sightings)),
    *(several(texts), maybe(numbers), maybe(numbers), numbers, maybe(numbers), args),
    *(st.booleans(), numbers, texts, texts, several(numbers)),
)
received = st.builds(
    Segment, st.just("udp"), endpoints, endpoints, st.none(), sightings, length=numbers
)
recordings = st.builds(
    Recording,
    texts,
    texts,
    several(
        st.builds(
            ObservedHost,
            *(texts, st.dictionaries(texts, texts, max_size=3)),
            *(st.dictionaries(st.integers(0, 1 << 40), texts, max_size=3),),
            *(st.booleans(), st.booleans()),
        )
    ),
    in_time(calls, "start"),
    in_time(st.one_of(segments, received), "time"),
    in_time(st.builds(StateChange, texts, times, endpoints, endpoints, texts, texts), "time"),
    in_time(
        st.builds(
            ProcessEvent,
            *(texts, numbers, numbers, texts, times),
            *(maybe(numbers), maybe(texts), maybe(numbers), maybe(texts)),
        ),
        "time",
    ),
    several(
        st.builds(
            OpenSocket,
            *(texts, numbers, numbers, numbers, texts, texts, texts),
            *(maybe(endpoints), maybe(endpoints)),
        )
    ),
    several(st.builds(Notice, texts, texts, maybe(times))),
)


@given(recordings)
def test_what_is_written_is_read_again(made: Recording) -> None:
    lines = [*dump(made)]
    assert all("\n" not in line and line.isascii() for line in lines)
    assert load(lines, "x.jsonl") == made


@pytest.mark.parametrize("made", [exchange(3), datagrams(3)], ids=["tcp", "udp"])
def test_a_timeline_is_the_same_from_its_file(made: Recording) -> None:
    timeline = Timeline.of(made)
    lines = [*dump(timeline.recording, timeline.sockets, timeline.connections)]
    again = Timeline.of(load(lines, "x.jsonl"))
    assert (again.connections, again.sockets) == (timeline.connections, timeline.sockets)
    assert [(m.time, m.kind) for m in again.moments] == [(m.time, m.kind) for m in timeline.moments]


def test_the_lines_are_for_others_to_read_too() -> None:
    timeline = Timeline.of(exchange())
    lines = [*dump(timeline.recording, timeline.sockets, timeline.connections)]
    told = [json.loads(line) for line in lines]
    assert [line["event"] for line in told[:3]] == ["recording", "host", "host"]
    starts = [line.get("start") for line in told if line["event"] == "call"]
    assert starts == sorted(starts)
    (connection,) = [line for line in told if line["event"] == "connection"]
    assert connection["outcome"] == "established"
    assert connection["bytes"] == {"client": 10, "server": 100}
    assert connection["client"]["endpoint"] == "10.0.0.1:40000"
    assert sum(line["event"] == "socket" for line in told) == 3


def test_empty_lines_are_passed_over() -> None:
    assert load([HEAD, "", "  \n"], "x.jsonl") == Recording("t", "strace", ())


CALL = {
    "event": "call",
    "host": "server",
    "pid": 1,
    "tid": 1,
    "name": "socket",
    "start": 5,
    "end": None,
    "result": None,
}
PACKET = {"event": "segment", "protocol": "udp", "source": "1.1.1.1:1", "target": "1.1.1.1:2"}


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        ([], "x.jsonl", "is empty"),
        (["", "\n"], "x.jsonl", "is empty"),
        (["{"], "x.jsonl:1", "not JSON"),
        (["5"], "x.jsonl:1", "not a JSON object"),
        ([HEAD, "[]"], "x.jsonl:2", "not a JSON object"),
        (["{}"], "x.jsonl:1", "does not begin with"),
        ([json.dumps(CALL)], "x.jsonl:1", "does not begin with"),
        ([HEAD.replace("1", "2")], "x.jsonl:1", "version 2 is not 1"),
        ([HEAD.replace('"title"', '"titel"')], "x.jsonl:1", "has a `title`"),
        ([HEAD, '{"event": "cal"}'], "x.jsonl:2", 'no event "cal"'),
        ([HEAD, '{"event": ["call"]}'], "x.jsonl:2", 'no event ["call"]'),
        ([HEAD, "{}"], "x.jsonl:2", "no event null"),
        ([HEAD, "", json.dumps({**CALL, "pid": "1"})], "x.jsonl:3", "`pid` is not what it should"),
        ([HEAD, json.dumps({**CALL, "pid": True})], "x.jsonl:2", "`pid`"),
        ([HEAD, json.dumps({**CALL, "pid": 1.5})], "x.jsonl:2", "whole here, not 1.5"),
        ([HEAD, json.dumps({**CALL, "pid": float("nan")})], "x.jsonl:2", "not NaN"),
        ([HEAD, json.dumps({**CALL, "args": [1]})], "x.jsonl:2", "`args`"),
        ([HEAD, json.dumps({**CALL, "colour": 1})], "x.jsonl:2", 'no field "colour"'),
        ([HEAD, json.dumps({**CALL, "a\nb": 1})], "x.jsonl:2", r'no field "a\nb"'),
        ([HEAD, '{"event": "call", "host": "a"}'], "x.jsonl:2", "`pid` is missing"),
        ([HEAD, json.dumps({**PACKET, "sent": None, "received": None})], "x.jsonl:2", "`sent` or"),
        ([HEAD, json.dumps({**PACKET, "sent": {"host": "a"}})], "x.jsonl:2", "`sent`"),
        ([HEAD, json.dumps({**PACKET, "source": "1.1.1.1"})], "x.jsonl:2", "`source`"),
        (
            [HEAD, '{"event": "host", "name": "a", "addresses": {"net": 5}}'],
            "x.jsonl:2",
            "`addresses`",
        ),
        (
            [HEAD, '{"event": "host", "name": "a", "addresses": {}, "programs": {"x": "sh"}}'],
            "x.jsonl:2",
            "`programs`",
        ),
        (
            [HEAD, f'{{"event": "host", "name": "a", "addresses": {{"{"x" * 999}": 5}}}}'],
            "x.jsonl:2",
            "`addresses`",
        ),
    ],
)
def test_wrong_files_get_an_error_with_file_and_line(
    lines: list[str], where: str, what: str
) -> None:
    with pytest.raises(UsageError) as raised:
        load(lines, "x.jsonl")
    assert raised.value.message.startswith(where)
    assert what in raised.value.message
    assert "\n" not in raised.value.message
    assert len(raised.value.message) < 200
    assert "labctl trace" in raised.value.hint


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"event": ' * 100_000, '{"pid": ' + "9" * 10_000 + "}", "\ufeff{}"]
)
def test_what_json_itself_cannot_bear_is_an_error_too(line: str) -> None:
    with pytest.raises(UsageError, match="not JSON"):
        load([HEAD, line], "x.jsonl")


def read(lines: list[str]) -> None:
    """Load and use what is loaded; only UsageError may come of it."""
    try:
        made = load(lines, "x.jsonl")
    except UsageError:
        return
    assert load([*dump(made)], "x.jsonl") == made


@given(st.lists(st.text(max_size=40), max_size=4))
def test_arbitrary_lines_raise_nothing_else(lines: list[str]) -> None:
    read(lines)
    read([HEAD, *lines])


@given(st.data())
def test_lines_with_one_thing_wrong_raise_nothing_else(data: st.DataObject) -> None:
    lines = [*dump(exchange())]
    number = data.draw(st.integers(0, len(lines) - 1))
    told = json.loads(lines[number])
    name = data.draw(st.sampled_from([*told]))
    told[name] = data.draw(st.one_of(values, st.floats(), st.lists(st.floats(), max_size=2)))
    lines[number] = json.dumps(told)
    read(lines)


@given(st.data())
def test_lines_cut_anywhere_raise_nothing_else(data: st.DataObject) -> None:
    lines = [*dump(exchange())]
    number = data.draw(st.integers(0, len(lines) - 1))
    lines[number] = lines[number][: data.draw(st.integers(0, len(lines[number])))]
    read(lines)
