"""Files of tcpdump's, whole and broken, in all their forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import MachineError
from labctl.observe import capture
from labctl.observe.capture import Record
from labctl.observe.capture.link import ETHERNET, RAW, SLL, Way
from labctl.observe.capture.pcap import parse
from labctl.sequence.events import Notice

from .made import LAN, START, Wire, pcap, sll2, tcp, udp

NANO = (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
MICRO = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")
SYN = tcp("10.0.0.1:40000", "10.0.0.2:80", "S", seq=7)
RECORDS = [Record(START + n * 1000, sll2(SYN), len(sll2(SYN))) for n in range(3)]


@pytest.mark.parametrize("magic", [*NANO, *MICRO], ids=bytes.hex)
def test_both_byte_orders_and_both_units(magic: bytes) -> None:
    assert parse(pcap(RECORDS, magic)).records == RECORDS


def test_nanoseconds_are_kept() -> None:
    record = Record(START + 1, b"x", 1)
    assert parse(pcap([record], NANO[0])).records == [record]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot be read"):
        capture.read(tmp_path / "none.pcap")


@pytest.mark.parametrize("size", [1, 15, 16, 17, 40])
def test_a_file_cut_within_a_packet_keeps_what_is_before(size: int) -> None:
    found = parse(pcap(RECORDS)[:-size])
    assert found.records == RECORDS[:2]
    assert found.notes == ("its capture is cut within a packet: what came after is missing",)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"", "empty"),
        (b"no packets here, but enough of other bytes", "no pcap file"),
        (b"\x4d\x3c", "no pcap file"),
        (pcap([])[:20], "cut within its header"),
    ],
)
def test_files_without_packets(content: bytes, note: str) -> None:
    found = parse(content)
    assert found.records == []
    assert note in found.notes[0]
    assert capture.segments({"client": found}, {}).notices == (
        Notice("client", found.notes[0], missing=("packets",)),
    )


def test_a_length_that_no_packet_has() -> None:
    content = bytearray(pcap(RECORDS))
    at = 24 + 16 + len(RECORDS[0].data) + 8
    content[at : at + 4] = b"\xff\xff\xff\x7f"
    found = parse(bytes(content))
    assert found.records == RECORDS[:1]
    assert "damaged" in found.notes[0]


@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (ETHERNET, bytes(12) + b"\x08\x00"),
        (ETHERNET, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        (RAW, b""),
        (SLL, b"\x00\x04\x00\x01\x00\x06" + bytes(8) + b"\x08\x00"),
    ],
    ids=["ethernet", "vlan", "raw", "sll"],
)
def test_other_link_types(link_type: int, header: bytes) -> None:
    data = header + SYN
    files = {
        host: parse(pcap([Record(time, data, len(data))], link_type=link_type))
        for host, time in (("server", START + 9), ("client", START))
    }
    if link_type == SLL:
        way = bytearray(data)
        way[1] = 0
        files["server"] = parse(pcap([Record(START + 9, bytes(way), len(data))], link_type=SLL))
    networks = {host: {LAN: "lan"} for host in files}
    (segment,) = capture.segments(files, networks).segments
    assert segment.sent == ("client", "lan", START)
    assert segment.received == ("server", "lan", START + 9)


def test_an_unknown_link_type_is_said_and_still_merged() -> None:
    found = parse(pcap(RECORDS, link_type=9999))
    joined = capture.segments({"client": found}, {})
    assert joined.segments == ()
    assert joined.notices == (
        Notice("client", "its packets have an unknown link type, 9999", missing=("packets",)),
    )
    assert sum(map(len, capture.merge({"client": found}, {}))) > 3 * len(SYN)


def test_packets_too_short_to_be_read_are_counted() -> None:
    wire = Wire(snaplen=20 + 30)
    wire.send(SYN)
    wire.send(udp("10.0.0.1:1", "10.0.0.2:2", b"data"))
    joined = capture.segments(wire.captures(), wire.interfaces)
    assert [segment.protocol for segment in joined.segments] == ["udp"]
    assert joined.notices == tuple(
        Notice(host, "1 of its packets were cut too short, or are damaged", missing=("packets",))
        for host in ("client", "server")
    )


def test_lengths_are_those_of_the_wire_though_less_was_kept() -> None:
    wire = Wire(snaplen=96)
    wire.send(tcp("10.0.0.1:1", "10.0.0.2:2", "P.", data=b"x" * 1000))
    (segment,) = capture.segments(wire.captures(), wire.interfaces).segments
    assert segment.length == 1000
    assert segment.data == "x" * (96 - 20 - 40)


def test_what_is_overheard_is_of_nobody() -> None:
    wire = Wire()
    wire.see("client", SYN, kind=3)
    assert capture.segments(wire.captures(), wire.interfaces).segments == ()
    assert Way.OTHER.value in b"".join(capture.merge(wire.captures(), {})).decode("latin-1")
