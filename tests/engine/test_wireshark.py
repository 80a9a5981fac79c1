"""What labctl tells of packets is what tshark(1) reads from the file that it wrote of them.

tshark runs in the image of tests/programs, so that it is there on every machine.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labctl.engine import execs
from labctl.engine.client import Engine
from labctl.sequence import jsonl
from labctl.sequence.events import Segment
from tests.engine import programs
from tests.unit.observe.capture.pcapng import NAMES, merged, read

from .conftest import labctl

Row = dict[str, str]
Tshark = Callable[..., list[Row]]

FILE = "seen.pcapng"
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
"""From the lowest bit on (RFC 9293, 3.1)."""


@pytest.fixture(scope="module")
def tshark(engine: Engine) -> Iterator[Tshark]:
    """Return what tshark reads from a capture (bytes): of each packet these fields, as text."""
    with programs.running(engine) as container:

        def rows(content: bytes, *fields: str) -> list[Row]:
            assert container.put_archive("/tmp", packed(content))
            asked = [word for field in fields for word in ("-e", field)]
            how = [
                "-n",
                "-o",
                "ip.defragment:FALSE",
                "-T",
                "fields",
                "-E",
                "header=y",
                "-E",
                "occurrence=f",
                *asked,
            ]
            argv = ["tshark", "-r", f"/tmp/{FILE}", *how]
            code, out, err = execs.run(engine, str(container.id), argv)
            assert code == 0, err.decode()
            return list(csv.DictReader(out.decode().splitlines(), delimiter="\t"))

        yield rows


def packed(content: bytes) -> bytes:
    """Return a tar archive of the one file `FILE`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        told = tarfile.TarInfo(FILE)
        told.size = len(content)
        tar.addfile(told, io.BytesIO(content))
    return archive.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_the_merged_file_of_a_recording(tshark: Tshark, name: str) -> None:
    content = merged(name)
    rows = tshark(
        content, "frame.number", "frame.time_epoch", "frame.interface_name", "frame.comment"
    )
    found = read(content)
    assert len(rows) == len(found)
    for number, (row, one) in enumerate(zip(rows, found, strict=True), start=1):
        assert row["frame.number"] == str(number)
        assert row["frame.time_epoch"].replace(".", "") == str(one.time)
        assert row["frame.interface_name"] == one.interface
        assert row["frame.comment"] == one.comment


def as_tshark_has_it(segment: Segment) -> Row:
    """Return a segment in tshark's words."""
    (source, sport), (target, dport) = (
        (end.address, str(end.port)) for end in (segment.source, segment.target)
    )
    row = {"ip.src": source, "ip.dst": target}
    if segment.protocol == "udp":
        return row | {
            "udp.srcport": sport,
            "udp.dstport": dport,
            "udp.length": str(segment.length + 8),
        }
    return row | {
        "tcp.srcport": sport,
        "tcp.dstport": dport,
        "tcp.flags": f"0x{sum(1 << FLAGS.index(flag) for flag in segment.flags):04x}",
        "tcp.seq": str(segment.seq),
        "tcp.ack": str(segment.ack),
        "tcp.len": str(segment.length),
        "tcp.window_size": str(segment.window),
    }


@pytest.mark.parametrize("lab", ["tcp", "udp"])
def test_the_segments_of_a_run_just_now(tshark: Tshark, tmp_path: Path, lab: str) -> None:
    events, packets = tmp_path / "seen.jsonl", tmp_path / "seen.pcapng"
    done = labctl("trace", lab, "-o", str(events), "-o", str(packets))
    assert done.code == 0, done.out + done.err
    seen = jsonl.load(events.read_text().splitlines(), events.name)
    segments = [one for one in seen.segments if one.protocol == lab]
    wanted = {n: as_tshark_has_it(one) for one in segments for n in one.frames}
    fields = next(iter(wanted.values()))
    rows = tshark(packets.read_bytes(), "frame.number", "ip.frag_offset", *fields)
    found, later_fragments = {}, set()
    for row in rows:
        number = int(row.pop("frame.number"))
        if int(row.pop("ip.frag_offset") or "0"):
            later_fragments.add(number)
        elif row[f"{lab}.srcport"]:
            found[number] = row
    assert len(segments) >= 2
    assert later_fragments <= wanted.keys()
    assert found == {n: row for n, row in wanted.items() if n not in later_fragments}
