"""Reads the merged file back, as the draft-ietf-opsawg-pcapng tells."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from labctl.observe import capture

from .recordings import INTERFACES, captures, joined

NAMES = ["routed", "lossy", "loopback"]
"""The recordings that are merged."""


class Read(NamedTuple):
    """A packet of a pcapng file."""

    interface: str
    time: int
    data: bytes
    length: int
    comment: str


def merged(name: str) -> bytes:
    """Return a recording of several hosts as one file."""
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
    """Return the packets of a pcapng file."""
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
