"""What several hosts saw of a packet is one segment, in all cases that recordings lack."""

from __future__ import annotations

import struct

import pytest

from labctl.observe import capture
from labctl.sequence.events import Segment

from .made import BROADCAST, FROM_US, LAN, LO, TO_US, WAN, Wire, ip, mss, tcp, timestamps, udp

C, S = "10.0.0.1:40000", "10.0.0.2:80"
MSS = 1448


def join(wire: Wire, *routers: str) -> tuple[Segment, ...]:
    joined = capture.segments(wire.captures(), wire.interfaces, routers)
    assert joined.notices == ()
    return joined.segments


def forwarded(wire: Wire, packet: bytes, out: list[bytes] | None = None) -> None:
    """Let a packet go over router r1; `out` is what the router makes of it."""
    wire.see("client", packet, FROM_US)
    wire.see("r1", packet, TO_US)
    for one in [packet] if out is None else out:
        wire.see("r1", one, FROM_US, WAN)


def data(seq: int, size: int, number: int, flags: str = ".", value: int = 5) -> bytes:
    return tcp(C, S, flags, seq, 1, bytes(size), number=number, options=timestamps(value))


def arrivals(segments: tuple[Segment, ...]) -> list[tuple[int | None, int, bool]]:
    return [(s.seq, s.length, s.received is not None) for s in segments]


@pytest.mark.parametrize(("c", "s"), [(C, S), ("[fd00::1]:9", "[fd00::2]:9")])
@pytest.mark.parametrize("came", [[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
def test_the_same_datagram_again_is_another(c: str, s: str, came: list[int]) -> None:
    wire = Wire()
    for arrived in came:
        wire.send(udp(c, s, b"again"), lost=not arrived)
    assert [int(segment.received is not None) for segment in join(wire)] == came


def test_the_same_datagram_several_times_under_way() -> None:
    wire = Wire()
    for host, kind in (("client", FROM_US), ("server", TO_US)):
        for _ in range(5):
            wire.see(host, udp(C, S, b"again"), kind)
    segments = join(wire)
    assert len(segments) == 5
    for segment in segments:
        assert segment.sent is not None
        assert segment.received is not None
        assert segment.received.time - segment.sent.time == 5000


def test_a_segment_sent_again_in_the_same_millisecond() -> None:
    wire = Wire()
    wire.send(data(1, 100, number=1), lost=True)
    wire.send(data(1, 100, number=2))
    first, second = join(wire)
    assert (first.received, first.retransmission) == (None, False)
    assert second.received is not None
    assert second.retransmission


def test_a_giant_split_by_a_router_that_loses_a_piece() -> None:
    wire = Wire()
    pieces = [data(1 + n * MSS, MSS, number=n, flags="P." if n == 4 else ".") for n in range(5)]
    forwarded(wire, data(1, 5 * MSS, number=0, flags="FP."), pieces)
    for number in (0, 1, 3, 4):
        wire.see("server", pieces[number], TO_US, WAN)
    segments = join(wire, "r1")
    assert arrivals(segments) == [
        (1, 2 * MSS, True),
        (1 + 2 * MSS, MSS, False),
        (1 + 3 * MSS, 2 * MSS, True),
    ]
    assert [s.joined for s in segments] == [2, 1, 2]
    assert ["FIN" in s.flags for s in segments] == [False, False, True]
    assert all([v.network for v in s.via] == ["lan", "wan"] for s in segments)
    assert not any(s.retransmission for s in segments)


def test_pieces_joined_where_they_arrive() -> None:
    wire = Wire()
    for number in range(4):
        wire.see("client", data(1 + number * MSS, MSS, number), FROM_US)
    wire.see("server", data(1, 4 * MSS, 0, flags="P."))
    segments = join(wire)
    assert arrivals(segments) == [(1 + n * MSS, MSS, True) for n in range(4)]
    assert len({s.received for s in segments}) == 1
    assert [s.joined for s in segments] == [1] * 4
    assert [s.frames for s in segments] == [(n, 5) for n in range(1, 5)]


def test_pieces_joined_in_another_way_than_they_were_sent() -> None:
    wire = Wire()
    wire.see("client", data(1, 3 * MSS, 0), FROM_US)
    wire.see("client", data(1 + 3 * MSS, 3 * MSS, 3), FROM_US)
    wire.see("server", data(1, 2 * MSS, 0))
    wire.see("server", data(1 + 2 * MSS, 4 * MSS, 2))
    segments = join(wire)
    assert arrivals(segments) == [(1, 3 * MSS, True), (1 + 3 * MSS, 3 * MSS, True)]
    assert [s.frames for s in segments] == [(1, 3, 4), (2, 4)]


def test_pieces_of_what_was_sent_again_belong_to_the_later() -> None:
    wire = Wire()
    wire.see("client", data(1, 2 * MSS, 0), FROM_US)
    wire.see("client", data(1, 2 * MSS, 7), FROM_US)
    wire.see("server", data(1, MSS, 7))
    wire.see("server", data(1 + MSS, MSS, 8))
    first, again = join(wire)
    assert first.received is None
    assert again.received is not None
    assert again.retransmission


def test_a_giant_over_sequence_numbers_that_wrap_around() -> None:
    wire = Wire()
    begin = 2**32 - 1000
    wire.send(tcp(C, S, "S", begin - 1, options=mss(1460, 7)))
    wire.see("client", data(begin, 3 * MSS, 1), FROM_US)
    for number in range(3):
        wire.see("server", data(begin + number * MSS, MSS, 1 + number))
    wire.send(data(begin + 3 * MSS, 10, 9))
    assert arrivals(join(wire)) == [(0, 0, True), (1, 3 * MSS, True), (1 + 3 * MSS, 10, True)]


def test_a_giant_that_nobody_saw_split_is_estimated() -> None:
    wire = Wire()
    wire.send(tcp(C, S, "S", 0, options=mss(1460)))
    wire.send(tcp(S, C, "S.", 0, 1, options=mss(1000)), "server", "client")
    wire.send(data(1, 65160, number=1))
    assert [s.joined for s in join(wire)] == [1, 1, 66]


def test_only_the_receiver_was_observed() -> None:
    wire = Wire()
    wire.see("server", data(100, 10, 1))
    wire.see("server", tcp(S, C, ".", 1, 110), FROM_US)
    first, second = join(wire)
    assert (first.sent, first.seq, first.ack) == (None, 1, 1)
    assert (second.received, second.seq, second.ack) == (None, 1, 11)


def test_numbers_begin_anew_with_a_new_connection() -> None:
    wire = Wire()
    for begin in (1000, 5000):
        wire.send(tcp(C, S, "S", begin, number=begin))
        wire.send(tcp(S, C, "S.", begin + 7, begin + 1), "server", "client")
        wire.send(tcp(C, S, "P.", begin + 1, begin + 8, b"hello", number=begin + 1))
    numbers = [(s.seq, s.ack, s.retransmission) for s in join(wire)]
    assert numbers == [(0, 0, False), (0, 1, False), (1, 1, False)] * 2


def test_a_syn_again_is_of_the_same_connection() -> None:
    wire = Wire()
    for number in (1, 2):
        wire.send(tcp(C, S, "S", 1000, number=number))
    assert [(s.seq, s.retransmission) for s in join(wire)] == [(0, False), (0, True)]


@pytest.mark.parametrize(("theirs", "window"), [(3, 1000 << 7), (None, 1000)])
def test_windows_are_scaled_where_both_ends_offered_it(theirs: int | None, window: int) -> None:
    wire = Wire()
    wire.send(tcp(C, S, "S", options=mss(1460, 7)))
    wire.send(tcp(S, C, "S.", 0, 1, options=mss(1460, theirs)), "server", "client")
    wire.send(tcp(C, S, ".", 1, 1))
    assert [s.window for s in join(wire)] == [1000, 1000, window]


def test_sack_blocks_are_relative() -> None:
    wire = Wire()
    wire.send(tcp(C, S, "S", 5000))
    block = b"\x01\x01" + timestamps(1)[2:] + struct.pack(">HBBII", 0x0101, 5, 10, 5101, 5201)
    wire.send(tcp(S, C, ".", 0, 5001, options=block), "server", "client")
    assert join(wire)[1].options["sack"] == [[101, 201]]


@pytest.mark.parametrize("copies", [1, 2])
def test_loopback_seen_once_or_twice(copies: int) -> None:
    wire = Wire()
    for address in ("127.0.0.1:9", "[::1]:9"):
        for kind in (FROM_US, TO_US)[2 - copies :]:
            wire.see("client", udp(address, address, b"to myself"), kind, LO)
    segments = join(wire)
    assert len(segments) == 2
    for segment in segments:
        assert segment.sent is not None
        assert segment.received is not None
        assert segment.sent.host == segment.received.host == "client"
        assert segment.received.time - segment.sent.time == 1000 * (copies - 1)


def test_loopbacks_of_two_hosts_are_two() -> None:
    wire = Wire()
    for host in ("client", "server"):
        wire.see(host, tcp("127.0.0.1:1", "127.0.0.1:2", "S", 77), TO_US, LO)
        wire.see(host, tcp("127.0.0.1:2", "127.0.0.1:1", "S.", 99, 78), TO_US, LO)
    assert [(s.sent and s.sent.host, s.seq) for s in join(wire)] == [
        ("client", 0),
        ("client", 0),
        ("server", 0),
        ("server", 0),
    ]


def test_a_broadcast_arrives_at_each() -> None:
    wire = Wire()
    wire.see("client", udp(C, "255.255.255.255:67", b"who?"), FROM_US)
    wire.see("server", udp(C, "255.255.255.255:67", b"who?"), BROADCAST)
    wire.see("other", udp(C, "255.255.255.255:67", b"who?"), BROADCAST)
    assert [(s.received and s.received.host, s.frames) for s in join(wire)] == [
        ("server", (1, 2)),
        ("other", (1, 3)),
    ]


def test_what_a_router_sends_and_gets_itself() -> None:
    wire = Wire()
    r1 = "10.0.0.9:500"
    wire.send(udp(C, r1, b"hello"), "client", "r1")
    wire.send(udp(r1, C, b"hello yourself"), "r1", "client")
    there, back = join(wire, "r1")
    assert there.received is not None
    assert there.received.host == "r1"
    assert back.sent is not None
    assert back.sent.host == "r1"
    assert there.via == back.via == ()


def test_what_a_router_drops_has_not_arrived() -> None:
    wire = Wire()
    forwarded(wire, udp(C, S, b"dropped"), out=[])
    (segment,) = join(wire, "r1")
    assert segment.received is None
    assert [seen.host for seen in segment.via] == ["r1"]


def test_a_host_that_forwards_without_being_a_router() -> None:
    wire = Wire()
    forwarded(wire, udp(C, S, b"over"))
    wire.see("server", udp(C, S, b"over"), TO_US, WAN)
    (segment,) = join(wire)
    assert [seen.host for seen in segment.via] == ["r1", "r1"]
    assert segment.received is not None


def fragments(size: int) -> list[bytes]:
    whole = udp(C, S, bytes(size))[20:]
    cuts = range(0, len(whole), 1480)
    more = [0x2000 if at + 1480 < len(whole) else 0 for at in cuts]
    return [
        ip("10.0.0.1", "10.0.0.2", 17, whole[at : at + 1480], 77, flag | at // 8)
        for at, flag in zip(cuts, more, strict=True)
    ]


@pytest.mark.parametrize("lost", [None, 0, 1, 2])
def test_a_datagram_without_one_of_its_fragments_has_not_arrived(lost: int | None) -> None:
    wire = Wire()
    for number, fragment in enumerate(fragments(4000)):
        wire.send(fragment, lost=number == lost)
    (segment,) = join(wire)
    assert segment.length == 4000
    assert (segment.received is None) == (lost is not None)


def test_fragments_that_overtake_each_other() -> None:
    wire = Wire()
    for fragment in fragments(4000):
        wire.see("client", fragment, FROM_US)
    for fragment in reversed(fragments(4000)):
        wire.see("server", fragment)
    (segment,) = join(wire)
    assert segment.received is not None
    assert segment.frames == tuple(range(1, 7))


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (3, 0, "network unreachable"),
        (3, 1, "host unreachable"),
        (3, 3, "port unreachable"),
        (3, 4, "fragmentation needed"),
        (3, 13, "prohibited"),
        (3, 99, "unreachable"),
        (11, 0, "time exceeded"),
    ],
)
def test_icmp_errors(kind: int, code: int, said: str) -> None:
    for packet, about in (
        (udp(C, S, b"?"), f"{S} udp"),
        (tcp(C, S, "S"), f"{S} tcp"),
        (ip("10.0.0.1", "10.0.0.2", 1, bytes(8)), "10.0.0.2 icmp"),
    ):
        wire = Wire()
        error = struct.pack(">BBHI", kind, code, 0, 0) + packet[:28]
        wire.send(ip("10.0.0.9", "10.0.0.1", 1, error), "r1", "client")
        (segment,) = join(wire)
        assert segment.about == f"{said} {about}"
        assert (segment.source.address, segment.target.address) == ("10.0.0.9", "10.0.0.1")


def test_an_icmp_error_that_quotes_too_little() -> None:
    wire = Wire()
    wire.send(ip("10.0.0.9", "10.0.0.1", 1, struct.pack(">BBHI", 3, 3, 0, 0) + b"E"))
    assert [s.about for s in join(wire)] == ["port unreachable"]


def test_a_ping_is_no_segment() -> None:
    wire = Wire()
    wire.send(ip("10.0.0.1", "10.0.0.2", 1, struct.pack(">BBHI", 8, 0, 0, 0)))
    assert join(wire) == ()


def test_the_agents_own_packets_are_left_out() -> None:
    wire = Wire()
    mine = b"labctl-sentinel 1"
    wire.see("client", udp("127.0.0.1:5", "127.0.0.1:9", mine), TO_US, LO)
    wire.see("client", udp("127.0.0.1:5", "127.0.0.1:10", mine), TO_US, LO)
    wire.see("client", udp(C, "10.0.0.2:9", mine), FROM_US, LAN)
    assert [(s.target.port, s.frames) for s in join(wire)] == [(10, (1,)), (9, (2,))]


def test_an_interface_that_is_gone_by_the_end() -> None:
    wire = Wire()
    wire.see("client", udp(C, S, b"?"), FROM_US, 99)
    (segment,) = join(wire)
    assert segment.sent is not None
    assert segment.sent.network == "interface 99"
