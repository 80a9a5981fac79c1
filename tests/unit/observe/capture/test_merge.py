"""The merged file, read back; what tshark(1) reads of it: tests/engine/test_wireshark.py."""

from __future__ import annotations

import pytest

from labctl.observe import capture
from labctl.observe.capture.frames import frames

from .made import Wire, udp
from .pcapng import NAMES, merged, read
from .recordings import captures, joined


@pytest.mark.parametrize("name", NAMES)
def test_every_packet_is_there_in_the_order_of_time(name: str) -> None:
    found = read(merged(name))
    wanted = list(frames(captures(name)))
    assert [(one.time, one.data, one.length) for one in found] == [f.record for f in wanted]
    assert [one.time for one in found] == sorted(one.time for one in found)


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_segments_are_the_numbers_of_the_file(name: str) -> None:
    found = read(merged(name))
    for segment in joined(name).segments:
        seen = {one for one in (segment.sent, *segment.via, segment.received) if one}
        times = {(found[n - 1].interface, found[n - 1].time) for n in segment.frames}
        assert {(f"{one.host}/{one.network}", one.time) for one in seen} <= times


def test_comments_name_the_host_the_network_and_the_way() -> None:
    comments = [one.comment for one in read(merged("lossy"))[:6]]
    assert comments == [
        "client, clients: sent, not seen to arrive",
        "r1, clients: received",
        "client, clients: sent",
        "r1, clients: received",
        "r1, servers: sent",
        "server, servers: received",
    ]


def test_a_file_without_packets() -> None:
    assert read(b"".join(capture.merge({}, {}))) == []


def test_lengths_that_are_no_multiples_of_four() -> None:
    wire = Wire()
    for size in range(8):
        wire.send(udp("10.0.0.1:1", "10.0.0.2:2", b"x" * size))
    found = read(b"".join(capture.merge(wire.captures(), wire.interfaces)))
    assert [one.length - 48 for one in found[::2]] == list(range(8))
    assert {one.interface for one in found} == {"client/lan", "server/lan"}
