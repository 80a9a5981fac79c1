"""ber.py and snmp.py: what they encode is what pyasn1 does; what they decode may be anything."""

from __future__ import annotations

import ber
import pytest
import snmp
import snmp_explain
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.type import univ

from tests.unit.observe.dissect.made_messages import Counter32, Counter64, message
from tests.unit.observe.fuzzed import flipped, flips

NAME = "1.3.6.1.2.1.7.1.0"
_oids = st.builds(
    lambda first, second, rest: ".".join(map(str, (first, second, *rest))),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**32 - 1), max_size=30),
)


@settings(deadline=None)
@given(_oids, st.integers(0, 2**31 - 1), st.text(max_size=100), st.sampled_from(["1", "2c"]))
def test_a_request_is_as_pyasn1_encodes_it(
    oid: str, request_id: int, community: str, version: str
) -> None:
    own = snmp.get_request(version, community, request_id, oid)
    theirs = message(
        (oid, None),
        request_id=request_id,
        community=community.encode(),
        version=snmp.VERSIONS[version],
    )
    assert own == theirs


@settings(deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(0, 2**64 - 1))
def test_the_value_of_a_response(request_id: int, value: int) -> None:
    data = message((NAME, Counter64(value)), request_id=request_id, pdu=2, version=1)
    found = snmp.response(data, request_id)
    assert found is not None
    assert ber.number(found) == value
    assert snmp.response(data, (request_id + 1) % 2**31) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (message((NAME, None), pdu=2, status=2, index=1), "error-status 2 noSuchName"),
        (message((NAME, None), pdu=2, status=99), "error-status 99"),
    ],
)
def test_a_response_without_a_value(data: bytes, said: str) -> None:
    with pytest.raises(snmp.Refused, match=said):
        snmp.response(data, 1)


def test_no_such_instance() -> None:
    data = message((NAME, None), pdu=2, version=1).replace(b"\x05\x00", b"\x81\x00")
    with pytest.raises(snmp.Refused, match="noSuchInstance"):
        snmp.response(data, 1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "byte 0: no room"),
        (b"\x30\x80\0\0", "an indefinite length, which SNMP forbids"),
        (b"\x30\x84\xff\xff\xff\xff", "a length of 4294967295, but 0 bytes follow"),
        (b"\x30\xfe" + b"\xff" * 126, r"a length of 2\^1007 and more, but 0 bytes"),
        (b"\x30\x85\x01", "the length is cut short"),
        (b"\x02\x01\x00\x00", "byte 3: 1 bytes too many"),
        (b"\x1f\x81\x00", "a tag of several bytes"),
        (b"\x30\x00", "it has other parts"),
        (message((NAME, None)), "tag a0 where a response has a2"),
        (message((NAME, None), (NAME, None), pdu=2), "it has other parts"),
    ],
)
def test_what_is_no_response(data: bytes, said: str) -> None:
    with pytest.raises(ber.Malformed, match=said):
        snmp.response(data, 1)


def test_too_many_values_within_each_other() -> None:
    data = b"\x05\x00"
    for _ in range(50):
        data = ber.encode(ber.SEQUENCE, data)
    with pytest.raises(ber.Malformed, match="more than 16 values within each other"):
        ber.decode(data)


@settings(deadline=None)
@given(flips, st.integers(0, 40), st.booleans())
def test_a_response_made_wrong_is_malformed_and_no_more(
    places: list[tuple[int, int]], cut: int, any_bytes: bool
) -> None:
    whole = message((NAME, Counter32(2**32 - 1)), pdu=2)
    data = bytes(b for pair in places for b in (pair[0] & 255, pair[1])) if any_bytes else whole
    if not any_bytes:
        data = flipped(whole, places[:3])[: len(whole) - cut]
    for read in (lambda: snmp.response(data, 1), lambda: snmp_explain.explained(data)):
        try:
            read()
        except (ber.Malformed, snmp.Refused) as error:
            assert "\n" not in str(error)


def test_negative_numbers_and_texts() -> None:
    assert ber.integer(-1) == b"\x02\x01\xff"
    assert ber.integer(-129) == b"\x02\x02\xff\x7f"
    assert ber.integer(128) == b"\x02\x02\x00\x80"
    found = ber.decode(message((NAME, univ.OctetString(b"a\xff")), pdu=2))
    text = snmp.text(found.parts[2].parts[3].parts[0].parts[1])
    assert text == "a\\xff"


def test_the_explanation_has_a_line_for_each_field() -> None:
    lines = snmp_explain.explained(snmp.get_request("1", "public", 0x05AE5602, NAME))
    assert len(lines) == 12
    assert " ".join(lines[-2].split()) == (
        "31 06 08 2b 06 01 02 01 07 01 00 name: OBJECT IDENTIFIER 1.3.6.1.2.1.7.1.0"
    )
    assert " ".join(lines[-1].split()) == "41 05 00 value: NULL"
