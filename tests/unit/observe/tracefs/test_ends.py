"""The ends of connections, and changes of their states, as events of the kernel tell them."""

from __future__ import annotations

from labctl.observe.tracefs import states
from labctl.observe.tracefs.ends import STATES, Ends, of_route, of_socket
from labctl.observe.tracefs.lines import Line
from labctl.sequence.events import Endpoint, StateChange

STATE = (
    b"family=%s protocol=IPPROTO_TCP sport=%d dport=%d saddr=%s daddr=%s "
    b"saddrv6=%s daddrv6=%s oldstate=TCP_%s newstate=TCP_%s"
)
ONE, TWO = Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 4000)


def event(
    time: int, ends: tuple[Endpoint, Endpoint], old: str = "CLOSE", new: str = "SYN_SENT"
) -> Line:
    (saddr, sport), (daddr, dport) = ends
    text = STATE % (
        *(b"AF_INET", sport, dport, saddr.encode(), daddr.encode()),
        *(b"::ffff:1.1.1.1", b"::ffff:1.1.1.1", old.encode(), new.encode()),
    )
    return Line(time, 1, 0, False, "", None, None, b"inet_sock_set_state", text)


def test_a_socket_of_ipv4() -> None:
    assert of_socket(event(1, (ONE, TWO)).text) == Ends(ONE, TWO, "CLOSED", "SYN-SENT")


def test_a_socket_of_ipv6_may_speak_ipv4() -> None:
    text = STATE % (
        b"AF_INET6",
        1,
        2,
        b"0.0.0.0",
        b"0.0.0.0",
        b"fe80::1",
        b"::",
        b"CLOSE",
        b"LISTEN",
    )
    assert of_socket(text) == Ends(Endpoint("fe80::1", 1), Endpoint("::", 2), "CLOSED", "LISTEN")
    mapped = text.replace(b"fe80::1", b"::ffff:10.0.0.1")
    found = of_socket(mapped)
    assert found is not None
    assert found.local == Endpoint("10.0.0.1", 1)


def test_other_protocols_and_other_texts_are_none() -> None:
    text = event(1, (ONE, TWO)).text
    assert of_socket(text.replace(b"IPPROTO_TCP", b"IPPROTO_SCTP")) is None
    assert of_socket(text.replace(b"AF_INET", b"AF_UNIX")) is None
    assert of_socket(text.replace(b"TCP_CLOSE", b"TCP_NEW_ONE")) is None
    assert of_socket(b"") is None
    assert of_socket(text.replace(b"sport=80", b"sport=" + b"9" * 5000)) is None


def test_the_states_are_those_of_the_rfc() -> None:
    assert set(STATES.values()) == {
        *("CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1"),
        *("FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"),
    }


def test_a_route() -> None:
    text = b"table 254 oif 0 iif 1 proto %d 10.0.0.2/4000 -> 10.0.0.1/%d tos 0 scope 0 flags 0"
    assert of_route(text % (6, 80)) == of_route(text % (17, 80)) == Ends(TWO, ONE)
    assert of_route(text % (1, 80)) is None
    assert of_route(text % (6, 0)) is None
    assert of_route(b"table") is None


def test_a_change_belongs_to_the_host_that_has_the_address() -> None:
    read = [states.read(event(1, (ONE, TWO)), "other"), states.read(event(2, (TWO, ONE)), None)]
    found = states.placed([s for s in read if s], {"10.0.0.1": "server", "10.0.0.2": "client"})
    assert states.final(found) == (
        StateChange("server", 1, ONE, TWO, "CLOSED", "SYN-SENT"),
        StateChange("client", 2, TWO, ONE, "CLOSED", "SYN-SENT"),
    )


def test_a_change_of_an_address_that_nobody_has_is_left_out() -> None:
    read = states.read(event(1, (Endpoint("192.0.2.1", 1), ONE)), None)
    assert read is not None
    assert states.placed([read], {"10.0.0.1": "server"}) == []


def test_on_loopback_a_change_belongs_to_the_host_of_the_thread_that_did_it() -> None:
    here, there = Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2)
    done = [
        states.read(event(1, (here, there)), "a"),
        states.read(event(2, (there, here)), None),  # by a packet: but of the same connection
        states.read(event(3, (Endpoint("127.0.0.1", 3), here)), None),
    ]
    found = states.placed([s for s in done if s], {})
    assert [(s.time, s.host) for s in found] == [(1, "a"), (2, "a")]


def test_where_two_hosts_have_the_same_connection_on_loopback_nobody_is_named() -> None:
    here, there = Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2)
    done = [
        states.read(event(1, (here, there)), "a"),
        states.read(event(2, (here, there)), "b"),
        states.read(event(3, (there, here)), None),
    ]
    found = states.placed([s for s in done if s], {})
    assert [(s.time, s.host) for s in found] == [(1, "a"), (2, "b")]
