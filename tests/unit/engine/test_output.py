from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from labctl.engine.output import PidLine, Stream


def feed(stream: Stream, data: bytes, cuts: list[int]) -> None:
    places = sorted({min(c, len(data)) for c in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        stream.feed(data[start:end])


CUTS = st.lists(st.integers(0, 200), max_size=8)


@given(st.binary(max_size=200), CUTS, st.text("ab", min_size=1, max_size=4))
def test_a_text_is_found_however_it_arrives(data: bytes, cuts: list[int], wanted: str) -> None:
    stream = Stream([wanted], bound=16)
    feed(stream, data, cuts)
    assert stream.has(wanted) == (wanted.encode() in data)


@given(st.text("ab\n", max_size=60), CUTS, st.text("ab", min_size=1, max_size=4))
def test_texts_of_few_letters(data: str, cuts: list[int], wanted: str) -> None:
    stream = Stream([wanted, "b", "abba"], bound=8)
    feed(stream, data.encode(), cuts)
    for text in (wanted, "b", "abba"):
        assert stream.has(text) == (text in data)


def test_little_is_kept_whole() -> None:
    stream = Stream(bound=10)
    feed(stream, b"0123456789", [3, 5, 7])
    assert stream.text == "0123456789"


def test_of_much_the_ends_are_kept_and_the_gap_is_told() -> None:
    stream = Stream(bound=8)
    for _ in range(1000):
        stream.feed(b"0123456789")
    stream.feed(b"last")
    assert stream.text == "0123\n[9996 bytes are left out here]\nlast"


def test_memory_stays_bounded() -> None:
    stream = Stream(["never there"], bound=1000)
    for _ in range(200):
        stream.feed(b"x" * 100_000)
    assert len(stream.text) < 1100


def test_the_pid_line_comes_off_and_nothing_else() -> None:
    line = PidLine()
    assert [line.feed(c) for c in (b"4", b"2\nerr", b"or\n17\n")] == [b"", b"err", b"or\n17\n"]
    assert line.pid == 42


def test_without_a_pid_line_all_is_the_programs() -> None:
    line = PidLine()
    assert line.feed(b"OCI runtime exec failed\n") == b"OCI runtime exec failed\n"
    assert line.feed(b"5\n") == b"5\n"
    assert line.pid is None


@given(st.binary(max_size=40), st.lists(st.integers(0, 50), max_size=6))
def test_what_follows_the_pid_line_is_untouched(data: bytes, cuts: list[int]) -> None:
    whole = b"17\n" + data
    places = sorted({min(c, len(whole)) for c in cuts} | {0, len(whole)})
    line = PidLine()
    got = b"".join(line.feed(whole[a:b]) for a, b in itertools.pairwise(places))
    assert (line.pid, got) == (17, data)
