"""The Napster protocol's wire format: frames, fields, addresses. Pure: no socket here.

Source: the OpenNap project's napster.txt (2000). A frame is `length` and `type`, two bytes
each, little-endian, then `length` bytes of text. Text is kept as `str`; bytes that are not
UTF-8 survive as surrogates (PEP 383), so any file name comes back byte for byte.
"""

import ipaddress
import re
import struct
from enum import IntEnum
from typing import NamedTuple

HEADER = struct.Struct("<HH")
MOST_DATA = 2048
"""Bytes of data a message may have: the limit of the old servers, and ours."""

FIELD = re.compile(r'"([^"]*)"|([^" ]+)')
NICK = re.compile(r"[A-Za-z0-9_\[\]{}\-@^!$.]{1,64}")
"""The nicks Napster allowed, and dots besides: a host's name makes a good nick."""


class Kind(IntEnum):
    """The message types, by what napster.txt says of them."""

    LOGIN_ERROR = 0
    LOGIN = 2
    LOGIN_ACCEPTED = 3
    REGISTER = 6
    NICK_CHECK = 7
    NICK_FREE = 8
    NICK_TAKEN = 9
    NICK_INVALID = 10
    SHARE = 100
    UNSHARE = 102
    SEARCH = 200
    RESULT = 201
    RESULTS_END = 202
    DOWNLOAD = 203
    GO_AHEAD = 204
    NOT_TO_BE_HAD = 206
    BROWSE = 211
    BROWSED = 212
    BROWSE_END = 213
    STATISTICS = 214
    RESUME = 215
    RESUME_HOLDER = 216
    RESUME_END = 217
    DOWNLOAD_BEGUN = 218
    DOWNLOAD_ENDED = 219
    UPLOAD_BEGUN = 220
    UPLOAD_ENDED = 221
    ERROR = 404
    PUSH = 500
    PUSH_TO = 501
    LINK_SPEED = 600
    LINK_SPEED_IS = 601
    WHOIS = 603
    WHOIS_IS = 604
    WHOWAS = 605
    WANTED = 607
    ACCEPTED = 608
    MESSAGE_OF_THE_DAY = 621
    DATA_PORT = 703
    PING = 751
    PONG = 752
    SHARE_FOLDER = 870


class Malformed(ValueError):
    """The data of a message does not follow the protocol."""


class Message(NamedTuple):
    """One message. `kind` may be a number that `Kind` does not know."""

    kind: int
    data: str = ""


def encode(message: Message) -> bytes:
    """The message as it goes over the wire. Raises Malformed when the data is too long."""
    data = message.data.encode("utf-8", "surrogateescape")
    if len(data) > MOST_DATA:
        raise Malformed(f"{len(data)} bytes of data, at most {MOST_DATA} are allowed")
    return HEADER.pack(len(data), message.kind) + data


def size(data: str) -> int:
    """How many bytes `data` has on the wire."""
    return len(data.encode("utf-8", "surrogateescape"))


class Decoder:
    """Takes a byte stream in any pieces and gives whole messages back.

    A frame of more than MOST_DATA bytes is still taken whole (at most 65,535 bytes, the
    length field has no more), so that its sender keeps the connection; whoever handles it
    sees by its `size` that it is too long.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def pending(self) -> int:
        """Bytes held that have not been given back as messages."""
        return len(self._bytes)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the stream."""
        self._bytes += piece

    def next(self) -> Message | None:
        """The next whole message; None when more bytes are needed."""
        if len(self._bytes) < HEADER.size:
            return None
        length, kind = HEADER.unpack_from(self._bytes)
        end = HEADER.size + length
        if len(self._bytes) < end:
            return None
        data = self._bytes[HEADER.size : end].decode("utf-8", "surrogateescape")
        del self._bytes[:end]
        return Message(kind, data)


def fields(data: str) -> list[str]:
    """The space-separated fields of `data`, quotes removed. Raises Malformed."""
    found = []
    at = 0
    while at < len(data):
        if data[at] == " ":
            at += 1
            continue
        match = FIELD.match(data, at)
        if match is None or data[match.end() : match.end() + 1] not in ("", " "):
            raise Malformed(f"a stray quote at character {at}")
        found.append(match[1] if match[2] is None else match[2])
        at = match.end()
    return found


def quoted(text: str) -> str:
    """`text` in double quotes. Raises Malformed when it holds one: there is no escaping."""
    if '"' in text:
        raise Malformed("a double quote cannot be sent")
    return f'"{text}"'


def number(text: str, most: int = 2**63 - 1) -> int:
    """A decimal number from 0 to `most`. Raises Malformed."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > most:
        raise Malformed(f"{text[:40]!r} is not a number from 0 to {most}")
    return int(text)


def ip_number(ip: str) -> int:
    """`10.0.0.1` as 16777226: the four bytes in network order read as little-endian."""
    return int.from_bytes(ipaddress.IPv4Address(ip).packed, "little")


def ip_text(value: int) -> str:
    """16777226 as `10.0.0.1`. Raises Malformed for what does not fit into 32 bits."""
    if not 0 <= value < 2**32:
        raise Malformed(f"{value} is no IPv4 address")
    return str(ipaddress.IPv4Address(value.to_bytes(4, "little")))
