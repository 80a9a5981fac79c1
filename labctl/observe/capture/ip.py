"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers."""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58

_MORE = 0x2000
_OFFSET = 0x1FFF
_V4 = struct.Struct(">BxHHHxB")
_V6 = struct.Struct(">xxxxHB")

_FRAGMENT = 44
_AUTHENTICATION = 51
_EXTENSIONS = (0, 43, 60, 135, 139, 140, _FRAGMENT, _AUTHENTICATION)
"""Hop-by-hop, routing, destination options and others that another header follows."""


class Header(NamedTuple):
    """What the IP header tells.

    The packet's payload has `length` bytes, of which those from `at` to `end` were captured.
    `offset` is where in the datagram the payload of a fragment belongs, in bytes; `more`
    whether fragments follow. `key` is what no router changes.
    """

    source: bytes
    target: bytes
    protocol: int
    id: int
    offset: int
    more: bool
    at: int
    end: int
    length: int
    key: bytes

    @property
    def fragment(self) -> bool:
        return self.more or self.offset > 0


def decode(data: bytes, at: int, wire: int) -> Header | None:
    """Decode the header at `at` of a frame of `wire` bytes; None where it cannot be read."""
    if len(data) < at + 20:
        return None
    version = data[at] >> 4
    if version == 4:
        return _v4(data, at, wire)
    return _v6(data, at, wire) if version == 6 else None


def _v4(data: bytes, at: int, wire: int) -> Header | None:
    first, total, number, fragment, protocol = _V4.unpack_from(data, at)
    size = (first & 15) * 4
    total = total or wire - at  # segments of more than 64 KiB, joined by offloading, say 0
    if size < 20 or total < size:
        return None
    return Header(
        data[at + 12 : at + 16],
        data[at + 16 : at + 20],
        protocol,
        number,
        (fragment & _OFFSET) * 8,
        fragment & _MORE != 0,
        at + size,
        min(len(data), at + total),
        total - size,
        data[at + 4 : at + 6] + data[at + 12 : at + 20],
    )


def _v6(data: bytes, at: int, wire: int) -> Header | None:
    if len(data) < at + 40:
        return None
    length, protocol = _V6.unpack_from(data, at)
    length = length or wire - at - 40  # RFC 2675: a jumbogram says 0
    here, number, offset, more = at + 40, 0, 0, False
    finish = here + length
    while protocol in _EXTENSIONS and offset == 0:
        if len(data) < here + 8:
            return None
        following, size = data[here], (data[here + 1] + 1) * 8
        if protocol == _FRAGMENT:
            size = 8
            field, number = struct.unpack_from(">HI", data, here + 2)
            offset, more = field & 0xFFF8, field & 1 != 0
        elif protocol == _AUTHENTICATION:
            size = (data[here + 1] + 2) * 4
        protocol, here = following, here + size
    if here > finish:
        return None
    source, target = data[at + 8 : at + 24], data[at + 24 : at + 40]
    end = min(len(data), finish)
    key = number.to_bytes(4, "big") + source + target
    return Header(source, target, protocol, number, offset, more, here, end, finish - here, key)


@lru_cache(maxsize=65536)
def text(address: bytes) -> str:
    """Return an address as it is written."""
    return str(ip_address(address))
