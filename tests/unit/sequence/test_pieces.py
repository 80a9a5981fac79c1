"""The small parts below connections: endpoints, arguments, totals, ICMP, streams of bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labctl.sequence import arguments, icmp
from labctl.sequence.events import Call, Endpoint, Segment, Sighting
from labctl.sequence.streams import Stream, received_by, sent_by
from labctl.sequence.transfer import moved, transfer
from labctl.sequence.verbs import FAMILIES, UNCOUNTED, verb

ONE, OTHER = Endpoint("10.0.0.1", 5), Endpoint("10.0.0.2", 80)


def call(name: str, result: int | None = 0, start: int = 10, **args: Any) -> Call:
    return Call("a", 1, 1, name, start, start + 5, result, None, 3, args)


def data(seq: int, length: int, at: int, *flags: str) -> Segment:
    """A segment from ONE that is received at a time; 0: never."""
    sent, received = Sighting("a", "net", at or 1), Sighting("b", "net", at)
    return Segment("tcp", ONE, OTHER, sent, received if at else None, (), flags, seq, 1, length)


@pytest.mark.parametrize("text", ["10.0.0.1:80", "[::1]:80", "0.0.0.0:0", "[fe80::1]:65535"])
def test_an_endpoint_is_read_as_it_is_written(text: str) -> None:
    assert str(Endpoint.parse(text)) == text


@pytest.mark.parametrize("text", ["", "10.0.0.1", "10.0.0.1:", "10.0.0.1:http", "a:-1", "/x.sock"])
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Endpoint.parse(text)
    assert arguments.endpoint(call("bind", address=text)) is None


def test_an_address_mapped_to_ipv6_is_as_on_the_wire() -> None:
    assert arguments.endpoint(call("bind", address="[::ffff:10.0.0.1]:5")) == ONE


def test_constants_are_joined_or_listed() -> None:
    assert arguments.words(call("x", flags="A|B"), "flags") == {"A", "B"}
    assert arguments.words(call("x", flags=["A", "B"]), "flags") == {"A", "B"}


def test_true_is_no_number() -> None:
    assert arguments.number(call("x", a=True, b=5), "a", "b") == 5
    assert arguments.descriptors(call("x", a=[True, 5, {"fd": 6}, "7"]), "a") == (5, 6)


def test_each_call_has_one_verb() -> None:
    every = [name for names in FAMILIES.values() for name in names]
    assert len(every) == len(set(every))
    assert (verb("accept4"), verb("recvmsg"), verb("mmap")) == ("accept", "recv", "mmap")
    assert set(FAMILIES) >= UNCOUNTED


def test_totals_of_a_socket() -> None:
    found = transfer(
        [
            call("sendto", 5, 20),
            call("recvfrom", 7),
            call("recvfrom", 7, flags=["MSG_PEEK"]),
            replace(call("sendto", -1, 5), errno="EAGAIN"),
            call("shutdown", 0, 30, how="SHUT_WR"),
            replace(call("close", 0, 40), last=True),
        ],
        None,
    )
    assert (found.sent, found.received, found.first_send, found.end) == (5, 7, 20, 30)


def test_totals_that_are_not_known() -> None:
    assert transfer([call("splice", 5, to=4)], 99).sent is None
    assert transfer([call("sendto", None)], 99).sent is None
    assert transfer([call("sendto", None)], 99).end == 99


def test_bytes_of_several_messages() -> None:
    assert moved(call("sendmmsg", 2, messages=[{"moved": 5}, {"moved": 6}, {}])) == 11
    assert moved(call("sendmmsg", 2, messages=[{"moved": 5}])) is None


def test_a_stream_counts_what_has_come_without_gaps() -> None:
    made = [
        data(0, 0, 10, "SYN"),
        data(1, 10, 0, "ACK"),
        data(11, 10, 20, "ACK"),
        data(21, 10, 25, "ACK"),
        data(1, 10, 30, "ACK"),
        data(31, 0, 40, "FIN", "ACK"),
    ]
    stream = Stream.of(made, ONE)
    assert [number for number, _ in stream.reached] == [1, 31, 32]
    assert stream.first == 1
    assert [stream.up_to(n) for n in (1, 2, 11, 31, 32, 33)] == [
        made[0],
        *[made[4]] * 3,
        made[5],
        None,
    ]
    assert Stream.of(made, OTHER).reached == []


def test_a_stream_whose_beginning_was_not_seen_has_no_first_byte() -> None:
    assert Stream.of([data(1, 10, 20, "ACK")], ONE).first is None


def test_spans_stop_where_a_count_is_not_known() -> None:
    told = [call("sendto", 5), call("recvfrom", 9), call("sendto", 6), call("sendto", None)]
    assert [span.end for span in sent_by([*told, call("sendto", 7)])] == [5, 11]
    assert [span.end for span in received_by(told)] == [9]


def icmp_error(about: str, to: str = "10.0.0.1") -> Segment:
    at = Sighting("a", "net", 50)
    return Segment("icmp", Endpoint("10.0.0.2", 0), Endpoint(to, 0), None, at, about=about)


@pytest.mark.parametrize(
    "about", ["", "host unreachable", "port unreachable 10.0.0.2 icmp", "port unreachable x:y tcp"]
)
def test_an_error_that_does_not_say_which_packet(about: str) -> None:
    assert icmp.quoted(icmp_error(about)) is None


def test_an_error_is_about_the_last_packet_that_no_other_is_about() -> None:
    first, second = data(0, 0, 10, "SYN"), data(0, 0, 20, "SYN")
    error = icmp_error("host unreachable 10.0.0.2:80 tcp")
    again = replace(error)
    stranger = icmp_error("host unreachable 10.0.0.2:80 tcp", to="10.0.0.9")
    found = [*icmp.errors([first, second, stranger, error, again, replace(error)], "tcp")]
    assert [about for _, about in found] == [second, first, first]
    assert [*icmp.errors([first, error], "udp")] == []
