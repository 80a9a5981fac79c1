"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_PACKET = 6
_BYTE_ORDER = 0x1A2B3C4D

_END_OF_OPTIONS = (0, b"")
_COMMENT = 1
_NAME = 2
_RESOLUTION = 9
_FLAGS = 2
_APPLICATION = 4
_NANOSECONDS = b"\x09"

INBOUND, OUTBOUND = 1, 2

Option = tuple[int, bytes]


def section(application: str) -> bytes:
    """Return the header of a file that an application writes."""
    body = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    return _block(_SECTION, body, [(_APPLICATION, application.encode())])


def interface(name: str, link_type: int, snaplen: int) -> bytes:
    """Return the description of an interface; its times are in nanoseconds."""
    body = struct.pack("<HxxI", link_type, snaplen)
    return _block(_INTERFACE, body, [(_NAME, name.encode()), (_RESOLUTION, _NANOSECONDS)])


def packet(
    number: int, time: int, data: bytes, length: int, comment: str, direction: int = 0
) -> bytes:
    """Return a packet that was seen on the interface of this number, counted from 0.

    `time` is in nanoseconds, `length` what the packet has on the wire in bytes.
    """
    head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, len(data), length)
    options = [(_COMMENT, comment.encode())]
    if direction:
        options.append((_FLAGS, direction.to_bytes(4, "little")))
    return _block(_PACKET, head + _padded(data), options)


def _block(kind: int, body: bytes, options: list[Option]) -> bytes:
    told = b"".join(
        struct.pack("<HH", code, len(value)) + _padded(value)
        for code, value in (*options, _END_OF_OPTIONS)
    )
    size = len(body) + len(told) + 12
    return struct.pack("<II", kind, size) + body + told + struct.pack("<I", size)


def _padded(data: bytes) -> bytes:
    """Return data filled up to a multiple of 4 bytes."""
    return data + bytes(-len(data) % 4)
