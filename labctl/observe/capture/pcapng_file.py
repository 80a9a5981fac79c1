"""Reads pcapng files (draft-ietf-opsawg-pcapng), ours and those of other programs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from labctl.observe.capture.frames import Frame
from labctl.observe.capture.link import LINK_TYPES, Link, Way
from labctl.observe.capture.pcap import MAXIMUM_SNAPLEN, Record

MAGIC = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _SIMPLE, _PACKET = 0x0A0D0D0A, 1, 3, 6
_COMMENT, _NAME, _RESOLUTION = 1, 2, 9
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_NANOSECONDS = 1_000_000_000
_LINK_TYPE_MASK = 0xFFFF


@dataclass(frozen=True)
class _Interface:
    link_type: int
    name: str
    units: int
    """How many units of time a second has."""


class Damaged(Exception):
    """The file cannot be read on; the text says why."""


def frames(content: bytes) -> Iterator[Frame]:
    """Yield the packets of a file in its order. Raises Damaged where it cannot be read on.

    In files of labctl's the interface is HOST/NETWORK and a comment tells which way a packet
    went; of others `host` is the interface's name.
    """
    interfaces: list[_Interface] = []
    number = 0
    for kind, body, order in _blocks(content):
        if kind == _SECTION:
            interfaces = []
        elif kind == _INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind in (_PACKET, _SIMPLE):
            number += 1
            yield _frame(number, kind, body, order, interfaces)


def _blocks(content: bytes) -> Iterator[tuple[int, bytes, str]]:
    at, order = 0, "<"
    while at < len(content):
        if content[at : at + 4] == MAGIC:
            told = _ORDERS.get(content[at + 8 : at + 12])
            if told is None:
                raise Damaged(f"byte {at + 8}: no byte order")
            order = told
        if len(content) < at + 12:
            raise Damaged(f"byte {at}: it is cut within a block")
        kind, size = struct.unpack_from(f"{order}II", content, at)
        if size < 12 or size % 4:
            raise Damaged(f"byte {at + 4}: a block of {size} bytes")
        if at + size > len(content):
            raise Damaged(f"byte {at}: it is cut within a block")
        yield kind, content[at + 8 : at + size - 4], order
        at += size


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise Damaged("an interface that is cut short")
    link_type = struct.unpack_from(f"{order}H", body)[0]
    options = dict(_options(body, 8, order))
    resolution = options.get(_RESOLUTION, b"\x06")[:1] or b"\x06"
    exponent = resolution[0] & 0x7F
    units = 2**exponent if resolution[0] & 0x80 else 10**exponent
    name = options.get(_NAME, b"").decode(errors="replace")
    return _Interface(link_type & _LINK_TYPE_MASK, name, units)


def _frame(number: int, kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Frame:
    time = wanted = 0
    start, options = 4, {}
    try:
        if kind == _PACKET:
            wanted, high, low, kept, length = struct.unpack_from(f"{order}IIIII", body)
            time, start = high << 32 | low, 20
            options = dict(_options(body, start + kept + -kept % 4, order))
        else:
            length = struct.unpack_from(f"{order}I", body)[0]
            kept = min(length, len(body) - start)
        interface = interfaces[wanted]
    except (struct.error, IndexError) as error:
        raise Damaged(f"packet {number} is damaged") from error
    if kept > min(len(body) - start, MAXIMUM_SNAPLEN):
        raise Damaged(f"packet {number} is damaged")
    data = body[start : start + kept]
    record = Record(time * _NANOSECONDS // interface.units, data, max(length, kept))
    read = LINK_TYPES.get(interface.link_type)
    link = read(data) if read else None
    comment = options.get(_COMMENT, b"").decode(errors="replace")
    return Frame(number, interface.name.partition("/")[0], record, _way(link, comment))


def _way(link: Link | None, comment: str) -> Link | None:
    if link is None or link.way is not Way.UNKNOWN:
        return link
    told = next((way for way in Way if comment.endswith(f": {way.value}")), Way.UNKNOWN)
    return link._replace(way=told)


def _options(body: bytes, at: int, order: str) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(body):
        code, size = struct.unpack_from(f"{order}HH", body, at)
        if code == 0:
            return
        yield code, body[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
