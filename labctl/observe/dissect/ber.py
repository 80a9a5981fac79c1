"""Reads the Basic Encoding Rules (X.690): tags, lengths and values, as far as they are whole."""

from __future__ import annotations

from dataclasses import dataclass

CONSTRUCTED = 0x20
DEEPEST = 32
"""How deep values may lie in each other; SNMP needs five."""

_LONG_TAG = 0x1F
_INDEFINITE = 0x80
_PRINTED = 1 << 64


@dataclass(frozen=True)
class Node:
    """One tag, length and value; where the value was cut short, what is left of it."""

    at: int
    tag: bytes
    length: bytes
    value: bytes
    parts: tuple[Node, ...] = ()

    @property
    def number(self) -> int:
        """The tag as a number."""
        return self.tag[0]


@dataclass(frozen=True)
class Parsed:
    """The node that bytes are, as far as it can be read; `problem` says why not to the end."""

    node: Node | None
    problem: str | None = None


def parse(data: bytes) -> Parsed:
    """Read the one element that `data` is. Whatever is wrong is told, and nothing raised."""
    reader = _Reader(data)
    node, end = reader.node(0, len(data), 0)
    if node is not None and end < len(data):
        reader.tell(end, f"{len(data) - end} bytes too many")
    return Parsed(node, reader.problem)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.problem: str | None = None

    def tell(self, at: int, what: str) -> None:
        """Remember what is wrong; what comes after the first is its consequence."""
        if self.problem is None:
            self.problem = f"byte {at}: {what}"

    def node(self, at: int, limit: int, depth: int) -> tuple[Node | None, int]:
        """Return the node that begins at `at`, and where it ends: at `limit` at the latest."""
        data = self._data
        if at >= limit:
            self.tell(at, "no byte is there")
            return None, limit
        tag = data[at]
        if tag & _LONG_TAG == _LONG_TAG:
            self.tell(at, f"tag {tag:02x}: a tag of several bytes, which SNMP has not")
            return None, limit
        start, size = self._length(at + 1, limit)
        if size is None:
            return Node(at, data[at : at + 1], data[at + 1 : start], data[start:limit]), limit
        if size > limit - start:
            told = f"{size:,}" if size < _PRINTED else f"more than 2^{size.bit_length() - 1}"
            self.tell(at + 1, f"a length of {told} bytes, but only {limit - start} follow")
        end = min(start + size, limit)
        parts = self._parts(start, end, depth) if tag & CONSTRUCTED else ()
        return Node(at, data[at : at + 1], data[at + 1 : start], data[start:end], parts), end

    def _length(self, at: int, limit: int) -> tuple[int, int | None]:
        """Return where the value begins, and its length; None where that cannot be read."""
        if at >= limit:
            self.tell(at, "the length is missing")
            return at, None
        first = self._data[at]
        if first < _INDEFINITE:
            return at + 1, first
        if first == _INDEFINITE:
            self.tell(at, "an indefinite length (80), which SNMP forbids (RFC 3417, 8)")
            return at + 1, None
        start = at + 1 + (first & 0x7F)
        if start > limit:
            self.tell(at, f"the length has {first & 0x7F} bytes, but only {limit - at - 1} follow")
            return limit, None
        return start, int.from_bytes(self._data[at + 1 : start], "big")

    def _parts(self, at: int, end: int, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        if depth >= DEEPEST:
            self.tell(at, f"more than {DEEPEST} values within each other")
            return ()
        while at < end:
            node, at = self.node(at, end, depth + 1)
            if node is None:
                break
            found.append(node)
        return tuple(found)


def integer(value: bytes, signed: bool = True) -> int:
    """Return the number that the bytes of an INTEGER are (X.690, 8.3)."""
    return int.from_bytes(value, "big", signed=signed)


def identifier(value: bytes) -> str | None:
    """Return the numbers of an OBJECT IDENTIFIER (X.690, 8.19), None where they are cut short."""
    if not value or value[-1] & 0x80:
        return None
    found, number = [], 0
    for byte in value:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            found.append(number)
            number = 0
    first = min(found[0] // 40, 2)
    return ".".join(_printed(one) for one in (first, found[0] - 40 * first, *found[1:]))


def _printed(number: int) -> str:
    """Return a number in digits; one of a thousand bytes has no use, and Python prints none."""
    return str(number) if number < _PRINTED else f"(2^{number.bit_length() - 1} and more)"
