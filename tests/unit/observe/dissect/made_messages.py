"""Messages of SNMP made with pyasn1, which is not ours, and captures that hold them."""

from __future__ import annotations

from typing import Any

from pyasn1.codec.ber import encoder
from pyasn1.type import tag, univ

from labctl.observe.capture.frames import frames
from labctl.observe.dissect import Message, messages
from tests.unit.observe.capture.made import Wire, udp

CLIENT, AGENT = "10.0.0.1:40000", "10.0.0.2:161"


def application(number: int, base: type[Any], **more: Any) -> Any:
    """Return a type of SNMP's (RFC 2578): APPLICATION `number`."""
    return base.tagSet.tagImplicitly(tag.Tag(tag.tagClassApplication, tag.tagFormatSimple, number))


class Counter32(univ.Integer):  # type: ignore[misc]
    """Counter32 of RFC 2578."""

    tagSet = application(1, univ.Integer)  # noqa: N815


class Counter64(univ.Integer):  # type: ignore[misc]
    """Counter64 of RFC 2578."""

    tagSet = application(6, univ.Integer)  # noqa: N815


class TimeTicks(univ.Integer):  # type: ignore[misc]
    """TimeTicks of RFC 2578."""

    tagSet = application(3, univ.Integer)  # noqa: N815


def sequence(*values: Any, pdu: int | None = None) -> Any:
    """Return a SEQUENCE of values, or a PDU: the same with a context-specific tag."""
    of = univ.Sequence()
    if pdu is not None:
        of = of.subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, pdu))
    for number, value in enumerate(values):
        of.setComponentByPosition(number, value)
    return of


def message(
    *bindings: tuple[str, Any],
    version: int = 0,
    community: bytes = b"public",
    pdu: int = 0,
    request_id: int = 1,
    status: int = 0,
    index: int = 0,
) -> bytes:
    """Return a message as pyasn1 encodes it; a binding without a value has Null."""
    listed = sequence(
        *(
            sequence(univ.ObjectIdentifier(name), univ.Null("") if value is None else value)
            for name, value in bindings
        )
    )
    numbers = (univ.Integer(number) for number in (request_id, status, index))
    own = sequence(*numbers, listed, pdu=pdu)
    whole = sequence(univ.Integer(version), univ.OctetString(community), own)
    encoded: bytes = encoder.encode(whole)
    return encoded


def dissected(*sent: tuple[str, str, bytes], port: int = 161) -> list[Message]:
    """Return what is made of datagrams, each from, to, data, that two hosts have seen."""
    wire = Wire(snaplen=65535)
    for number, (source, target, data) in enumerate(sent):
        wire.send(udp(source, target, data, number=number))
    return messages(frames(wire.captures()), port, {"10.0.0.1": "client", "10.0.0.2": "server"})
