"""The arguments of calls, as strace writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.observe.strace.plain import Asked, flags, milliseconds, numbers, plain, whole, word
from labctl.observe.strace.values import (
    DEPTH,
    Applied,
    Changed,
    Raw,
    Unreadable,
    Words,
    arguments,
    unescape,
)


def one(text: str) -> Raw:
    (value,), _ = arguments(text)
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1", -1),
        ("0x1f", 31),
        ("0644", 0o644),
        ("0", 0),
        ("AF_INET", "AF_INET"),
        ("SOCK_STREAM|SOCK_CLOEXEC", "SOCK_STREAM|SOCK_CLOEXEC"),
        ("~0U", "~0U"),
        ('"ab"', b"ab"),
        ('"ab"...', b"ab"),
        (r'"\"\\\n\0\377\x41"', b'"\\\n\x00\xffA'),
        ("[]", []),
        ("[3, 4]", [3, 4]),
        ("[3 4]", [Words([3, 4])]),
        ("[128 => 16]", [Changed(128, 16)]),
        ("htons(80)", Applied("htons", [80])),
        ("{a=1, b=[2]}", {"a": 1, "b": [2]}),
        ("{1, f(x)}", {"0": 1, "f": Applied("f", ["x"])}),
        ("{a=1, ...}", {"a": 1}),
        ("3 /* a comment, with = */", 3),
        ("{a={b={c=1}}}", {"a": {"b": {"c": 1}}}),
    ],
)
def test_values(text: str, value: Raw) -> None:
    assert one(text) == value


def test_arguments_have_places_and_some_have_names() -> None:
    values, names = arguments('child_stack=NULL, flags=CLONE_VM|SIGCHLD, "x"')
    assert values == ["NULL", "CLONE_VM|SIGCHLD", b"x"]
    assert names == {"child_stack": "NULL", "flags": "CLONE_VM|SIGCHLD"}


@pytest.mark.parametrize(
    "text", ['"no end', "[1, 2", "{a=1", "f(1", "]", "a=", "1)", "[" * 5000, "{a=" * 100]
)
def test_what_strace_does_not_write_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        arguments(text)


def test_values_may_be_nested_as_deep_as_strace_does_and_more() -> None:
    arguments("[" * (DEPTH - 2) + "]" * (DEPTH - 2))


@given(st.binary(max_size=70))
def test_the_escapes_of_strace_are_undone(data: bytes) -> None:
    assert unescape(_escaped(data)) == data
    assert one(f'"{_escaped(data)}"') == data


_NAMED = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def _escaped(data: bytes) -> str:
    """Escape as strace's string_quote: octal, as short as the next byte allows."""
    text = ""
    for place, byte in enumerate(data):
        following = data[place + 1 : place + 2]
        if byte in _NAMED:
            text += _NAMED[byte]
        elif 32 <= byte < 127:
            text += chr(byte)
        else:
            text += f"\\{byte:03o}" if following.isdigit() else f"\\{byte:o}"
    return text


def test_from_values_to_json() -> None:
    assert plain(one("{a=htons(1), b=[NULL, x], c=1 => 2}")) == {"a": 1, "b": [None, "x"], "c": 2}
    assert plain(one('"\\377"')) == "\\xff"
    assert plain(one("makedev(1, 2)")) == "makedev(1, 2)"
    assert flags("A|B|0x10") == ["A", "B", "0x10"]
    assert flags(0) == flags("NULL") == []
    assert flags(16) == ["0x10"]
    assert word(5) == "0x5"
    assert word("...") is None
    assert numbers(one("[3 4]")) == numbers(one("[3, 4]")) == [3, 4]
    assert whole(one("[1]"))
    assert not whole(one("[1, ...]"))
    assert Asked([1], {}, "").at(7) == "..."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NULL", -1),
        ("{tv_sec=1, tv_nsec=1}", 1001),
        ("{tv_sec=0, tv_usec=500}", 1),
        ("{tv_sec=2, tv_usec=0}", 2000),
        ("{tv_sec=1, tv_usec=0} => {tv_sec=0, tv_usec=5}", 1000),
        ("{tv_sec=x}", None),
        ("7", None),
    ],
)
def test_times_are_rounded_up_to_milliseconds(text: str, expected: int | None) -> None:
    assert milliseconds(one(text)) == expected
