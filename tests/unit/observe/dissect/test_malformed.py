"""Bytes that are no message, or a wrong one: a line that says what is wrong, never an error."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pyasn1.type import tag, univ

from labctl.observe.dissect import snmp
from labctl.observe.dissect.model import Message
from labctl.show.dissect import asjson, html, svg, text, words
from tests.unit.observe.dissect.made_messages import (
    AGENT,
    CLIENT,
    Counter32,
    TimeTicks,
    dissected,
    message,
    sequence,
)
from tests.unit.observe.fuzzed import flipped, flips

NAME = "1.3.6.1.2.1.7.1.0"
GOOD = message((NAME, None))

PROBLEMS = [
    (b"", "byte 0: no byte is there"),
    (b"\x30", "byte 1: the length is missing"),
    (GOOD[:20], "byte 1: a length of 38 bytes, but only 18 follow"),
    (GOOD + b"\0\0", "byte 40: 2 bytes too many"),
    (b"\x30\x80\x02\x01\x00\0\0", "byte 1: an indefinite length (80), which SNMP forbids"),
    (b"\x30\x84\xff\xff\xff\xff\x02", "byte 1: a length of 4,294,967,295 bytes, but only 1"),
    (b"\x30\xfe" + b"\xff" * 126, "byte 1: a length of more than 2^1007 bytes, but only 0 follow"),
    (b"\x30\xff\x00", "byte 1: the length has 127 bytes, but only 1 follow"),
    (b"\x3f\x81\x01\x00", "byte 0: tag 3f: a tag of several bytes, which SNMP has not"),
    (b"\x30\x82\xff\xf0" * 4000, "byte 1: a length of 65,520 bytes, but only 15996 follow"),
]

FAULTS = [
    (b"\x04\x03abc", "byte 0: OCTET STRING as message, where SEQUENCE is due"),
    (b"\x30\x00", "byte 0: message has 0 parts, where 3 are due"),
    (
        message((NAME, univ.Integer(7))),
        "the value of a GetRequest-PDU is INTEGER 7, where NULL (05 00) holds the place",
    ),
    (message((NAME, None), status=2), "error-status 2: noSuchName in a GetRequest-PDU, where"),
    (GOOD.replace(b"\x06\x08\x2b", b"\x06\x08\x80"), "begins with 80 (X.690, 8.19.2)"),
    (
        GOOD.replace(b"\x06\x08\x2b\x06", b"\x06\x08\x01\x03"),
        "begins with 01 03, which is 0.1.3; for 1.3 the first two numbers share one byte",
    ),
    (GOOD.replace(b"\x07\x01\x00\x05", b"\x07\x01\x80\x05"), "IDENTIFIER that is cut short"),
]


@pytest.mark.parametrize(("data", "said"), PROBLEMS)
def test_where_it_cannot_be_read_on(data: bytes, said: str) -> None:
    problem = snmp.read(data).problem
    assert problem is not None
    assert said in problem
    assert "\n" not in problem


@pytest.mark.parametrize(("data", "said"), FAULTS)
def test_what_can_be_read_and_is_wrong(data: bytes, said: str) -> None:
    read = snmp.read(data)
    assert read.problem is None
    assert [fault for fault in read.faults if said in fault], read.faults


def test_what_is_right_has_no_fault() -> None:
    for data in (GOOD, message((NAME, Counter32(45)), pdu=2), message((NAME, None), pdu=1)):
        read = snmp.read(data)
        assert (read.problem, read.faults) == (None, ())


def drawn(found: list[Message]) -> str:
    """Draw messages in every way; return the text."""
    for one in found:
        asjson.as_object(one)
    assert html.draw("x", found, found).endswith("</html>\n")
    assert fromstring(svg.draw(found, found[0]).encode()).tag.endswith("svg")
    lines = [*text.table(found), *(line for one in found for line in text.draw(one, found[0]))]
    assert words.drawn(found)
    return "\n".join(line.plain for line in lines)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind(data: bytes) -> None:
    drawn(dissected((CLIENT, AGENT, data)))


@settings(deadline=None)
@given(flips, st.integers(0, 60))
def test_a_message_with_bits_flipped_and_cut(places: list[tuple[int, int]], cut: int) -> None:
    whole = message((NAME, None), (NAME, Counter32(2**32 - 1)), (NAME, univ.OctetString(b"x" * 99)))
    data = flipped(whole, places[:4])
    (found,) = dissected((CLIENT, AGENT, data[: len(data) - cut]))
    told = drawn([found])
    assert found.good or "wrong" in told


def nested(inner: bytes) -> bytes:
    """Return a SEQUENCE of bytes."""
    size = len(inner)
    return bytes([0x30, 0x82]) + size.to_bytes(2, "big") + inner


@settings(deadline=None)
@given(st.recursive(st.binary(max_size=8), lambda inner: inner.map(nested), max_leaves=3))
def test_values_within_each_other(data: bytes) -> None:
    drawn(dissected((CLIENT, AGENT, data)))


def test_a_thousand_values_within_each_other_are_too_many() -> None:
    data = b""
    for _ in range(1000):
        data = nested(data)
    (found,) = dissected((CLIENT, AGENT, data))
    assert found.problem is not None
    assert "more than 32 values within each other" in found.problem
    assert "more than 32 values" in drawn([found])


def test_version_3_as_far_as_it_is_not_encrypted() -> None:
    ids = univ.OctetString(b"\x80\0\x1f\x88"), univ.OctetString(b"")
    numbers = (univ.Integer(number) for number in (5, 0, 0))
    asked = sequence(univ.ObjectIdentifier(NAME), univ.Null(""))
    pdu = sequence(*numbers, sequence(asked), pdu=0)
    flags = univ.Integer(9), univ.Integer(65507), univ.OctetString(b"\4"), univ.Integer(3)
    head = univ.Integer(3), sequence(*flags), univ.OctetString(b"secret")
    plain = snmp.read(encoder.encode(sequence(*head, sequence(*ids, pdu))))
    assert (plain.problem, plain.faults, plain.request_id) == (None, (), 5)
    names = [field.name for _, field in plain.fields[0].walk()]
    assert names[1:7] == [
        "version",
        "msgGlobalData",
        "msgID",
        "msgMaxSize",
        "msgFlags",
        "msgSecurityModel",
    ]
    assert names[-2:] == ["name", "value"]
    secret = snmp.read(encoder.encode(sequence(*head, univ.OctetString(b"\xff" * 40))))
    assert (secret.problem, secret.faults, secret.title) == (None, (), "no PDU that can be read")


def test_a_trap_of_version_1() -> None:
    address = univ.OctetString(b"\x0a\0\0\1").subtype(
        implicitTag=tag.Tag(tag.tagClassApplication, tag.tagFormatSimple, 0)
    )
    parts = univ.ObjectIdentifier(NAME), address, univ.Integer(3), univ.Integer(0), TimeTicks(99)
    trap = sequence(*parts, sequence(), pdu=4)
    read = snmp.read(encoder.encode(sequence(univ.Integer(0), univ.OctetString(b"public"), trap)))
    assert (read.problem, read.faults, read.title) == (None, (), "Trap-PDU")
    told = {field.name: field.meaning for _, field in read.fields[0].walk()}
    assert (told["agent-addr"], told["generic-trap"]) == ("10.0.0.1", "3: linkUp")
    assert told["time-stamp"] == "99"
