"""A captured packet from its IP header on."""

from __future__ import annotations

import struct
from typing import NamedTuple

from labctl.observe.capture import ip

KEPT = 64
"""How many bytes of a packet's data are kept."""

_PORTS = struct.Struct(">HHH")
_TCP = struct.Struct(">HHIIBBH")


class Packet(NamedTuple):
    """What the headers tell. Ports are 0 where the protocol has none.

    `protocol` is `tcp`, `udp` or `icmp`; empty for others, and for fragments without the
    beginning. `length` is that of the data in bytes, also where less was captured.
    """

    ip: ip.Header
    protocol: str
    key: bytes = b""
    """What is the same wherever the packet is seen, and else hardly ever."""
    sport: int = 0
    dport: int = 0
    length: int = 0
    data: bytes = b""
    """The beginning of the data; of ICMP, all that was captured after its checksum."""
    seq: int = 0
    ack: int = 0
    flags: int = 0
    window: int = 0
    options: bytes = b""
    """Of TCP, as they are in the header."""
    kind: tuple[int, int] = (0, 0)
    """Of ICMP, its type and code."""


def decode(data: bytes, at: int, wire: int) -> Packet | None:
    """Decode the packet whose IP header begins at `at`; on the wire the frame has `wire` bytes.

    Returns None for what is too short, or wrong, to be read.
    """
    header = ip.decode(data, at, wire)
    if header is None:
        return None
    if header.offset:
        return Packet(header, "")
    if header.protocol == ip.TCP:
        return _tcp(data, header)
    if header.protocol == ip.UDP:
        return _udp(data, header)
    if header.protocol in (ip.ICMP, ip.ICMPV6):
        return _icmp(data, header)
    return Packet(header, "")


def _tcp(data: bytes, header: ip.Header) -> Packet | None:
    at = header.at
    if header.end - at < 20:
        return None
    sport, dport, seq, ack, words, flags, window = _TCP.unpack_from(data, at)
    start = at + (words >> 4) * 4
    length = header.length - (start - at)
    if start - at < 20 or length < 0:
        return None
    options = data[at + 20 : min(start, header.end)]
    identity = data[at : at + 16] + options
    return Packet(
        header,
        "tcp",
        header.key + identity + length.to_bytes(4, "big"),
        sport,
        dport,
        length,
        data[start : min(start + KEPT, header.end)],
        seq,
        ack,
        flags,
        window,
        options,
    )


def _udp(data: bytes, header: ip.Header) -> Packet | None:
    at = header.at
    if header.end - at < 8:
        return None
    sport, dport, length = _PORTS.unpack_from(data, at)
    length = length or header.length  # RFC 2675, section 4: a jumbogram
    if length < 8:
        return None
    kept = data[at + 8 : min(at + 8 + KEPT, header.end)]
    # Not the checksum: a packet that has never left the machine may have none yet.
    key = header.key + data[at : at + 6] + kept
    return Packet(header, "udp", key, sport, dport, length - 8, kept)


def _icmp(data: bytes, header: ip.Header) -> Packet | None:
    at = header.at
    if header.end - at < 8:
        return None
    kept = data[at + 4 : header.end]
    key = header.key + data[at : at + 2] + kept
    kind = (data[at], data[at + 1])
    return Packet(header, "icmp", key, length=header.length - 8, data=kept, kind=kind)
