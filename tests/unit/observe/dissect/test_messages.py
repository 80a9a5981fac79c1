"""Which datagrams are messages, which of them are one, and what stands before them."""

from __future__ import annotations

from labctl.observe.capture import merge
from labctl.observe.capture.frames import frames
from labctl.observe.capture.pcapng_file import frames as frames_of
from labctl.observe.dissect import messages
from tests.unit.observe.capture.made import Wire, udp
from tests.unit.observe.dissect.made_messages import (
    AGENT,
    CLIENT,
    Counter32,
    dissected,
    message,
)

NAME = "1.3.6.1.2.1.7.1.0"
REQUEST = message((NAME, None), request_id=7)
RESPONSE = message((NAME, Counter32(12)), request_id=7, pdu=2)


def test_what_two_hosts_saw_is_one_and_a_response_finds_its_request() -> None:
    first, second = dissected((CLIENT, AGENT, REQUEST), (AGENT, CLIENT, RESPONSE))
    assert first.seen == ("client (sent)", "server (received)")
    assert (first.title, second.title) == ("GetRequest-PDU", "Response-PDU")
    assert (first.source, first.target) == (f"client {CLIENT}", f"server {AGENT}")
    assert (first.answers, second.answers) == (None, 1)
    assert first.good
    assert second.good


def test_the_same_request_sent_again_is_another_message() -> None:
    again = dissected((CLIENT, AGENT, REQUEST), (CLIENT, AGENT, REQUEST))
    assert len(again) == 2


def test_other_ports_are_left_out_unless_asked_for() -> None:
    other = (CLIENT, "10.0.0.2:1161", REQUEST)
    assert dissected(other) == []
    assert len(dissected(other, port=1161)) == 1


def test_the_headers() -> None:
    (one,) = dissected((CLIENT, AGENT, REQUEST))
    ip, header, snmp = one.parts
    told = {field.name: field for part in (ip, header) for field in part.fields}
    assert told["version, header length"].value == b"\x45"
    assert told["source address"].meaning == "10.0.0.1"
    assert told["protocol"].meaning == "17: UDP"
    assert told["destination port"].value == (161).to_bytes(2, "big")
    assert told["checksum"].meaning == "none (0)"
    assert [part.at for part in one.parts] == [0, 20, 28]
    assert snmp.size == len(REQUEST)
    assert sum(len(field.value) for field in ip.fields) == 20


def test_ipv6() -> None:
    (one,) = dissected(("[fd00::1]:40000", "[fd00::2]:161", REQUEST))
    assert one.parts[0].title == "IPv6 header"
    assert one.source == "[fd00::1]:40000"
    assert one.good


def test_what_was_not_captured_whole_says_so() -> None:
    wire = Wire(snaplen=60)
    wire.send(udp(CLIENT, AGENT, REQUEST)[:60])
    (one,) = messages(frames(wire.captures()), 161)
    assert one.problem is not None
    assert "ask for a larger snaplen" in one.problem


def test_a_file_of_our_own_tells_the_same_as_the_captures() -> None:
    wire = Wire(snaplen=65535)
    wire.send(udp(CLIENT, AGENT, REQUEST))
    wire.send(udp(AGENT, CLIENT, RESPONSE), "server", "client")
    written = b"".join(merge(wire.captures(), wire.interfaces))
    read = messages(frames_of(written), 161)
    assert read == messages(frames(wire.captures()), 161)
    assert [one.seen for one in read] == [
        ("client (sent)", "server (received)"),
        ("server (sent)", "client (received)"),
    ]
