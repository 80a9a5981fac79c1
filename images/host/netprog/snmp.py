"""A GetRequest of SNMP and its response (RFC 1157 for version 1, RFC 3416 for 2c).

SEQUENCE                     the message
  INTEGER                    version: 0 is SNMPv1, 1 is SNMPv2c
  OCTET STRING               community
  [A0] GetRequest-PDU        [A2] the response
    INTEGER                  request-id: the response has the same
    INTEGER                  error-status
    INTEGER                  error-index
    SEQUENCE                 variable-bindings
      SEQUENCE               of each: its name and its value
        OBJECT IDENTIFIER    name
        NULL                 value: in a request there is none yet
"""

import ber
from ber import Element, Malformed

GET_REQUEST, RESPONSE = 0xA0, 0xA2

VERSIONS = {"1": 0, "2c": 1}

ERRORS = ("noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr")
"""By their numbers; what version 2 added, a GetRequest is not answered with, but for these."""

MORE_ERRORS = {6: "noAccess", 16: "authorizationError"}

NOTHING = {0x80: "noSuchObject", 0x81: "noSuchInstance", 0x82: "endOfMibView"}
"""What version 2c says in place of a value (RFC 3416, 3)."""

TAGS = {
    ber.INTEGER: "INTEGER",
    ber.OCTET_STRING: "OCTET STRING",
    ber.NULL: "NULL",
    ber.OBJECT_IDENTIFIER: "OBJECT IDENTIFIER",
    ber.SEQUENCE: "SEQUENCE",
    ber.IP_ADDRESS: "IpAddress",
    ber.COUNTER32: "Counter32",
    ber.GAUGE32: "Gauge32",
    ber.TIME_TICKS: "TimeTicks",
    ber.OPAQUE: "Opaque",
    ber.COUNTER64: "Counter64",
    GET_REQUEST: "GetRequest-PDU",
    RESPONSE: "Response-PDU",
    **NOTHING,
}


NUMBERS = (ber.INTEGER, ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.COUNTER64)
"""The tags of what is a number."""


class Refused(Exception):
    """The agent answered that it has no value; the text says why."""


def get_request(version: str, community: str, request_id: int, oid: str) -> bytes:
    """The bytes of a GetRequest for one variable."""
    binding = ber.encode(ber.SEQUENCE, ber.object_identifier(oid), ber.encode(ber.NULL))
    pdu = ber.encode(
        GET_REQUEST,
        ber.integer(request_id),
        ber.integer(0),
        ber.integer(0),
        ber.encode(ber.SEQUENCE, binding),
    )
    name = ber.encode(ber.OCTET_STRING, community.encode())
    return ber.encode(ber.SEQUENCE, ber.integer(VERSIONS[version]), name, pdu)


def response(data: bytes, request_id: int) -> Element | None:
    """The value in the response to a request; None where it answers another one.

    Raises Malformed for what is no response, Refused where the agent gives no value.
    """
    message = ber.decode(data)
    try:
        _version, _community, pdu = message.parts
        number, status, _index, bindings = pdu.parts
        (binding,) = bindings.parts
        _name, value = binding.parts
    except ValueError as error:
        raise Malformed("no response of SNMP: it has other parts") from error
    if pdu.tag != RESPONSE:
        raise Malformed(f"byte {pdu.at}: tag {pdu.tag:02x} where a response has a2")
    if ber.number(number) != request_id:
        return None
    if said := ber.number(status):
        known = ERRORS[said] if 0 < said < len(ERRORS) else MORE_ERRORS.get(said, "")
        raise Refused(f"error-status {said} {known}".rstrip())
    if value.tag in NOTHING:
        raise Refused(NOTHING[value.tag])
    return value


def text(element: Element) -> str:
    """A value as a person writes it. Raises Malformed."""
    if element.tag == ber.OBJECT_IDENTIFIER:
        return ber.numbers(element)
    if element.tag == ber.OCTET_STRING:
        return element.value.decode(errors="backslashreplace")
    if element.tag == ber.IP_ADDRESS:
        return ".".join(map(str, element.value))
    if element.tag in NUMBERS:
        return str(ber.number(element))
    return element.value.hex(" ")
