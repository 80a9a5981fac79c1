"""What can be read in a message of SNMP but is not as the standards have it."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.observe.dissect import ber, grammar
from labctl.observe.dissect.ber import Node
from labctl.observe.dissect.model import Field

_REQUESTS = (grammar.GET, grammar.GET_NEXT, grammar.GET_BULK)
_EMPTY = (0x80, 0x81, 0x82, grammar.NULL)


def encoding(node: Node) -> Iterator[str]:
    """Yield what is wrong with how one value is encoded (X.690)."""
    value, at = node.value, node.at
    if node.number == grammar.INTEGER:
        if not value:
            yield f"byte {at}: an INTEGER of no byte (X.690, 8.3.1)"
        elif len(value) > 1 and (value[0], value[1] >> 7) in ((0, 0), (0xFF, 1)):
            yield f"byte {at}: an INTEGER in more bytes than it needs (X.690, 8.3.2)"
    if node.number in _EMPTY and value:
        yield f"byte {at}: {grammar.KINDS[node.number]} with {len(value)} bytes (X.690, 8.8)"
    if node.number == grammar.OID:
        yield from _identifier(value, at)


def _identifier(value: bytes, at: int) -> Iterator[str]:
    if ber.identifier(value) is None:
        yield f"byte {at}: an OBJECT IDENTIFIER that is cut short (X.690, 8.19.2)"
        return
    begins = (i for i in range(len(value)) if i == 0 or not value[i - 1] & 0x80)
    if any(value[i] == 0x80 for i in begins):
        yield f"byte {at}: a number of an OBJECT IDENTIFIER begins with 80 (X.690, 8.19.2)"
    if value[:2] == b"\x01\x03":
        yield (
            f"byte {at}: the OBJECT IDENTIFIER begins with 01 03, which is 0.1.3; for 1.3 the first"
            " two numbers share one byte, 40 × 1 + 3 = 43, which is 2b (X.690, 8.19.4)"
        )


def meant(message: Field) -> Iterator[str]:
    """Yield what is wrong with a message that has all its parts (RFC 3416)."""
    for _, field in message.walk():
        if field.name == "PDU" and field.tag[0] in _REQUESTS:
            yield from _request(field, field.tag[0])


def _request(pdu: Field, kind: int) -> Iterator[str]:
    if kind != grammar.GET_BULK:
        for part in pdu.parts[1:3]:
            if part.value.strip(b"\0"):
                yield f"byte {part.at}: {part.name} {part.meaning} in a {pdu.kind}, where it is 0"
    for binding in pdu.parts[3].parts:
        value = binding.parts[1]
        if value.tag[0] != grammar.NULL:
            yield (
                f"byte {value.at}: the value of a {pdu.kind} is {value.kind} {value.meaning}, where"
                " NULL (05 00) holds the place: who asks has no value yet"
            )
