"""The fields of IPv4 (RFC 791), IPv6 (RFC 8200) and UDP (RFC 768) headers."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from labctl.observe.dissect.model import Field, Part

_PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
_V4_HEADER = 20
_V6_HEADER = 40


def ip_header(data: bytes, at: int, end: int) -> Part:
    """Return the IP header of a frame from `at` to `end`, where the UDP header begins."""
    header = data[at:end]
    if header[0] >> 4 == 4:
        return Part("IPv4 header", "RFC 791", 0, len(header), tuple(_v4(header)))
    return Part("IPv6 header", "RFC 8200", 0, len(header), tuple(_v6(header)))


def udp_header(data: bytes, at: int, whole: bool) -> Part:
    """Return the UDP header of an IP packet whose UDP header begins at `at`.

    Only of a packet that is `whole` the checksum can be worked out.
    """
    rows = (
        ("source port", 0, _number),
        ("destination port", 2, _number),
        ("length", 4, lambda v: f"{_number(v)} bytes, header and data"),
        ("checksum", 6, lambda v: _udp_checksum(v, data, at) if whole else ""),
    )
    fields = tuple(
        Field(
            name, start, data[at + start : at + start + 2], told(data[at + start : at + start + 2])
        )
        for name, start, told in rows
    )
    return Part("UDP header", "RFC 768", at, 8, fields)


def _v4(header: bytes) -> Iterator[Field]:
    size = (header[0] & 15) * 4
    bits = int.from_bytes(header[6:8], "big")
    flags = [
        name for bit, name in ((0x4000, "don't fragment"), (0x2000, "more follow")) if bits & bit
    ]
    yield Field("version, header length", 0, header[:1], f"4, {header[0] & 15} × 4 = {size} bytes")
    yield Field("type of service", 1, header[1:2], f"{header[1]}")
    yield Field("total length", 2, header[2:4], f"{_number(header[2:4])} bytes")
    yield Field("identification", 4, header[4:6], _number(header[4:6]))
    told = f"{', '.join(flags) or 'none'}, {(bits & 0x1FFF) * 8}"
    yield Field("flags, fragment offset", 6, header[6:8], told)
    yield Field("time to live", 8, header[8:9], f"{header[8]}")
    yield Field("protocol", 9, header[9:10], _protocol(header[9]))
    right = _sum(header) == 0xFFFF
    yield Field("header checksum", 10, header[10:12], "right" if right else "wrong")
    yield Field("source address", 12, header[12:16], _address(header[12:16]))
    yield Field("destination address", 16, header[16:20], _address(header[16:20]))
    if len(header) > _V4_HEADER:
        yield Field("options", _V4_HEADER, header[_V4_HEADER:])


def _v6(header: bytes) -> Iterator[Field]:
    first = int.from_bytes(header[:4], "big")
    told = f"6, {first >> 20 & 0xFF}, {first & 0xFFFFF}"
    yield Field("version, traffic class, flow label", 0, header[:4], told)
    yield Field("payload length", 4, header[4:6], f"{_number(header[4:6])} bytes")
    yield Field("next header", 6, header[6:7], _protocol(header[6]))
    yield Field("hop limit", 7, header[7:8], f"{header[7]}")
    yield Field("source address", 8, header[8:24], _address(header[8:24]))
    yield Field("destination address", 24, header[24:40], _address(header[24:40]))
    if len(header) > _V6_HEADER:
        yield Field("extension headers", _V6_HEADER, header[_V6_HEADER:])


def _number(value: bytes) -> str:
    return str(int.from_bytes(value, "big"))


def _udp_checksum(value: bytes, data: bytes, at: int) -> str:
    """Tell whether a checksum is right: that of pseudo header, header and data (RFC 768).

    Where the kernel leaves it to the network card, the packet is captured before, with the
    sum of the pseudo header in its place.
    """
    if value == b"\0\0":
        return "none (0)"
    addresses = data[12:20] if data[0] >> 4 == 4 else data[8:40]
    size = int.from_bytes(data[at + 4 : at + 6], "big")
    pseudo = addresses + (17).to_bytes(2, "big") + size.to_bytes(2, "big")
    if _sum(pseudo + data[at : at + size]) == 0xFFFF:
        return "right"
    unfinished = int.from_bytes(value, "big") == _sum(pseudo)
    return "not finished: left to the network card" if unfinished else "wrong"


def _sum(data: bytes) -> int:
    """Return the sum in one's complement of 16-bit words (RFC 1071)."""
    data += bytes(len(data) % 2)
    words = (int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    total = sum(words)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _protocol(number: int) -> str:
    return f"{number}: {_PROTOCOLS[number]}" if number in _PROTOCOLS else f"{number}"


def _address(value: bytes) -> str:
    return str(ip_address(value))
