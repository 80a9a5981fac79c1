"""The swarm's messages between two peers: frames on a data connection. Pure: no socket here.

Whoever connects sends `SWARM` where an ordinary downloader sends `GET` (see uploader.py); a
peer that does not know it answers INVALID REQUEST, as to anything else, and hangs up. From
then on both send frames: a type (1 byte), a length (4 bytes), then `length` bytes of data;
all integers are little-endian. docs/swarm.md tells who sends what when.
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from napster import Malformed, fields, number, quoted

GREETING = b"SWARM"
HEADER = struct.Struct("<BI")
PIECE_NUMBER = struct.Struct("<I")
CLASS = struct.Struct("<HH")

MOST_DATA = 1 << 21
"""Bytes a frame may have: the hashes of the most pieces, or a piece of the largest size."""


class Kind(IntEnum):
    """The types of frames, and what is in their data."""

    HELLO = 1
    """`nick "name" size root port`, as text: which file, and where the sender takes calls."""
    HASHES = 2
    """Nothing: a question. Otherwise the 32 bytes of each piece's SHA-256."""
    BITS = 3
    """Which pieces the sender has: bit 0 of byte 0 is piece 0."""
    HAVE = 4
    """Numbers of pieces that it now has, too."""
    ASK = 5
    """Numbers of pieces that it wants to be sent."""
    ANY = 6
    """Two numbers of 2 bytes, k and m: it wants any piece whose number leaves k, divided by m."""
    PIECE = 7
    """A number, then the bytes of that piece."""
    NONE = 8
    """Nothing: there is no piece (left) for an ANY. Or the number of one that was asked for."""
    CANCEL = 9
    """A number: the piece has come from elsewhere."""
    PEERS = 10
    """`ip:port` of others in the swarm, with spaces between, as text."""


class Frame(NamedTuple):
    """One frame as it came."""

    kind: Kind
    data: bytes


def frame(kind: Kind, data: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(data)) + data


def numbers(kind: Kind, pieces: Iterable[int]) -> bytes:
    """A frame of piece numbers."""
    return frame(kind, b"".join(map(PIECE_NUMBER.pack, pieces)))


def parse_numbers(data: bytes, pieces: int) -> list[int]:
    """The piece numbers in a frame, each below `pieces`. Raises Malformed."""
    if len(data) % PIECE_NUMBER.size:
        raise Malformed("half a piece number")
    found = [piece for (piece,) in PIECE_NUMBER.iter_unpack(data)]
    if any(piece >= pieces for piece in found):
        raise Malformed("a piece behind the last one")
    return found


class Decoder:
    """Takes a byte stream in any pieces and gives whole frames back."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, piece: bytes | memoryview) -> None:
        """Take the next bytes of the stream."""
        self._bytes += piece

    @property
    def missing(self) -> int:
        """Bytes that the frame lacks that has begun; 0 when not even its length is here."""
        if len(self._bytes) < HEADER.size:
            return 0
        length: int = HEADER.unpack_from(self._bytes)[1]
        return max(HEADER.size + length - len(self._bytes), 0)

    def next(self) -> Frame | None:
        """The next whole frame, None when more bytes are needed. Raises Malformed."""
        if len(self._bytes) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self._bytes)
        if length > MOST_DATA:
            raise Malformed(f"a frame of {length} bytes")
        end = HEADER.size + length
        if len(self._bytes) < end:
            return None
        data = bytes(memoryview(self._bytes)[HEADER.size : end])
        del self._bytes[:end]
        try:
            return Frame(Kind(kind), data)
        except ValueError:
            raise Malformed(f"a frame of the unknown type {kind}") from None


class Hello(NamedTuple):
    """What a peer says first. `root` is that of manifest.py, `-` while it is not known;
    `size` is in bytes; `port` is 0 when it takes no calls."""

    nick: str
    name: str
    size: int
    root: str
    port: int

    @classmethod
    def parse(cls, data: bytes) -> "Hello":
        """Raises Malformed."""
        found = fields(data.decode("utf-8", "surrogateescape"))
        if len(found) != 5:
            raise Malformed("no five fields")
        nick, name, size, root, port = found
        return cls(nick, name, number(size), root, number(port, 65535))

    def frame(self) -> bytes:
        text = f"{self.nick} {quoted(self.name)} {self.size} {self.root} {self.port}"
        return frame(Kind.HELLO, text.encode("utf-8", "surrogateescape"))


def bits(have: Iterable[int], pieces: int) -> bytes:
    """A BITS frame."""
    field = bytearray((pieces + 7) // 8)
    for piece in have:
        field[piece >> 3] |= 1 << (piece & 7)
    return frame(Kind.BITS, bytes(field))


def parse_bits(data: bytes, pieces: int) -> set[int]:
    """The pieces of a BITS frame. Raises Malformed."""
    if len(data) != (pieces + 7) // 8:
        raise Malformed("bits for another number of pieces")
    return {piece for piece in range(pieces) if data[piece >> 3] >> (piece & 7) & 1}


def any_of(remainder: int, divisor: int) -> bytes:
    """An ANY frame."""
    return frame(Kind.ANY, CLASS.pack(remainder, divisor))


def parse_any(data: bytes) -> tuple[int, int]:
    """Remainder and divisor of an ANY frame. Raises Malformed."""
    if len(data) != CLASS.size:
        raise Malformed("an ANY of another length")
    remainder, divisor = CLASS.unpack(data)
    if not remainder < divisor:
        raise Malformed("no such remainder")
    return remainder, divisor
