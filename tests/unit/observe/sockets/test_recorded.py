"""What the agent told of real sockets, read: compared with what their program says of them."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.observe.sockets.model import EMPTY, KernelSocket, SocketAddress

from .recorded import SCENE, behind, taken

NAMES = sorted(SCENE["sockets"])


def address(told: Any) -> SocketAddress:
    """Return what getsockname or getpeername tells, as an address with empty fields."""
    if not told or told == ["0.0.0.0", 0]:
        return EMPTY
    if isinstance(told, str):
        return SocketAddress(told.replace("\0", "@"))
    return SocketAddress(told[0], told[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_socket_is_as_its_program_has_it(name: str) -> None:
    told, one = SCENE["sockets"][name], behind(name)
    assert (one.family, one.type) == (told["family"], told["type"])
    assert one.local == address(told["local"])
    if name != "trying":  # getpeername tells of a connection only, connect fills the field before
        assert one.remote == address(told["remote"])


@pytest.mark.parametrize("name", NAMES)
def test_parent_and_child_hold_the_same_structure(name: str) -> None:
    fd = SCENE["sockets"][name]["fd"]
    holders = taken().holders[behind(name).inode]
    assert holders == ((SCENE["pid"], fd), (SCENE["child"], fd))


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("empty", "CLOSED"),
        ("bound", "CLOSED"),
        ("listener", "LISTEN"),
        ("client", "ESTABLISHED"),
        ("trying", "SYN-SENT"),
        ("datagrams", "UNCONNECTED"),
        ("sender", "CONNECTED"),
        ("left", "CONNECTED"),
        ("path", "LISTEN"),
    ],
)
def test_states(name: str, state: str) -> None:
    assert behind(name).state == state


def test_a_new_socket_has_four_empty_fields_and_its_options() -> None:
    one = behind("empty")
    assert (one.local, one.remote) == (EMPTY, EMPTY)
    assert one.options == ("SO_REUSEADDR",)
    assert behind("bound").options == ()
    assert one.receive_buffer and one.send_buffer


def test_a_listener_has_an_accept_queue_instead_of_bytes() -> None:
    one = behind("listener")
    assert (one.accept_queue, one.backlog) == (2, 3)
    assert (one.receive_queue, one.send_queue) == (None, None)
    assert (behind("listener6").accept_queue, behind("listener6").backlog) == (0, 7)


def test_queues_hold_what_nobody_read() -> None:
    assert behind("accepted").receive_queue == len("unread!")
    assert (behind("receiver").receive_queue or 0) > len("hello")  # with the kernel's overhead
    assert behind("client").receive_queue == 0


def test_a_connection_that_is_not_answered_tries_again() -> None:
    one = behind("trying")
    assert one.timer is not None
    assert one.timer.kind == "retransmit"
    assert one.timer.attempts >= 1
    assert one.tcp is not None
    assert one.tcp.retransmitted == one.timer.attempts
    assert behind("full").dropped


def test_the_round_trip_of_a_connection_is_known() -> None:
    one = behind("client").tcp
    assert one is not None
    assert 0 < one.rtt < 1_000_000
    assert one.mss > 1000
    assert one.congestion_window >= 10


def test_ends_of_a_pair_name_each_other() -> None:
    left, right = behind("left"), behind("right")
    assert (left.peer, right.peer) == (right.inode, left.inode)


def unheld(port_of: str) -> list[KernelSocket]:
    port = behind(port_of).local.port
    return [one for one in taken().unheld if one.local.port == port]


def test_connections_that_wait_for_accept_belong_to_nobody() -> None:
    states = {one.state: one for one in unheld("listener")}
    assert set(states) == {"ESTABLISHED", "CLOSE-WAIT"}
    assert all(one.awaits_accept for one in states.values())
    assert states["ESTABLISHED"].receive_queue == len("early")


def test_closed_connections_belong_to_nobody() -> None:
    (gone,) = [one for one in taken().unheld if one.state == "TIME-WAIT"]
    assert gone.timer is not None
    assert gone.timer.kind == "time-wait"
    assert 50_000 < gone.timer.ms <= 60_000
    assert not gone.awaits_accept


def test_every_socket_has_a_key_of_its_own() -> None:
    keys = [one.key for one in taken().sockets]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("cookie:") for key in keys)


def test_other_descriptors_are_known_for_what_they_are() -> None:
    (process,) = [one for one in taken().processes if one.pid == SCENE["pid"]]
    table = {one.fd: one for one in process.descriptors}
    assert (table[0].kind, table[0].target, table[0].access) == ("file", "/dev/null", "rw")
    assert (table[1].kind, table[1].access, table[1].close_on_exec) == ("pipe", "w", False)
    poll = table[SCENE["epoll"]]
    watched = tuple(SCENE["sockets"][name]["fd"] for name in ("listener", "receiver"))
    assert (poll.kind, poll.watches) == ("eventpoll", watched)
    for told in SCENE["sockets"].values():
        one = table[told["fd"]]
        assert one.kind == "socket"
        assert (one.nonblocking, one.close_on_exec) == (not told["blocking"], True)


def test_processes_with_parent_user_and_state() -> None:
    found = {one.pid: one for one in taken().processes}
    assert found[SCENE["child"]].parent == SCENE["pid"]
    assert found[SCENE["zombie"]].state == "Z"
    assert found[SCENE["zombie"]].descriptors == ()
    assert {one.user for one in found.values()} == {"student"}
