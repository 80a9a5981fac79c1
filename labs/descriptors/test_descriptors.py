"""The lab descriptors, filmed: what is in the tables and structures after each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labctl.observe.sockets.model import EMPTY, KernelSocket
from labctl.observe.steps.model import Film, Frame
from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

Host = Callable[[str], Any]


def made(frame: Frame) -> KernelSocket:
    """Return the structure behind the descriptor that a call has returned."""
    found = frame.socket(frame.result)
    assert found is not None, frame
    return found


def named(frame: Frame) -> KernelSocket:
    """Return the structure behind the descriptor that a call names first."""
    assert frame.call is not None
    found = frame.socket(frame.call.arguments[0])
    assert found is not None, frame
    return found


def holders(frame: Frame, key: str) -> list[tuple[int, int]]:
    """Return the processes and descriptors that stand for a socket."""
    inodes = [one.inode for one in frame.snapshot.sockets if one.key == key and one.inode]
    return [held for inode in inodes for held in frame.snapshot.holders[inode]]


def states(frame: Frame) -> set[str]:
    """Return the states of the sockets of a frame."""
    return {one.state for one in frame.snapshot.sockets}


def require_given_back(film: Film, host: str) -> None:
    """Fail unless every connection that was accepted belongs to no process in the end: when its
    server is there for the last time, as that gives back all that it has left."""
    for frame in film.of(host, "accept"):
        key = made(frame).key
        alive = [f for f in film.of(host) if f.event != "ended" or f.pid != frame.pid]
        still = holders(alive[-1], key)
        assert not still, (
            f"descriptor {still[0][1]} of process {still[0][0]} still stands for the connection "
            f"that accept returned as {frame.result}: the kernel cannot end it"
        )


@pytest.mark.scenario("tcp")
def test_right_after_socket_all_four_fields_are_empty(film: Film) -> None:
    new = [made(frame) for host in film.hosts for frame in film.of(host, "socket")]
    assert len(new) == 3  # the server's, and one of each client
    for one in new:
        assert (one.family, one.type) == ("AF_INET", "SOCK_STREAM")
        assert (one.local, one.remote, one.state) == (EMPTY, EMPTY, "CLOSED")


@pytest.mark.scenario("tcp")
def test_before_the_first_call_there_are_three_descriptors_and_no_socket(film: Film) -> None:
    for host in film.hosts:
        for first in film.of(host, "exec"):
            assert list(first.table) == [0, 1, 2]
            assert not any(one.kind == "socket" for one in first.table.values())


@pytest.mark.scenario("tcp")
def test_bind_fills_the_local_fields_in_and_listen_none(film: Film) -> None:
    (bind,), (listen,) = film.of("server", "bind"), film.of("server", "listen")
    bound, listening = named(bind), named(listen)
    assert (bound.local.address, bound.local.port) == ("0.0.0.0", 8080)
    assert (bound.remote, bound.state) == (EMPTY, "CLOSED")
    assert (listening.local, listening.remote) == (bound.local, EMPTY)
    assert (listening.state, listening.backlog) == ("LISTEN", 5)
    assert listening.key == bound.key == made(film.of("server", "socket")[0]).key


@pytest.mark.scenario("tcp")
def test_connect_fills_in_all_four(film: Film) -> None:
    for frame in film.of("client", "connect"):
        assert frame.before is not None
        one = named(frame)
        (before,) = [s for s in frame.before.sockets if s.key == one.key]
        assert (before.local, before.remote) == (EMPTY, EMPTY)
        assert one.state in ("ESTABLISHED", "CLOSE-WAIT")
        assert one.remote.port == 8080
        assert one.local.address is not None
        assert one.local.port is not None
        assert one.local.port >= 1024


@pytest.mark.scenario("tcp")
def test_accept_makes_another_structure_and_leaves_the_listeners(film: Film) -> None:
    connects = [named(frame) for frame in film.of("client", "connect")]
    for frame, client in zip(film.of("server", "accept"), connects, strict=True):
        listener, accepted = named(frame), made(frame)
        assert accepted.key != listener.key
        assert accepted.inode != listener.inode
        assert (listener.state, listener.remote) == ("LISTEN", EMPTY)
        assert (accepted.local, accepted.remote) == (client.remote, client.local)
        assert accepted.local.port == listener.local.port == 8080


@pytest.mark.scenario("tcp")
def test_close_gives_the_number_back_and_the_next_accept_takes_it(film: Film) -> None:
    first, second = film.of("server", "accept")
    closes = film.of("server", "close")
    assert first.result == second.result
    assert made(first).key != made(second).key
    for frame in closes:
        assert frame.call is not None
        assert frame.call.arguments[0] not in frame.table
    between = [f for f in closes if first.time < f.time < second.time]
    assert [f.call.arguments[0] for f in between if f.call] == [first.result]


@pytest.mark.scenario("tcp")
def test_at_the_end_all_is_given_back(film: Film) -> None:
    require_given_back(film, "server")
    for host in film.hosts:
        last = film.of(host)[-1]
        assert last.event == "ended"
        assert last.status == 0
        assert not last.snapshot.held
        assert states(last) <= {"FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT"}


@pytest.mark.scenario("udp")
def test_a_udp_socket_has_a_remote_address_only_once_it_is_connected(film: Film) -> None:
    (bind,) = film.of("server", "bind")
    assert (named(bind).type, named(bind).local.port) == ("SOCK_DGRAM", 9000)
    assert not [f for f in film.of("server") if f.does in ("listen", "accept")]
    for frame in film.of("server", "recv"):
        assert (named(frame).remote, named(frame).state) == (EMPTY, "UNCONNECTED")
    unconnected, connected = film.of("client", "send")
    assert named(unconnected).remote == EMPTY
    assert named(unconnected).local.port is not None
    assert named(connected).remote.port == 9000
    (connect,) = film.of("client", "connect")
    assert named(connect).local.port == named(connected).local.port


@pytest.mark.scenario("shared")
def test_dup_and_fork_make_numbers_and_no_structure(film: Film) -> None:
    (accept,) = film.of("server", "accept")
    key = made(accept).key
    assert accept.result is not None
    assert holders(accept, key) == [(accept.pid, accept.result)]
    (dup,) = film.of("server", "fcntl")
    assert dup.result == accept.result + 1
    assert made(dup).key == key
    (fork,) = film.of("server", "fork")
    assert fork.result is not None
    both = [(pid, fd) for pid in (fork.pid, fork.result) for fd in (accept.result, dup.result)]
    assert holders(fork, key) == both
    tables = {one.pid: one.descriptors for one in fork.snapshot.processes}
    assert tables[fork.result] == tables[fork.pid]


@pytest.mark.scenario("shared")
def test_only_the_last_close_ends_the_connection(film: Film) -> None:
    (accept,) = film.of("server", "accept")
    key = made(accept).key
    frames = film.of("server")
    closes = [f for f in frames[frames.index(accept) :] if f.does == "close"]
    left = [len(holders(frame, key)) for frame in closes]
    assert left == sorted(left, reverse=True)
    for frame in closes:
        state = next((s.state for s in frame.snapshot.sockets if s.key == key), None)
        if holders(frame, key):
            assert state in ("ESTABLISHED", "CLOSE-WAIT")
        else:
            assert state not in ("ESTABLISHED", "CLOSE-WAIT")
    require_given_back(film, "server")


@pytest.mark.scenario("tcp")
def test_two_clients_make_the_calls_of_the_figure(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("leaky")
def test_a_server_that_keeps_the_connections_descriptor_is_rejected(film: Film) -> None:
    close = film.of("server", "close")[-1]
    assert close.pid != film.of("server", "accept")[0].pid  # the child's: it has closed both
    key = made(film.of("server", "accept")[0]).key
    (kept,) = [one for one in close.snapshot.sockets if one.key == key]
    # CLOSE-WAIT where the client has given up before the child's close was looked at.
    assert kept.state in ("ESTABLISHED", "CLOSE-WAIT")
    with pytest.raises(AssertionError, match="still stands for the connection that accept"):
        require_given_back(film, "server")


def test_the_scenarios_pass_without_a_film(lab: LabUnderTest, host: Host) -> None:
    for name in ("tcp", "udp", "shared"):
        result = lab.run(name)
        assert result.passed, result.failed_step
    assert host("client").file("/tmp/one").content_string == "one\n"
