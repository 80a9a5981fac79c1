"""The segments of captures of client, router and server, as record.sh has recorded them."""

from __future__ import annotations

import pytest

from labctl.sequence.events import Segment

from .recordings import FOLDER, INTERFACES, captures, joined, oracle

BULK = 200_000
"""How many bytes the server sends in the recordings of one transfer."""


def hosts(segment: Segment) -> list[str]:
    ends = (segment.sent, *segment.via, segment.received)
    return [seen.host for seen in ends if seen]


def of_server(segments: tuple[Segment, ...]) -> list[Segment]:
    return [s for s in segments if s.sent and s.sent.host == "server"]


@pytest.mark.parametrize("name", ["routed", "split", "joined"])
def test_nothing_is_lost_where_nothing_was(name: str) -> None:
    found = joined(name)
    assert not found.notices
    for segment in found.segments:
        assert segment.sent is not None
        assert segment.received is not None
        assert {segment.sent.host, segment.received.host} == {"client", "server"}
        assert [seen.host for seen in segment.via] == ["r1", "r1"]
        times = [segment.sent.time, *(s.time for s in segment.via), segment.received.time]
        assert times == sorted(times)
        assert not segment.retransmission


@pytest.mark.parametrize("name", ["routed", "split", "joined", "lossy", "loopback"])
def test_segments_are_in_order_and_every_frame_is_of_one(name: str) -> None:
    segments = joined(name).segments
    assert [s.time for s in segments] == sorted(s.time for s in segments)
    numbers = sorted(number for s in segments for number in s.frames)
    everything = sum(len(capture.records) for capture in captures(name).values())
    assert numbers == list(range(1, len(numbers) + 1))
    # On each host there was a sentinel, and the ICMP error that answered it.
    assert everything - len(numbers) == 2 * len(captures(name))


def test_sightings_name_the_networks() -> None:
    syn = joined("routed").segments[0]
    assert syn.sent is not None
    assert syn.received is not None
    assert (syn.sent.network, syn.received.network) == ("clients", "servers")
    assert [seen.network for seen in syn.via] == ["clients", "servers"]


def test_a_handshake() -> None:
    syn, syn_ack, ack = joined("routed").segments[:3]
    assert [s.flags for s in (syn, syn_ack, ack)] == [("SYN",), ("SYN", "ACK"), ("ACK",)]
    assert [(s.seq, s.ack) for s in (syn, syn_ack, ack)] == [(0, 0), (0, 1), (1, 1)]
    assert syn.options["mss"] == 1460
    assert syn.options["window_scale"] == 10
    assert syn.options["sack_permitted"] is True
    assert ack.window == 64512


def test_a_giant_is_one_segment_whoever_saw_it_in_pieces() -> None:
    giants = [s for s in of_server(joined("routed").segments) if s.length > 1448]
    assert [(s.seq, s.length, s.joined) for s in giants] == [
        (1, 7240, 5),
        (7241, 7240, 5),
        (14481, 14480, 10),
        (28961, 19943, 14),
    ]
    assert [len(s.frames) for s in giants] == [3 + s.joined for s in giants]


@pytest.mark.parametrize("name", ["split", "joined"])
@pytest.mark.parametrize("observed", [("client", "server"), ("client", "r1", "server")])
def test_the_bytes_of_a_transfer_are_all_there_once(name: str, observed: tuple[str, ...]) -> None:
    sent = [s for s in of_server(joined(name, *observed).segments) if s.length]
    reached = 1
    for segment in sent:
        assert segment.seq == reached
        assert segment.received is not None
        reached += segment.length
        assert segment.joined == -(-segment.length // 1448)
    assert reached == BULK + 1


@pytest.mark.parametrize("name", ["split", "joined", "lossy"])
def test_of_what_a_router_alone_saw_no_end_is_made_up(name: str) -> None:
    found = joined(name, "r1")
    assert found.segments == ()
    (notice,) = found.notices
    assert notice.host == "r1"
    assert notice.text.endswith("neither to leave nor to arrive")


def test_lost_segments_came_to_the_router_and_not_further() -> None:
    segments = joined("lossy").segments
    lost = [s for s in segments if s.received is None]
    assert lost
    for segment in lost:
        assert segment.sent is not None
        assert [seen.host for seen in segment.via] == ["r1"]
    assert not segments[0].received
    assert segments[0].flags == ("SYN",)
    assert segments[1].flags == ("SYN",)
    assert segments[1].retransmission
    assert segments[1].received


def test_of_each_lost_byte_the_same_came_later() -> None:
    segments = [s for s in of_server(joined("lossy").segments) if s.length]
    arrived: set[int] = set()
    for segment in segments:
        if segment.received:
            arrived.update(range(segment.seq or 0, (segment.seq or 0) + segment.length))
    assert arrived == set(range(1, BULK + 1))


def test_as_many_packets_arrive_as_the_receiver_has_captured() -> None:
    """No loss is made up, and none is overlooked."""
    rows = oracle(FOLDER / "lossy.client.tsv")
    came = [r for r in rows if r["sll.pkttype"] == "0" and r["tcp.srcport"]]
    sent = [r for r in rows if r["sll.pkttype"] == "4" and r["tcp.srcport"]]
    segments = joined("lossy").segments
    assert len(came) == sum(1 for s in of_server(segments) if s.received)
    assert len(sent) == sum(1 for s in segments if s.sent and s.sent.host == "client")


def test_the_same_ports_again_are_another_connection() -> None:
    segments = [s for s in joined("routed").segments if s.source.port == 40000]
    numbers = [(s.flags, s.seq, s.length) for s in segments]
    assert len(numbers) == 8
    assert numbers[:4] == numbers[4:]
    assert numbers[0] == (("SYN",), 0, 0)
    assert not any(s.retransmission for s in segments)


def test_datagrams() -> None:
    found = [s for s in joined("routed").segments if s.protocol == "udp"]
    assert [(s.length, s.data[:5]) for s in found[:6]] == [(5, "again")] * 6
    fragmented = found[6]
    assert fragmented.length == 4000
    assert len(fragmented.frames) == 12
    assert hosts(fragmented) == ["client", "r1", "r1", "server"]
    assert fragmented.seq is None


def test_an_icmp_error_names_what_it_is_about() -> None:
    error = next(s for s in joined("routed").segments if s.protocol == "icmp")
    assert error.about == "port unreachable 10.201.0.19:7002 udp"
    assert hosts(error) == ["server", "r1", "r1", "client"]


@pytest.mark.parametrize(("address", "about"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_loopback_has_both_ends_on_one_host(address: str, about: str) -> None:
    segments = [s for s in joined("loopback").segments if s.source.address == address]
    assert {s.protocol for s in segments} == {"tcp", "udp", "icmp"}
    for segment in segments:
        assert segment.sent == segment.received
        assert segment.sent is not None
        assert (segment.sent.host, segment.sent.network) == ("alone", "lo")
        assert segment.via == ()
        assert segment.joined == 1
    errors = [s.about for s in segments if s.protocol == "icmp"]
    assert errors == [f"port unreachable {about}:7002 udp"]


def test_every_recorded_interface_has_a_network() -> None:
    for name in ("routed", "split", "joined", "lossy", "loopback"):
        known = {network for own in INTERFACES.values() for network in own.values()}
        for segment in joined(name).segments:
            seen = [one for one in (segment.sent, *segment.via, segment.received) if one]
            assert {one.network for one in seen} <= known
