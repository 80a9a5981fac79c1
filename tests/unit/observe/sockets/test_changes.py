"""What differs between two snapshots, and what is selected of one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.errors import UsageError
from labctl.observe.sockets.changes import Change, changes
from labctl.observe.sockets.model import (
    Descriptor,
    KernelSocket,
    Process,
    Snapshot,
    SocketAddress,
    TcpInfo,
    Timer,
)
from labctl.observe.sockets.select import require_process, selected

INIT = Process(1, 0, "docker-init", ("/sbin/docker-init", "--", "x"), "student", "S", ())
LISTENER = KernelSocket(
    501, 9, "AF_INET", "SOCK_STREAM", "tcp", "LISTEN", SocketAddress("0.0.0.0", 80)
)
SERVER = Process(
    7, 1, "python3", ("python3", "/srv/web.py"), "student", "S",
    (Descriptor(0, "file", "/dev/null"), Descriptor(3, "socket", inode=501)),
)  # fmt: skip
WAITS = replace(LISTENER, inode=0, cookie=10, state="TIME-WAIT", timer=Timer("time-wait", 900, 0))
OUTSIDE = replace(LISTENER, inode=77, cookie=11, local=SocketAddress("127.0.0.11", 3333))
ALL = Snapshot("web", 1, (INIT, SERVER), (LISTENER, WAITS, OUTSIDE))


def test_time_and_timers_and_estimates_are_no_changes() -> None:
    one = replace(WAITS, tcp=TcpInfo(1, 1, 1, 1, 1, 1, 0))
    two = replace(one, timer=Timer("time-wait", 800, 0), tcp=TcpInfo(2, 2, 2, 2, 2, 2, 0))
    before, after = replace(ALL, sockets=(one,)), replace(ALL, time=2, sockets=(two,))
    assert changes(before, after) == ()


def test_a_segment_sent_again_is_a_change() -> None:
    one = replace(WAITS, tcp=TcpInfo(1, 1, 1, 1, 1, 1, 0))
    two = replace(one, tcp=TcpInfo(1, 1, 1, 1, 1, 1, 1), timer=Timer("retransmit", 5, 1))
    found = changes(replace(ALL, sockets=(one,)), replace(ALL, sockets=(two,)))
    assert [change.field for change in found] == ["timer", "tcp"]


def test_a_field_that_was_filled_is_one_change() -> None:
    empty = replace(LISTENER, local=SocketAddress(), state="CLOSED")
    found = changes(replace(ALL, sockets=(empty,)), replace(ALL, sockets=(LISTENER,)))
    assert found == (
        Change("socket", ("cookie:9",), "state", "CLOSED", "LISTEN"),
        Change("socket", ("cookie:9",), "local", SocketAddress(), SocketAddress("0.0.0.0", 80)),
    )


def test_what_came_and_what_went() -> None:
    child = replace(SERVER, pid=8, parent=7)
    after = replace(ALL, processes=(INIT, SERVER, child), sockets=(LISTENER, OUTSIDE))
    found = changes(ALL, after)
    assert Change("process", (8,), None, None, found[0].new) == found[0]
    assert Change("descriptor", (8, 3), None, None, child.descriptors[1]) in found
    assert found[-1] == Change("socket", ("cookie:10",), None, WAITS, None)
    back = changes(after, ALL)
    assert {(one.what, one.where) for one in back} == {(one.what, one.where) for one in found}
    assert all((one.old is None) != (one.new is None) for one in back)


def test_by_default_init_and_what_is_held_outside_are_left_out() -> None:
    shown = selected(ALL, None, everything=False)
    assert shown.processes == (SERVER,)
    assert shown.sockets == (LISTENER, WAITS)
    assert selected(ALL, None, everything=True) == ALL


@pytest.mark.parametrize("word", ["7", "python3", "web.py", "web"])
def test_a_process_is_known_by_number_program_and_script(word: str) -> None:
    require_process(ALL, word)
    assert selected(ALL, word, everything=False).processes == (SERVER,)


def test_with_one_process_only_sockets_on_its_ports() -> None:
    other = replace(WAITS, cookie=12, local=SocketAddress("10.0.0.1", 81))
    shown = selected(replace(ALL, sockets=(*ALL.sockets, other)), "7", everything=False)
    assert shown.sockets == (LISTENER, WAITS)
    assert selected(ALL, "1", everything=False).processes == (INIT,)


def test_an_unknown_process_is_a_wrong_usage() -> None:
    with pytest.raises(UsageError) as caught:
        require_process(ALL, "pyton3")
    assert caught.value.message == "host web has no process pyton3"
    assert caught.value.hint == "Did you mean `python3`?"
