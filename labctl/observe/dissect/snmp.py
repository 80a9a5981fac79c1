"""Names the parts of a message of SNMP, says what each means, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from labctl.observe.dissect import ber, grammar
from labctl.observe.dissect.ber import Node
from labctl.observe.dissect.faults import encoding, meant
from labctl.observe.dissect.grammar import KINDS, Due
from labctl.observe.dissect.mib import named
from labctl.observe.dissect.model import Field

_MOST_TEXT = 60
_MOST_NUMBER = 9
"""Bytes of a Counter64 of which all bits are set; the first is 0 then."""


@dataclass(frozen=True)
class Snmp:
    """A message: its fields as far as it can be read, its title, what is wrong with it."""

    fields: tuple[Field, ...] = ()
    title: str = "no PDU that can be read"
    problem: str | None = None
    faults: tuple[str, ...] = ()
    request_id: int | None = None
    response: bool = False


def read(data: bytes) -> Snmp:
    """Return what the data of a datagram is. Nothing is raised, whatever it is."""
    parsed = ber.parse(data)
    if parsed.node is None:
        return Snmp(problem=parsed.problem)
    kind = _pdu(parsed.node)
    parts = parsed.node.parts
    version = _number(parts[0]) if parts else None
    due = grammar.message(
        version, kind.number if kind else None, parts[-1].number if parts else None
    )
    faults: list[str] = []
    field = _field(parsed.node, due, faults)
    if parsed.problem is None and not faults:
        faults += meant(field)
    known = kind is not None and kind.number in KINDS
    title = KINDS[kind.number] if kind and known else "no PDU that can be read"
    number = kind.parts[0] if kind and kind.parts and kind.number != grammar.TRAP_V1 else None
    return Snmp(
        (field,),
        title,
        parsed.problem,
        tuple(faults) if parsed.problem is None else (),  # what follows from that is no fault
        None if number is None else _number(number),
        bool(kind and kind.number == grammar.RESPONSE),
    )


def _pdu(message: Node) -> Node | None:
    """Return the PDU of a message: its last part, or in version 3 the last of its last."""
    if not message.parts:
        return None
    last = message.parts[-1]
    if last.number == grammar.SEQUENCE and last.parts:
        last = last.parts[-1]
    return last if last.number in range(grammar.GET, grammar.REPORT + 1) else None


def _field(node: Node, due: Due | None, faults: list[str]) -> Field:
    kind = KINDS.get(node.number, f"tag {node.number:02x}")
    name = due.name if due else ""
    if due and due.tags and node.number not in due.tags:
        wanted = " or ".join(sorted(KINDS[tag] for tag in due.tags if tag < grammar.GET)) or "a PDU"
        faults.append(f"byte {node.at}: {kind} as {due.name}, where {wanted} is due")
        due = None
    faults += encoding(node)
    parts = []
    for number, part in enumerate(node.parts):
        parts.append(_field(part, _due_at(due, number), faults))
    if due and due.parts and len(node.parts) != len(due.parts):
        faults.append(
            f"byte {node.at}: {due.name} has {len(node.parts)} parts, where"
            f" {len(due.parts)} are due"
        )
    return Field(
        name,
        node.at,
        node.value,
        _meaning(node, name),
        node.tag,
        node.length,
        kind,
        tuple(parts),
    )


def _due_at(due: Due | None, number: int) -> Due | None:
    if due is None:
        return None
    if due.each is not None:
        return due.each
    return due.parts[number] if number < len(due.parts) else None


def _meaning(node: Node, name: str) -> str:
    value, number = node.value, _number(node)
    if number is not None:
        return _numbered(number, name)
    if node.number == grammar.NULL:
        return "in place of a value" if name == "value" else ""
    if node.number & ber.CONSTRUCTED:
        return f"{len(value)} bytes"
    told = _MEANINGS.get(node.number)
    return "" if told is None else told(value)


def _numbered(number: int, name: str) -> str:
    words = {
        "version": grammar.VERSIONS,
        "error-status": dict(enumerate(grammar.ERRORS)),
        "generic-trap": dict(enumerate(grammar.TRAPS)),
    }.get(name, {})
    return f"{number}: {words[number]}" if number in words else f"{number}"


_SIGNED = (grammar.INTEGER,)
_UNSIGNED = (grammar.COUNTER32, grammar.GAUGE32, grammar.TIME_TICKS, grammar.COUNTER64)


def _number(node: Node) -> int | None:
    """Return the number that a node holds, None where it is none."""
    if node.number not in (*_SIGNED, *_UNSIGNED) or not 0 < len(node.value) <= _MOST_NUMBER:
        return None
    return ber.integer(node.value, node.number in _SIGNED)


def _identifier(value: bytes) -> str:
    told = ber.identifier(value)
    return "cut short" if told is None else named(told)


def _ip_address(value: bytes) -> str:
    return str(IPv4Address(value)) if len(value) == 4 else f"{len(value)} bytes"


def _text(value: bytes) -> str:
    """Return the beginning of a text, in quotes; of what is none, nothing: its bytes are shown."""
    text = value.decode("ascii", errors="replace")
    if not text.isprintable() or not text.isascii():
        return f"{len(value)} bytes"
    return f'"{text[:_MOST_TEXT]}..."' if len(text) > _MOST_TEXT else f'"{text}"'


_MEANINGS: dict[int, Callable[[bytes], str]] = {
    grammar.OID: _identifier,
    grammar.STRING: _text,
    grammar.IP_ADDRESS: _ip_address,
}
