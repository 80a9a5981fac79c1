"""Recorded lines made wrong: cut, with bits flipped, out of order, and lines of anything."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from labctl.sequence.events import Call


def flipped(whole: bytes, places: Sequence[tuple[int, int]]) -> bytes:
    """Return the bytes with some changed: at each place (counted round and round) XORed."""
    changed = bytearray(whole)
    for place, mask in places:
        changed[place % len(changed)] ^= mask
    return bytes(changed)


flips = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=60)
"""Places and masks for `flipped`."""


def pieces(lines: Sequence[bytes], length: int) -> st.SearchStrategy[list[bytes]]:
    """Return a strategy of so many recorded lines in a row."""
    starts = st.integers(0, len(lines) - length)
    return starts.map(lambda start: list(lines[start : start + length]))


def spliced(lines: Sequence[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Return a strategy of lists of recorded lines, pieces of them, and bytes of any kind."""
    cut = st.builds(
        lambda line, start, end: line[start : len(line) - end],
        st.sampled_from(lines),
        st.integers(0, 60),
        st.integers(0, 60),
    )
    return st.lists(st.one_of(st.sampled_from(lines), cut, st.binary(max_size=80)), max_size=50)


def sound(calls: Sequence[Call]) -> None:
    """Check what holds of the calls of any input."""
    starts = [call.start for call in calls]
    assert starts == sorted(starts)
    for call in calls:
        assert call.end is None or call.end >= call.start
        assert (call.end is None) == (call.result is None)
        assert call.errno is None or call.result == -1
