"""The words of elements: verbs, results, segments, and what is said of those unknown."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern.elements import read_calls, read_segments
from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.syntax import Atom
from labctl.sequence.pattern.words import CALLS, ICMP, SEGMENTS
from labctl.sequence.verbs import FAMILIES


@pytest.mark.parametrize("name", sorted({*FAMILIES, *CALLS}))
def test_every_verb_and_every_call_can_be_named(name: str) -> None:
    assert read_calls(name) == Atom(name)


@pytest.mark.parametrize("name", [*SEGMENTS, "datagram", "icmp", *ICMP])
def test_every_segment_can_be_named(name: str) -> None:
    assert read_segments(name) == Atom(name)
    assert read_segments(f"client>{name}") == Atom(name, None, "client")


@pytest.mark.parametrize(
    ("written", "result"),
    [
        ("recv=0", 0),
        ("connect=ok", "ok"),
        ("connect=error", "error"),
        ("recv=blocked", "blocked"),
        ("close=shared", "shared"),
        ("connect=ECONNREFUSED", "ECONNREFUSED"),
        ("recv=EAGAIN", "EAGAIN"),
        ("recv=EWOULDBLOCK", "EAGAIN"),  # the same number; tracers name it EAGAIN
        ("setsockopt=ENOTSUP", "EOPNOTSUPP"),
        ("listen=EOPNOTSUPP", "EOPNOTSUPP"),
    ],
)
def test_results(written: str, result: int | str) -> None:
    found = read_calls(written)
    assert isinstance(found, Atom)
    assert found.result == result


WRONG_CALLS = [
    ("acept", "unknown verb `acept`", "did you mean `accept`?"),
    ("Listen", "unknown verb `Listen`", "did you mean `listen`?"),
    ("xyz", "unknown verb `xyz`", "verbs: socket, bind, listen"),
    ("recv (sned|close)", "unknown verb `sned`", "did you mean `send`?"),
    ("SYN", "`SYN` is a segment, not a call", "segments stand under `wire`"),
    ("server>recv", "`server>recv`: only segments of `wire` have a sender", "the key"),
    ("connect=ECONREFUSED", "unknown result `ECONREFUSED` of `connect`", "`ECONNREFUSED`?"),
    ("connect=EZZZZZZ", "unknown result `EZZZZZZ` of `connect`", "errno(3)"),
    ("connect=eror", "unknown result `eror` of `connect`", "did you mean `error`?"),
    ("connect=qqq", "unknown result `qqq` of `connect`", "a number, an errno, or: ok"),
    ("recv=shared", "`recv=shared`: only a close can be `shared`", "remove it"),
]


@pytest.mark.parametrize(("written", "said", "hint"), WRONG_CALLS)
def test_calls_that_are_none(written: str, said: str, hint: str) -> None:
    with pytest.raises(PatternError) as caught:
        read_calls(written)
    assert caught.value.message == said
    assert hint in caught.value.hint


WRONG_SEGMENTS = [
    ("SYNACK", "unknown segment `SYNACK`", "did you mean `SYN-ACK`?"),
    ("syn", "unknown segment `syn`", "did you mean `SYN`?"),
    ("xyz", "unknown segment `xyz`", "segments: SYN, SYN-ACK"),
    ("accept", "`accept` is a call, not a segment", "under the name of their host"),
    ("data=7", "`data=7`: a segment has no result", "remove it"),
    ("Client>FIN", "`Client` is not a host's name", "client>FIN"),
]


@pytest.mark.parametrize(("written", "said", "hint"), WRONG_SEGMENTS)
def test_segments_that_are_none(written: str, said: str, hint: str) -> None:
    with pytest.raises(PatternError) as caught:
        read_segments(written)
    assert caught.value.message == said
    assert hint in caught.value.hint
