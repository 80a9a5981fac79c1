"""Frames as they are read from what agents have written."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.errors import MachineError
from labctl.observe.steps.order import in_order
from labctl.observe.steps.read import frames_of

from .told import TCP, frame, lines, memory, process, sockaddr

WITH_SOCKET = {"processes": [process(7, 34)], "details": {"34": TCP}}


def test_each_frame_knows_the_one_before_it() -> None:
    content = lines(
        frame(0, "execve", event="exec"), frame(1, "socket", 2, 1, result=3, **WITH_SOCKET)
    )
    first, second = frames_of("a", content)
    assert first.before is None
    assert second.before == first.snapshot
    new = second.socket(second.result)
    assert new is not None
    assert (new.inode, new.local.port) == (34, None)
    assert [one.what for one in second.changes] == ["descriptor", "socket"]
    assert (first.does, second.does) == ("exec", "socket")


def test_a_later_line_takes_the_place_of_an_earlier_one_and_a_cut_one_is_nothing() -> None:
    content = (
        lines(frame(0, "sendto", 3), frame(0, "sendto", 3, times=9, moved=90)) + b'{"frame": 1'
    )
    (only,) = frames_of("a", content)
    assert (only.times, only.moved) == (9, 90)
    assert frames_of("a", b"") == []


@pytest.mark.parametrize("content", [b"x\n", b"[]\n", b"{}\n", b'{"frame": 0}\n', b"\xff\n"])
def test_what_is_no_film_is_an_error(content: bytes) -> None:
    with pytest.raises(MachineError, match="film of host a"):
        frames_of("a", content)


def test_questions_to_the_engines_name_server_are_left_out() -> None:
    asks = memory(address=sockaddr("127.0.0.11", 53))
    other = memory(address=sockaddr("10.0.0.1", 53))
    content = lines(
        frame(0, "socket", 2, 2, on=40, result=3),
        frame(1, "connect", 3, on=40, memory=asks),
        frame(2, "close", 3, on=40),
        frame(3, "connect", 3, on=41, memory=other),
    )
    assert [one.does for one in frames_of("a", content)] == ["connect"]
    assert len(frames_of("a", content, everything=True)) == 4


def test_processes_that_never_had_a_socket_are_left_out() -> None:
    both = [process(7, 34), process(8)]
    content = lines(
        frame(0, "socket", 2, 1, result=3, processes=both, details={"34": TCP}),
        frame(1, "close", 3, processes=[process(7), process(8)]),
        frame(2, None, event="ended", status=0, processes=[process(8)]),
    )
    shown = [[one.pid for one in frame.snapshot.processes] for frame in frames_of("a", content)]
    assert shown == [[7], [7], []]


def test_what_a_process_became_is_put_where_it_happened() -> None:
    content = lines(frame(0, "socket", 2, 1), frame(1, "execve", event="exec", pid=8, time=5))
    assert [one.event for one in frames_of("a", content)] == ["exec", "call"]


def test_hosts_are_joined_by_time() -> None:
    a = frames_of("a", lines(frame(0, "bind", 3, time=10), frame(1, "listen", 3, time=30)))
    b = frames_of("b", lines(frame(0, "socket", 2, 1, time=20)))
    assert [(one.host, one.does) for one in in_order([a, b])] == [
        *(("a", "bind"), ("b", "socket"), ("a", "listen"))
    ]


def connection(cookie: int, inode: int, local: int, remote: int) -> dict[str, Any]:
    """Return what a connected socket tells of itself."""
    ends = {"local": ["10.0.0.1", local], "remote": ["10.0.0.1", remote]}
    return {str(inode): {**TCP, **ends, "cookie": cookie}}


@pytest.mark.parametrize(("result", "first"), [(0, True), (-115, True), (-111, False)])
def test_connect_comes_before_the_accept_that_it_leads_to(result: int, first: bool) -> None:
    """However late its tracer noticed; also one that does not wait (EINPROGRESS)."""
    new, connected = {"40": TCP}, connection(3, 40, 4000, 80)
    accepted = {"30": TCP, **connection(2, 31, 80, 4000)}
    both, one = [process(7, 30, 31)], [process(7, 40)]
    accept = frame(0, "accept4", 3, result=4, time=10, processes=both, details=accepted)
    client = [
        frame(0, "socket", 2, 1, result=3, time=11, processes=one, details=new),
        frame(1, "connect", 3, result=result, time=12, processes=one, details=connected),
        frame(2, "close", 3, time=13),
    ]
    server = frames_of("server", lines(accept, frame(1, "close", 4, time=14)))
    film = in_order([server, frames_of("client", lines(*client))])
    does = [one.does for one in film]
    assert does[:3] == (
        ["socket", "connect", "accept"] if first else ["accept", "socket", "connect"]
    )
    assert does[3:] == ["close", "close"]
    assert [one.does for one in in_order([server])] == ["accept", "close"]
