"""Whatever bytes a file has, reading and joining it raises nothing but LabctlError."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import LabctlError
from labctl.observe import capture
from labctl.observe.capture import Capture, Record
from labctl.observe.capture.link import LINK_TYPES
from labctl.observe.capture.pcap import parse

from .made import START
from .recordings import FILES, INTERFACES, ROUTERS

LONGEST = 4000
"""How much of a recorded file is used, in bytes: the beginning has all kinds of packets."""


@cache
def content(number: int) -> bytes:
    return FILES[number].read_bytes()[:LONGEST]


def use(*files: Capture) -> None:
    """Do all that is done with captures, as if they were those of the hosts."""
    captures = dict(zip(INTERFACES, files, strict=False))
    try:
        joined = capture.segments(captures, INTERFACES, ROUTERS)
        size = sum(map(len, capture.merge(captures, INTERFACES, joined.segments)))
    except LabctlError:
        return
    assert size > 0
    for segment in joined.segments:
        assert segment.sent or segment.received
        assert segment.frames
        assert segment.length >= 0
        assert segment.joined >= 1


@given(st.binary(max_size=400))
def test_arbitrary_bytes(junk: bytes) -> None:
    use(parse(junk))


@given(st.lists(st.binary(max_size=120), max_size=6), st.sampled_from(sorted(LINK_TYPES)))
def test_arbitrary_packets(packets: list[bytes], link_type: int) -> None:
    use(Capture(link_type, 256, [Record(START, data, len(data)) for data in packets]))


@given(st.integers(0, len(FILES) - 1), st.integers(0, LONGEST))
def test_arbitrary_cuts(file: int, size: int) -> None:
    found = parse(content(file)[:size])
    assert found.records == parse(content(file)).records[: len(found.records)]
    use(found)


@given(
    st.integers(0, len(FILES) - 1),
    st.lists(st.tuples(st.integers(0, LONGEST - 1), st.integers(0, 7)), max_size=40),
)
def test_arbitrary_flips_of_bits(file: int, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(content(file))
    for at, bit in flips:
        damaged[at % len(damaged)] ^= 1 << bit
    use(parse(bytes(damaged)), parse(content((file + 1) % len(FILES))), parse(content(file)))
