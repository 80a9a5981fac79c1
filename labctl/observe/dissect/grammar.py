"""What a message of SNMP is made of (RFC 1157, RFC 3416, RFC 3412), by names and tags."""

from __future__ import annotations

from dataclasses import dataclass

INTEGER, STRING, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
GET, GET_NEXT, RESPONSE, SET, TRAP_V1, GET_BULK, INFORM, TRAP_V2, REPORT = range(0xA0, 0xA9)

KINDS = {
    INTEGER: "INTEGER",
    STRING: "OCTET STRING",
    NULL: "NULL",
    OID: "OBJECT IDENTIFIER",
    SEQUENCE: "SEQUENCE",
    IP_ADDRESS: "IpAddress",
    COUNTER32: "Counter32",
    GAUGE32: "Gauge32",
    TIME_TICKS: "TimeTicks",
    OPAQUE: "Opaque",
    COUNTER64: "Counter64",
    0x80: "noSuchObject",
    0x81: "noSuchInstance",
    0x82: "endOfMibView",
    GET: "GetRequest-PDU",
    GET_NEXT: "GetNextRequest-PDU",
    RESPONSE: "Response-PDU",
    SET: "SetRequest-PDU",
    TRAP_V1: "Trap-PDU",
    GET_BULK: "GetBulkRequest-PDU",
    INFORM: "InformRequest-PDU",
    TRAP_V2: "SNMPv2-Trap-PDU",
    REPORT: "Report-PDU",
}
"""The types by their tags."""

VERSIONS = {0: "SNMPv1", 1: "SNMPv2c", 3: "SNMPv3"}

ERRORS = (
    "noError",
    "tooBig",
    "noSuchName",
    "badValue",
    "readOnly",
    "genErr",
    "noAccess",
    "wrongType",
    "wrongLength",
    "wrongEncoding",
    "wrongValue",
    "noCreation",
    "inconsistentValue",
    "resourceUnavailable",
    "commitFailed",
    "undoFailed",
    "authorizationError",
    "notWritable",
    "inconsistentName",
)
"""What the error-status says, by its number (RFC 3416, 3)."""

TRAPS = (
    "coldStart",
    "warmStart",
    "linkDown",
    "linkUp",
    "authenticationFailure",
    "egpNeighborLoss",
    "enterpriseSpecific",
)
"""What the generic-trap says, by its number (RFC 1157, 4.1.6)."""


@dataclass(frozen=True)
class Due:
    """What is due at a place: its name, the tags that it may have (any, where there are none).

    `parts` are due within it, one after the other; or `each` of them is of one kind.
    """

    name: str
    tags: frozenset[int] = frozenset()
    parts: tuple[Due, ...] = ()
    each: Due | None = None


def _due(name: str, *tags: int, parts: tuple[Due, ...] = (), each: Due | None = None) -> Due:
    return Due(name, frozenset(tags), parts, each)


_BINDING = _due("binding", SEQUENCE, parts=(_due("name", OID), _due("value")))
_BINDINGS = _due("variable-bindings", SEQUENCE, each=_BINDING)
_REQUEST_ID = _due("request-id", INTEGER)
_ORDINARY = (_REQUEST_ID, _due("error-status", INTEGER), _due("error-index", INTEGER), _BINDINGS)
_BULK = (
    _REQUEST_ID,
    _due("non-repeaters", INTEGER),
    _due("max-repetitions", INTEGER),
    _BINDINGS,
)
_TRAP = (
    _due("enterprise", OID),
    _due("agent-addr", IP_ADDRESS),
    _due("generic-trap", INTEGER),
    _due("specific-trap", INTEGER),
    _due("time-stamp", TIME_TICKS),
    _BINDINGS,
)
_PDUS = range(GET, REPORT + 1)
_GLOBAL = _due(
    "msgGlobalData",
    SEQUENCE,
    parts=(
        _due("msgID", INTEGER),
        _due("msgMaxSize", INTEGER),
        _due("msgFlags", STRING),
        _due("msgSecurityModel", INTEGER),
    ),
)
_VERSION = _due("version", INTEGER)


def pdu(tag: int) -> Due:
    """Return what is due in a PDU of a tag."""
    parts = {TRAP_V1: _TRAP, GET_BULK: _BULK}.get(tag, _ORDINARY)
    return _due("PDU", *_PDUS, parts=parts if tag in _PDUS else ())


def message(version: int | None, kind: int | None, last: int | None) -> Due:
    """Return what is due in a message of a version; `kind` is the PDU's tag.

    Of version 3, `last` is the tag of the last part: an OCTET STRING there is encrypted.
    """
    if version != 3:
        parts = (_VERSION, _due("community", STRING), pdu(GET if kind is None else kind))
        return _due("message", SEQUENCE, parts=parts)
    inner: tuple[Due, ...] = ()
    if last == SEQUENCE:
        ids = _due("contextEngineID", STRING), _due("contextName", STRING)
        inner = (*ids, pdu(GET if kind is None else kind))
    security = _due("msgSecurityParameters", STRING)
    data = _due("msgData", SEQUENCE, STRING, parts=inner)
    return _due("message", SEQUENCE, parts=(_VERSION, _GLOBAL, security, data))
