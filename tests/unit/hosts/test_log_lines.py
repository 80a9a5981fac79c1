"""How lines are made of what the engine sends of a host's log."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.engine.logs import Line, moment, parse, regrouped
from labctl.errors import UsageError

T1, T2, T3 = (f"2026-11-23T15:47:36.30689483{n}Z" for n in "123")


def frame(stamp: str, text: bytes) -> bytes:
    return stamp.encode() + b" " + text


def test_a_frame_is_a_line() -> None:
    frames = [frame(T1, b"one\n"), frame(T2, b"\n"), frame(T3, b" two words \r\n")]
    assert list(parse("h", frames)) == [
        Line("h", T1, "one"),
        Line("h", T2, ""),
        Line("h", T3, " two words "),
    ]


def test_a_long_line_comes_in_parts_and_has_the_time_of_the_first() -> None:
    frames = [frame(T1, b"x" * 16384), frame(T2, b"y" * 10 + b"\n"), frame(T3, b"end")]
    assert list(parse("h", frames)) == [
        Line("h", T1, "x" * 16384 + "y" * 10),
        Line("h", T3, "end"),
    ]


def test_what_is_not_utf_8_is_replaced() -> None:
    (line,) = parse("h", [frame(T1, b"a\xffb \xe2\x82\n")])
    assert line.text == "a\ufffdb \ufffd"


@given(st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b)), st.integers(1, 50))
def test_a_stream_is_cut_into_lines_however_it_comes(texts: list[bytes], size: int) -> None:
    frames = [frame(T1, text + b"\n") for text in texts]
    whole = b"".join(frames)
    chunks = [whole[i : i + size] for i in range(0, len(whole), size)]
    assert list(regrouped(chunks)) == frames
    assert list(regrouped([whole + b"rest"])) == [*frames, b"rest"]


def test_moments() -> None:
    now = time.time()
    assert moment("90s") == pytest.approx(now - 90, abs=5)
    assert moment("1.5h") == pytest.approx(now - 5400, abs=5)
    assert moment("2d") == pytest.approx(now - 172800, abs=5)
    assert moment("2026-01-31T12:00:00Z") == 1769860800
    assert moment("2026-01-31T13:00:00+01:00") == 1769860800


@pytest.mark.parametrize("told", ["", "yesterday", "10", "-5m", "m", "9999999999999999d", "1969"])
def test_other_words_are_no_moments(told: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        moment(told)
