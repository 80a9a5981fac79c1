"""What pyasn1 encodes is taken apart as pyasn1 decodes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.type import univ
from pyasn1.type.base import ConstructedAsn1Type

from labctl.observe.dissect import snmp
from labctl.observe.dissect.model import Field
from tests.unit.observe.dissect.made_messages import (
    Counter32,
    Counter64,
    TimeTicks,
    message,
    sequence,
)

IN_DATAGRAMS = "1.3.6.1.2.1.7.1.0"

_numbers = st.integers(0, 2**32 - 1)
_oids = st.builds(
    lambda first, rest: ".".join(map(str, (*first, *rest))),
    st.tuples(st.integers(0, 1), st.integers(0, 39)) | st.tuples(st.just(2), st.integers(0, 999)),
    st.lists(_numbers, max_size=20),
)
_values = st.one_of(
    st.none(),
    st.integers(-(2**31), 2**31 - 1).map(univ.Integer),
    st.binary(max_size=300).map(univ.OctetString),
    _oids.map(univ.ObjectIdentifier),
    _numbers.map(Counter32),
    _numbers.map(TimeTicks),
    st.integers(0, 2**64 - 1).map(Counter64),
)


class _OneItem(decoder.SingleItemDecoder):  # type: ignore[misc]
    """pyasn1 told of SNMP's tags: PDUs are SEQUENCEs, counters are INTEGERs."""

    TAG_MAP = {  # noqa: RUF012
        **decoder.SingleItemDecoder.TAG_MAP,
        **{
            sequence(pdu=number).tagSet: decoder.SequenceOrSequenceOfPayloadDecoder()
            for number in range(9)
        },
        **{
            kind.tagSet: decoder.IntegerPayloadDecoder()
            for kind in (Counter32, Counter64, TimeTicks)
        },
    }


class _Items(decoder.StreamingDecoder):  # type: ignore[misc]
    SINGLE_ITEM_DECODER = _OneItem


class _Theirs(decoder.Decoder):  # type: ignore[misc]
    STREAMING_DECODER = _Items


def leaves(field: Field) -> Iterator[Field]:
    """Yield the fields that are made of no others."""
    for _, one in field.walk():
        if not one.parts and not one.tag[0] & 0x20:
            yield one


def decoded(value: Any) -> Iterator[Any]:
    """Yield what pyasn1 finds in a value, in its order."""
    if isinstance(value, ConstructedAsn1Type):
        for position in range(len(value)):
            yield from decoded(value.getComponentByPosition(position))
    else:
        yield value


def said(field: Field) -> str:
    """Return the number or name that a field's meaning begins with."""
    return field.meaning.split(" ")[0].rstrip(":")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(_oids, _values), min_size=1, max_size=4),
    st.binary(max_size=200),
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from([0, 1]),
    st.sampled_from([0, 1, 2, 3, 6, 7]),
)
def test_all_that_pyasn1_can_encode(
    bindings: list[tuple[str, Any]], community: bytes, request_id: int, version: int, pdu: int
) -> None:
    data = message(*bindings, version=version, community=community, pdu=pdu, request_id=request_id)
    read = snmp.read(data)
    assert read.problem is None
    assert read.request_id == request_id
    assert b"".join(field.data for field in read.fields) == data
    # pyasn1 writes -128 and its like as `ff 80`, a byte more than X.690, 8.3.2 allows.
    faults = [fault for fault in read.faults if "more bytes than it needs" not in fault]
    assert pdu in (0, 1) or faults == []
    (whole,) = read.fields
    theirs = list(decoded(_Theirs()(data)[0]))
    ours = list(leaves(whole))
    assert len(ours) == len(theirs) == 5 + 2 * len(bindings)
    for field, value in zip(ours, theirs, strict=True):
        if field.kind == "OBJECT IDENTIFIER":
            assert said(field) == str(value)
        elif field.kind == "OCTET STRING":
            assert field.value == bytes(value)
        elif field.kind == "NULL":
            assert isinstance(value, univ.Null)
        else:
            assert said(field) == str(int(value))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_oids, _values), min_size=1, max_size=3))
def test_every_byte_is_shown_once_and_where_it_is(bindings: list[tuple[str, Any]]) -> None:
    data = message(*bindings)
    (whole,) = snmp.read(data).fields
    shown = bytearray()
    for _, field in whole.walk():
        assert field.at == len(shown)
        shown += field.tag + field.length + (b"" if field.parts else field.value)
    assert bytes(shown) == data


def test_the_request_of_the_textbook() -> None:
    data = message((IN_DATAGRAMS, None), request_id=0x05AE5602)
    assert data == bytes.fromhex(
        "30 29 02 01 00 04 06 70 75 62 6c 69 63 a0 1c 02 04 05 ae 56 02 02 01 00 02 01 00"
        " 30 0e 30 0c 06 08 2b 06 01 02 01 07 01 00 05 00"
    )
    (whole,) = snmp.read(data).fields
    assert [(d, f.at, f.tag.hex(), f.length.hex(), f.name) for d, f in whole.walk()] == [
        (0, 0, "30", "29", "message"),
        (1, 2, "02", "01", "version"),
        (1, 5, "04", "06", "community"),
        (1, 13, "a0", "1c", "PDU"),
        (2, 15, "02", "04", "request-id"),
        (2, 21, "02", "01", "error-status"),
        (2, 24, "02", "01", "error-index"),
        (2, 27, "30", "0e", "variable-bindings"),
        (3, 29, "30", "0c", "binding"),
        (4, 31, "06", "08", "name"),
        (4, 41, "05", "00", "value"),
    ]
    assert list(whole.walk())[-2][1].meaning == f"{IN_DATAGRAMS} (udpInDatagrams.0)"
