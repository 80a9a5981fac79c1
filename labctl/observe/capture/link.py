"""The link layer of a captured packet (https://www.tcpdump.org/linktypes.html)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

ETHERNET = 1
RAW = 101
SLL = 113
SLL2 = 276
_RAW_OF_BSD = 12

_IP = 0x0800
_IPV6 = 0x86DD
_VLAN = (0x8100, 0x88A8)
_ARPHRD_LOOPBACK = 772


class Way(Enum):
    """Which way a packet went: out of the host, or into it."""

    OUT = "sent"
    IN = "received"
    UNKNOWN = "seen"
    """The link layer does not tell."""
    OTHER = "overheard"
    """It was for another host on the same wire."""


_WAYS = (Way.IN, Way.IN, Way.IN, Way.OTHER, Way.OUT)
"""By the packet type of SLL: to us, broadcast, multicast, to somebody else, from us."""


class Link(NamedTuple):
    """What the link layer tells: `at` is where the IP header begins, in bytes.

    `interface` is the index of the host's interface, 0 where the link layer does not tell.
    """

    at: int
    way: Way = Way.UNKNOWN
    interface: int = 0
    loopback: bool = False


_SLL2_HEADER = struct.Struct(">HxxIHB")
_SLL_HEADER = struct.Struct(">HH10xH")


def _sll2(data: bytes) -> Link | None:
    if len(data) < 20:
        return None
    protocol, interface, kind, packet_type = _SLL2_HEADER.unpack_from(data)
    if protocol not in (_IP, _IPV6):
        return None
    way = _WAYS[packet_type] if packet_type < len(_WAYS) else Way.UNKNOWN
    return Link(20, way, interface, kind == _ARPHRD_LOOPBACK)


def _sll(data: bytes) -> Link | None:
    if len(data) < 16:
        return None
    packet_type, kind, protocol = _SLL_HEADER.unpack_from(data)
    if protocol not in (_IP, _IPV6):
        return None
    way = _WAYS[packet_type] if packet_type < len(_WAYS) else Way.UNKNOWN
    return Link(16, way, 0, kind == _ARPHRD_LOOPBACK)


def _ethernet(data: bytes) -> Link | None:
    at = 12
    while int.from_bytes(data[at : at + 2], "big") in _VLAN:
        at += 4
    return Link(at + 2) if int.from_bytes(data[at : at + 2], "big") in (_IP, _IPV6) else None


def _raw(data: bytes) -> Link | None:
    return Link(0) if data else None


LINK_TYPES: dict[int, Callable[[bytes], Link | None]] = {
    ETHERNET: _ethernet,
    RAW: _raw,
    _RAW_OF_BSD: _raw,
    SLL: _sll,
    SLL2: _sll2,
}
"""What reads the link layer, by link type; each returns None for what carries no IP."""
