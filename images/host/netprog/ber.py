"""The Basic Encoding Rules (BER, X.690) as SNMP uses them: a tag, a length, and the value.

    02 01 05              INTEGER, 1 byte: 5
    05 00                 NULL, no byte
    30 05 02 01 05 05 00  SEQUENCE, 5 bytes: the two above

A tag is one byte here: SNMP has no other. A length below 128 is one byte; a larger one is 80
hex plus how many bytes it takes, and then these (X.690, 8.1.3).
"""

from dataclasses import dataclass

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46

CONSTRUCTED = 0x20
"""The bit of a tag that says: the value is itself tags, lengths and values (X.690, 8.1.2.5)."""

DEEPEST = 16
"""How deep values may lie in each other. A message of SNMP needs five."""


class Malformed(Exception):
    """Bytes that are no BER; the text says what is wrong, and at which byte."""


@dataclass(frozen=True)
class Element:
    """One tag, length and value: `at` is the tag's place, `start` to `end` are the value's."""

    data: bytes
    at: int
    tag: int
    start: int
    end: int
    parts: tuple["Element", ...] = ()

    @property
    def value(self) -> bytes:
        return self.data[self.start : self.end]


def encode(tag: int, *values: bytes) -> bytes:
    """A tag, the length of the values together, and the values."""
    value = b"".join(values)
    size = len(value)
    if size < 128:
        return bytes([tag, size]) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value


def integer(number: int) -> bytes:
    """An INTEGER in as few bytes of two's complement as hold it (X.690, 8.3)."""
    size = ((number if number >= 0 else ~number).bit_length() + 8) // 8
    return encode(INTEGER, number.to_bytes(size, "big", signed=True))


def object_identifier(name: str) -> bytes:
    """An OBJECT IDENTIFIER from its numbers with dots (X.690, 8.19).

    The first two numbers x and y share one: 40 * x + y, so 1.3 is 43, or 2b. Each number is
    written seven bits a byte; all its bytes but the last have the highest bit set.
    """
    first, second, *rest = (int(number) for number in name.split("."))
    return encode(OBJECT_IDENTIFIER, *(_seven_bits(n) for n in (40 * first + second, *rest)))


def _seven_bits(number: int) -> bytes:
    result = bytes([number & 0x7F])
    while number := number >> 7:
        result = bytes([0x80 | number & 0x7F]) + result
    return result


def decode(data: bytes) -> Element:
    """The one element that `data` is. Raises Malformed."""
    element = _element(data, 0, len(data), 0)
    if element.end != len(data):
        raise Malformed(f"byte {element.end}: {len(data) - element.end} bytes too many")
    return element


def _element(data: bytes, at: int, limit: int, depth: int) -> Element:
    """The element that begins at `at` and must end at `limit` at the latest."""
    if limit - at < 2:
        raise Malformed(f"byte {at}: no room for a tag and a length")
    if depth > DEEPEST:
        raise Malformed(f"byte {at}: more than {DEEPEST} values within each other")
    tag, size, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise Malformed(f"byte {at}: a tag of several bytes, which SNMP has not")
    if size == 0x80:
        raise Malformed(f"byte {at + 1}: an indefinite length, which SNMP forbids (RFC 3417, 8)")
    if size > 0x80:
        start += size & 0x7F
        if start > limit:
            raise Malformed(f"byte {at + 1}: the length is cut short")
        size = int.from_bytes(data[at + 2 : start], "big")
    if size > limit - start:
        # A length of 126 bytes is a number of 300 digits: not one to print.
        told = str(size) if size < 1 << 64 else f"2^{size.bit_length() - 1} and more"
        raise Malformed(f"byte {at + 1}: a length of {told}, but {limit - start} bytes follow")
    end, parts = start + size, []
    here = start
    while tag & CONSTRUCTED and here < end:
        parts.append(_element(data, here, end, depth + 1))
        here = parts[-1].end
    return Element(data, at, tag, start, end, tuple(parts))


def number(element: Element) -> int:
    """The number in an INTEGER, or in a Counter32 or another of SNMP's. Raises Malformed."""
    if not 1 <= element.end - element.start <= 9:
        raise Malformed(f"byte {element.at}: a number of {element.end - element.start} bytes")
    # Only INTEGER has a sign; what has not may have all its bits set.
    return int.from_bytes(element.value, "big", signed=element.tag == INTEGER)


def numbers(element: Element) -> str:
    """The numbers of an OBJECT IDENTIFIER, with dots. Raises Malformed."""
    if not element.value or element.value[-1] & 0x80:
        raise Malformed(f"byte {element.at}: an OBJECT IDENTIFIER that is cut short")
    found, value = [], 0
    for byte in element.value:
        value = value << 7 | byte & 0x7F
        if value >= 1 << 32:
            raise Malformed(f"byte {element.at}: an OBJECT IDENTIFIER with a number above 2^32")
        if not byte & 0x80:
            found.append(value)
            value = 0
    first = min(found[0] // 40, 2)
    return ".".join(map(str, (first, found[0] - 40 * first, *found[1:])))
