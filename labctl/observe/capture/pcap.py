"""Reads the files that tcpdump(8) writes (pcap-savefile(5))."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from labctl.errors import MachineError
from labctl.sequence.events import Notice

MAXIMUM_SNAPLEN = 262144
"""No packet of tcpdump's is longer, in bytes: what says so is damaged."""

_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""How a file begins: its byte order, and how many nanoseconds the fractions of seconds count."""

_HEADER = "HHiIII"
_RECORD = "IIII"
_LINK_TYPE_MASK = 0xFFFF


class Record(NamedTuple):
    """One packet: when it was seen (ns since the epoch), its first bytes, its length in bytes."""

    time: int
    data: bytes
    length: int


@dataclass(frozen=True)
class Capture:
    """The packets of one host, in the order of the file.

    `link_type` is one of https://www.tcpdump.org/linktypes.html; `notes` say what is missing.
    """

    link_type: int = 0
    snaplen: int = MAXIMUM_SNAPLEN
    records: list[Record] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def notices(self, host: str) -> list[Notice]:
        """Return what is missing of a host's packets, where the file is that host's."""
        return [Notice(host, note, missing=("packets",)) for note in self.notes]


def read(path: Path) -> Capture:
    """Read a file. Whatever is wrong in it is noted; what is before that is kept.

    Raises MachineError where there is no such file or it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MachineError(
            f"the packets in {path} cannot be read: {error.strerror}",
            "The observer may have been killed: try again.",
        ) from error
    return parse(content)


def parse(content: bytes) -> Capture:
    """Return the packets of a file's bytes."""
    if not content:
        return Capture(notes=("its capture is empty: tcpdump was killed before its first packet",))
    if content[:4] not in _MAGIC:
        return Capture(notes=("its capture is no pcap file: its packets are missing",))
    order, unit = _MAGIC[content[:4]]
    header = struct.Struct(order + _HEADER)
    if len(content) < 4 + header.size:
        return Capture(notes=("its capture is cut within its header: its packets are missing",))
    *_, snaplen, link_type = header.unpack_from(content, 4)
    notes: list[str] = []
    records = list(_records(content, 4 + header.size, order, unit, notes))
    return Capture(link_type & _LINK_TYPE_MASK, snaplen, records, tuple(notes))


def _records(content: bytes, at: int, order: str, unit: int, notes: list[str]) -> Iterator[Record]:
    header = struct.Struct(order + _RECORD)
    end = len(content)
    while at < end:
        if at + header.size > end:
            notes.append("its capture is cut within a packet: what came after is missing")
            return
        seconds, fraction, kept, length = header.unpack_from(content, at)
        at += header.size
        if kept > MAXIMUM_SNAPLEN:
            notes.append("its capture is damaged: what comes after the damage is missing")
            return
        if at + kept > end:
            notes.append("its capture is cut within a packet: what came after is missing")
            return
        yield Record(
            seconds * 1_000_000_000 + fraction * unit, content[at : at + kept], max(length, kept)
        )
        at += kept
