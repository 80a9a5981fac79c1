"""What is decoded of the recorded captures is what tshark(1) reads from the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.observe import capture
from labctl.observe.capture import icmp, ip
from labctl.observe.capture.link import LINK_TYPES, Way
from labctl.observe.capture.options import decode as options_of
from labctl.observe.capture.packet import Packet, decode
from labctl.observe.capture.streams import Streams

from .recordings import FILES, oracle

Row = dict[str, str]
_WAYS = {"0": Way.IN, "4": Way.OUT}


def decoded(file: Path) -> list[tuple[capture.Record, Packet]]:
    read = capture.read(file)
    assert not read.notes
    found = []
    for record in read.records:
        link = LINK_TYPES[read.link_type](record.data)
        assert link is not None
        packet = decode(record.data, link.at, record.length)
        assert packet is not None
        found.append((record, packet))
    return found


def number(text: str) -> int:
    return int(text, 0) if text else 0


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_frames_and_their_link_layer(file: Path) -> None:
    read = capture.read(file)
    rows = oracle(file)
    assert len(read.records) == len(rows) > 0
    for record, row in zip(read.records, rows, strict=True):
        seconds, fraction = row["frame.time_epoch"].split(".")
        assert record.time == int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
        assert record.length == int(row["frame.len"])
        link = LINK_TYPES[read.link_type](record.data)
        assert link is not None
        assert link.way is _WAYS[row["sll.pkttype"]]
        assert link.interface == int(row["sll.ifindex"])


def test_ip_headers(file: Path) -> None:
    for (_, packet), row in zip(decoded(file), oracle(file), strict=True):
        version = "ip" if row["ip.src"] else "ipv6"
        assert ip.text(packet.ip.source) == row[f"{version}.src"]
        assert ip.text(packet.ip.target) == row[f"{version}.dst"]
        assert packet.ip.id == number(row["ip.id"])
        # This tshark counts in the header's unit of 8 bytes.
        assert packet.ip.offset == number(row["ip.frag_offset"]) * 8


def test_ports_and_kinds(file: Path) -> None:
    for (_, packet), row in zip(decoded(file), oracle(file), strict=True):
        if packet.protocol == "tcp":
            assert (packet.sport, packet.dport) == (
                int(row["tcp.srcport"]),
                int(row["tcp.dstport"]),
            )
            assert not row["udp.length"]
        elif packet.protocol == "udp":
            assert (packet.sport, packet.dport) == (
                int(row["udp.srcport"]),
                int(row["udp.dstport"]),
            )
            assert packet.length + 8 == int(row["udp.length"])
        elif packet.protocol == "icmp":
            kind = row["icmp.type"] or row["icmpv6.type"]
            code = row["icmp.code"] or row["icmpv6.code"]
            assert packet.kind == (int(kind), int(code))
            # tshark shows the ports of the packet that is quoted.
            assert icmp.about(packet).endswith(f":{row['udp.dstport']} udp")
        else:
            assert packet.ip.offset
            assert not any(row[name] for name in ("tcp.srcport", "udp.srcport"))


def test_tcp_headers(file: Path) -> None:
    for (_, packet), row in zip(decoded(file), oracle(file), strict=True):
        assert (packet.protocol == "tcp") == bool(row["tcp.flags"])
        if packet.protocol != "tcp":
            continue
        assert packet.flags == number(row["tcp.flags"])
        assert packet.seq == number(row["tcp.seq_raw"])
        assert packet.ack == number(row["tcp.ack_raw"])
        assert packet.length == number(row["tcp.len"])
        options = options_of(packet.options)
        assert options.get("mss", 0) == number(row["tcp.options.mss_val"])
        assert options.get("window_scale", 0) == number(row["tcp.options.wscale.shift"])
        stamps = [number(row[f"tcp.options.timestamp.{name}"]) for name in ("tsval", "tsecr")]
        assert options.get("timestamp", [0, 0]) == stamps


def test_what_only_the_connection_tells(file: Path) -> None:
    streams = Streams()
    for (_, packet), row in zip(decoded(file), oracle(file), strict=True):
        if packet.protocol != "tcp":
            continue
        told = streams.take(packet)
        assert told.stream == int(row["tcp.stream"])
        assert told.seq == int(row["tcp.seq"])
        assert told.ack == int(row["tcp.ack"])
        assert told.window == int(row["tcp.window_size"])
        edges = [row[f"tcp.options.sack_{edge}"] for edge in ("le", "re")]
        assert [str(edge) for edge in told.sack[:2]] == [edge for edge in edges if edge]


@pytest.mark.parametrize("file", [f for f in FILES if ".r1" not in f.name], ids=lambda f: f.stem)
def test_what_is_sent_again(file: Path) -> None:
    """tshark has three words for it; a single byte again it takes for a keep-alive.

    A router sees each packet twice, and tshark takes all of them for sent again.
    """
    streams = Streams()
    columns = ("retransmission", "out_of_order", "spurious_retransmission")
    own = capture.read(file)
    for (record, packet), row in zip(decoded(file), oracle(file), strict=True):
        if packet.protocol == "tcp":
            again = streams.take(packet).retransmission
            link = LINK_TYPES[own.link_type](record.data)
            if link is not None and link.way is Way.OUT and packet.length != 1:
                assert again == any(row[f"tcp.analysis.{name}"] for name in columns)
