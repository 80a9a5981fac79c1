"""Addresses that calls only point at, from what else the kernel tells."""

from __future__ import annotations

import pytest

from labctl.sequence.events import Call
from tests.unit.observe.tracefs.made import MAIN, Trace, route, state

SERVER, CLIENT = "10.0.0.1:80", "10.0.0.2:4000"
ADDRESSES = {"10.0.0.1": "h", "10.0.0.2": "other"}
APART = 2_000
"""In microseconds: so long after one another two events on two processors are in that order."""


@pytest.fixture
def trace() -> Trace:
    made = Trace()
    made.follow()
    return made


def found(trace: Trace, name: str) -> list[Call]:
    return [call for call in trace.calls(ADDRESSES) if call.name == name]


def listening(trace: Trace, fd: int = 3, local: str = SERVER) -> None:
    trace.call(MAIN, "socket", 2, 1, 0, result=fd)
    trace.call(MAIN, "bind", fd, 0x7F, 16)
    trace.enter(MAIN, "listen", fd, 5)
    trace.line(MAIN, state(local, "0.0.0.0:0", "CLOSE", "LISTEN"))
    trace.leave(MAIN, "listen", 0)


def arrives(trace: Trace, remote: str, *, local: str = SERVER, cpu: int = 0, wait: int = 1) -> None:
    """Have a connection become established by what packets do, in anybody's context."""
    trace.line(9, state(local, remote, "LISTEN", "SYN_RECV"), soft=True, cpu=cpu, wait=wait)
    trace.line(9, state(local, remote, "SYN_RECV", "ESTABLISHED"), soft=True, cpu=cpu)


def test_a_connect_has_the_address_for_which_a_route_was_looked(trace: Trace) -> None:
    trace.call(MAIN, "socket", 2, 1, 0, result=3)
    trace.enter(MAIN, "connect", 3, 0x7F, 16)
    trace.line(MAIN, route("0.0.0.0:0", SERVER))
    trace.leave(MAIN, "connect", -111)
    (call,) = found(trace, "connect")
    assert call.args == {"address": SERVER}


def test_a_route_that_a_packet_needs_is_not_the_thread_s(trace: Trace) -> None:
    trace.enter(MAIN, "connect", 3, 0x7F, 16)
    trace.line(MAIN, route("0.0.0.0:0", SERVER), soft=True)
    assert found(trace, "connect")[0].args == {}


def test_a_state_change_of_a_connect_has_its_local_port(trace: Trace) -> None:
    trace.call(MAIN, "socket", 2, 1, 0, result=3)
    trace.enter(MAIN, "connect", 3, 0x7F, 16)
    trace.line(MAIN, state("10.0.0.1:0", CLIENT, "CLOSE", "SYN_SENT"))
    trace.line(MAIN, route("10.0.0.1:999", CLIENT))
    trace.leave(MAIN, "connect", 0)
    parsed = trace.parsed(ADDRESSES)
    assert parsed.calls[1].args == {"address": CLIENT}
    assert [str(s.local) for s in parsed.states] == ["10.0.0.1:999"]


def test_the_bind_before_a_connect_has_the_address_from_which_a_route_is_first_looked_for(
    trace: Trace,
) -> None:
    trace.call(MAIN, "socket", 2, 1, 0, result=3)
    trace.call(MAIN, "bind", 3, 0x7F, 16)
    trace.enter(MAIN, "connect", 3, 0x7F, 16)
    trace.line(MAIN, route("0.0.0.0:999", CLIENT))
    trace.line(MAIN, route("10.0.0.1:999", CLIENT))
    trace.leave(MAIN, "connect", 0)
    assert found(trace, "bind")[0].args == {"address": "0.0.0.0:999"}


def test_bind_and_listen_have_the_address_that_listens(trace: Trace) -> None:
    listening(trace)
    assert found(trace, "bind")[0].args == {"address": SERVER}
    assert found(trace, "listen")[0].args == {"backlog": 5, "address": SERVER}


@pytest.mark.parametrize(("pointer", "args"), [(0x7F, {"address": CLIENT}), (0, {})])
def test_sendto_has_an_address_only_where_it_points_at_one(
    trace: Trace, pointer: int, args: dict[str, str]
) -> None:
    trace.enter(MAIN, "sendto", 3, 1, 5, 0, pointer, 16)
    trace.line(MAIN, route("10.0.0.1:999", CLIENT, 17))
    trace.leave(MAIN, "sendto", 5)
    assert found(trace, "sendto")[0].args == {"length": 5, "flags": [], **args}


def test_an_accept_has_the_peer_that_a_later_recv_tells(trace: Trace) -> None:
    listening(trace)
    trace.call(MAIN, "accept4", 3, 0x7F, 0x7F, 0, result=4)
    trace.enter(MAIN, "recvfrom", 4, 1, 10, 0, 0, 0)
    told = state(SERVER, CLIENT, "ESTABLISHED", "CLOSE_WAIT").partition(" oldstate")[0]
    trace.line(MAIN, told.replace("inet_sock_set_state", "tcp_rcv_space_adjust"))
    trace.leave(MAIN, "recvfrom", 10)
    assert found(trace, "accept4")[0].args == {"flags": [], "address": CLIENT}


@pytest.mark.parametrize("how", ["dup", "fcntl", "fork"])
def test_the_peer_is_told_to_the_accept_through_another_descriptor(trace: Trace, how: str) -> None:
    listening(trace)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=4)
    by, fd = MAIN, 9
    if how == "dup":
        trace.call(MAIN, "dup2", 4, 9, result=9)
    elif how == "fcntl":
        trace.call(MAIN, "fcntl", 4, 1030, 0, result=9)
    else:
        trace.enter(MAIN, "fork")
        trace.fork(MAIN, 1001)
        trace.leave(MAIN, "fork", 8)
        by, fd = 1001, 4
    trace.call(MAIN, "close", 4)
    trace.enter(by, "close", fd)
    trace.line(by, state(SERVER, CLIENT, "CLOSE_WAIT", "LAST_ACK"), wait=5)
    trace.leave(by, "close", 0)
    assert found(trace, "accept")[0].args == {"address": CLIENT}


def test_a_descriptor_that_stands_for_something_else_now_tells_nothing(trace: Trace) -> None:
    listening(trace)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=4)
    trace.call(MAIN, "close_range", 4, 4, 0)
    trace.call(MAIN, "socket", 2, 1, 0, result=4)
    trace.enter(MAIN, "shutdown", 4, 1)
    trace.line(MAIN, state(SERVER, CLIENT, "ESTABLISHED", "FIN_WAIT1"), wait=5)
    assert found(trace, "accept")[0].args == {}


def test_accepts_take_connections_in_the_order_in_which_they_were_established(
    trace: Trace,
) -> None:
    listening(trace)
    for port in (1, 2, 3):
        arrives(trace, f"10.0.0.2:{port}", wait=APART)
        trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=3 + port)
    accepts = found(trace, "accept")
    assert [c.args["address"] for c in accepts] == [f"10.0.0.2:{port}" for port in (1, 2, 3)]


def test_what_two_processors_did_at_once_has_no_order(trace: Trace) -> None:
    listening(trace)
    arrives(trace, "10.0.0.2:1", cpu=0)
    arrives(trace, "10.0.0.2:2", cpu=1)
    for fd in (4, 5):
        trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=fd)
    assert [c.args for c in found(trace, "accept")] == [{}, {}]


def test_where_one_was_missed_nobody_is_named(trace: Trace) -> None:
    listening(trace)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=4)  # of whom no state change tells
    arrives(trace, CLIENT, wait=APART)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=5)
    assert [c.args for c in found(trace, "accept")] == [{}, {}]


def test_two_sockets_that_listen_on_a_port_share_its_connections(trace: Trace) -> None:
    listening(trace, 3)
    listening(trace, 4)
    arrives(trace, CLIENT)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=5)
    assert found(trace, "accept")[0].args == {}


def test_connections_that_the_host_opened_itself_were_not_accepted(trace: Trace) -> None:
    listening(trace)
    trace.line(MAIN, state(SERVER, CLIENT, "CLOSE", "SYN_SENT"))
    trace.line(MAIN, state(SERVER, CLIENT, "SYN_RECV", "ESTABLISHED"), soft=True)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=4)
    assert found(trace, "accept")[0].args == {}


def test_connections_to_a_wildcard_are_those_of_its_port(trace: Trace) -> None:
    listening(trace, local="0.0.0.0:80")
    arrives(trace, "10.0.0.2:1", local="10.0.0.1:81")
    arrives(trace, CLIENT)
    trace.call(MAIN, "accept", 3, 0x7F, 0x7F, result=4)
    assert found(trace, "accept")[0].args == {"address": CLIENT}
