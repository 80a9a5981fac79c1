"""The merged file, read back: by the test itself, and by tshark(1) where it is installed."""

from __future__ import annotations

import csv
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from labctl.observe import capture
from labctl.observe.capture.frames import frames

from .made import Wire, udp
from .recordings import INTERFACES, captures, joined

NAMES = ["routed", "lossy", "loopback"]


class Read(NamedTuple):
    """A packet of a pcapng file."""

    interface: str
    time: int
    data: bytes
    length: int
    comment: str


def merged(name: str) -> bytes:
    return b"".join(capture.merge(captures(name), INTERFACES, joined(name).segments))


def blocks(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        assert size % 4 == 0
        assert struct.unpack_from("<I", content, at + size - 4) == (size,)
        yield kind, content[at + 8 : at + size - 4]
        at += size
    assert at == len(content)


def options(body: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(body):
        code, size = struct.unpack_from("<HH", body, at)
        found[code] = body[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    assert found.pop(0) == b""
    return found


def read(content: bytes) -> list[Read]:
    """Read a pcapng file as the draft-ietf-opsawg-pcapng tells."""
    names: list[str] = []
    found = []
    (first, section), *rest = blocks(content)
    assert first == 0x0A0D0D0A
    assert section[:8] == struct.pack("<IHH", 0x1A2B3C4D, 1, 0)
    for kind, body in rest:
        if kind == 1:
            assert body[:2] == struct.pack("<H", 276)
            told = options(body[8:])
            assert told[9] == b"\x09"
            names.append(told[2].decode())
            continue
        assert kind == 6
        number, high, low, kept, length = struct.unpack_from("<IIIII", body)
        told = options(body[20 + kept + -kept % 4 :])
        time = high << 32 | low
        found.append(Read(names[number], time, body[20 : 20 + kept], length, told[1].decode()))
    return found


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


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed here")
@pytest.mark.parametrize("name", NAMES)
def test_tshark_reads_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "merged.pcapng"
    file.write_bytes(merged(name))
    fields = ("frame.number", "frame.time_epoch", "frame.interface_name", "frame.comment")
    asked = [word for field in fields for word in ("-e", field)]
    argv = ["tshark", "-n", "-r", str(file), "-T", "fields", "-E", "header=y", *asked]
    told = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    rows = list(csv.DictReader(told.stdout.splitlines(), delimiter="\t"))
    found = read(file.read_bytes())
    assert len(rows) == len(found)
    for number, (row, one) in enumerate(zip(rows, found, strict=True), start=1):
        assert row["frame.number"] == str(number)
        assert row["frame.time_epoch"].replace(".", "") == str(one.time)
        assert row["frame.interface_name"] == one.interface
        assert row["frame.comment"] == one.comment
