"""Files of packets: those of other programs, and damaged ones."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.observe.capture import merge
from labctl.observe.capture.link import ETHERNET, Way
from labctl.observe.capture.pcapng_file import Damaged, frames
from tests.unit.observe.capture.made import Wire, udp
from tests.unit.observe.fuzzed import flipped, flips

PACKET = udp("10.0.0.1:40000", "10.0.0.2:161", b"hello")
FRAME = bytes(12) + b"\x08\x00" + PACKET


def block(order: str, kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size)


def others(order: str, resolution: bytes = b"") -> bytes:
    """Return a file as another program may write it: an Ethernet frame, in one block of each."""
    section = struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)
    interface = struct.pack(f"{order}HHI", ETHERNET, 0, 0)
    if resolution:
        interface += struct.pack(f"{order}HH", 9, 1) + resolution + bytes(3) + bytes(4)
    padded = FRAME + bytes(-len(FRAME) % 4)
    packet = struct.pack(f"{order}IIIII", 0, 0, 5_000_000, len(FRAME), len(FRAME)) + padded
    simple = struct.pack(f"{order}I", len(FRAME)) + padded
    return b"".join(
        block(order, kind, body)
        for kind, body in ((0x0A0D0D0A, section), (1, interface), (6, packet), (3, simple))
    )


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("resolution", "time"), [(b"", 5_000_000_000), (b"\x09", 5_000_000), (b"\x80", 5 * 10**15)]
)
def test_of_either_byte_order_and_any_resolution(order: str, resolution: bytes, time: int) -> None:
    first, second = frames(others(order, resolution))
    assert first.record.time == time
    assert first.record.data == second.record.data[: len(FRAME)] == FRAME
    assert first.link is not None
    assert (first.link.at, first.link.way) == (14, Way.UNKNOWN)


def test_each_packet_has_the_host_that_saw_it() -> None:
    wire = Wire()
    wire.send(PACKET)
    found = list(frames(b"".join(merge(wire.captures(), wire.interfaces))))
    assert [frame.host for frame in found] == ["client", "server"]


def test_a_cut_file_gives_what_is_whole() -> None:
    content = others("<")
    found = []
    with pytest.raises(Damaged, match="cut within a block"):
        for frame in frames(content[:-5]):
            found.append(frame)
    assert len(found) == 1


@given(flips, st.integers(0, 100))
def test_a_damaged_file_is_damaged_and_no_more(places: list[tuple[int, int]], cut: int) -> None:
    content = flipped(others("<", b"\x09"), places[:3])
    try:
        list(frames(content[: len(content) - cut]))
    except Damaged as error:
        assert str(error)
