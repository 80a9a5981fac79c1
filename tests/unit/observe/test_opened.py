"""What is told of the sockets that processes had when they were attached to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labctl.observe.missed import missed
from labctl.observe.opened import Opened, from_before, opened
from labctl.observe.sockets.model import Descriptor, KernelSocket, Process, Snapshot, SocketAddress
from labctl.sequence.events import Call, Endpoint, OpenSocket, ProcessEvent

TIME = 1000


def snapshot(*sockets: KernelSocket, fds: dict[int, tuple[int, ...]] | None = None) -> Snapshot:
    """Return a snapshot of processes: by number, the inodes behind their descriptors from 3."""
    processes = [
        Process(
            *(pid, 1, "server", ("server",), "root", "S"),
            (
                Descriptor(0, "file", "/dev/null"),
                *(Descriptor(fd, "socket", inode=inode) for fd, inode in enumerate(inodes, 3)),
            ),
        )
        for pid, inodes in (fds or {7: tuple(s.inode for s in sockets)}).items()
    ]
    return Snapshot("server", TIME, tuple(processes), sockets)


def tcp(inode: int, state: str, **more: Any) -> KernelSocket:
    return KernelSocket(inode, inode, "AF_INET", "SOCK_STREAM", "tcp", state, **more)


def test_each_descriptor_of_a_socket_is_told() -> None:
    listener = tcp(50, "LISTEN", local=SocketAddress("0.0.0.0", 80))
    ends = {"local": SocketAddress("10.0.0.2", 80), "remote": SocketAddress("10.0.0.1", 4000)}
    held = tcp(51, "ESTABLISHED", **ends)
    waiting = tcp(0, "ESTABLISHED", **ends)
    told = opened(snapshot(listener, held, waiting, fds={7: (50, 51), 8: (51, 99)}))
    first = OpenSocket(
        *("server", 7, 3, 50, "AF_INET", "SOCK_STREAM", "LISTEN"), Endpoint("0.0.0.0", 80), None
    )
    second = replace(
        first,
        fd=4,
        inode=51,
        state="ESTAB",
        local=Endpoint("10.0.0.2", 80),
        remote=Endpoint("10.0.0.1", 4000),
    )
    assert told == Opened((first, second, replace(second, pid=8, fd=3)), TIME)


@pytest.mark.parametrize(
    ("socket", "state", "local"),
    [
        (tcp(5, "CLOSED"), "UNCONN", None),
        (tcp(5, "FIN-WAIT-2"), "FIN-WAIT-2", None),
        (tcp(5, "LISTEN", local=SocketAddress("::", 80)), "LISTEN", "[::]:80"),
        (
            tcp(5, "ESTABLISHED", local=SocketAddress("::ffff:10.0.0.2", 80)),
            "ESTAB",
            "10.0.0.2:80",
        ),
        (
            KernelSocket(5, 1, "AF_UNIX", "SOCK_STREAM", "", "LISTEN", SocketAddress("/run/x")),
            "LISTEN",
            None,
        ),
        (KernelSocket(5, None, "AF_INET", "SOCK_DGRAM", "udp", ""), "UNCONN", None),
        (
            KernelSocket(
                *(5, 1, "AF_INET", "SOCK_DGRAM", "udp", "UNCONNECTED"),
                SocketAddress("10.0.0.2", 53),
            ),
            "UNCONN",
            "10.0.0.2:53",
        ),
    ],
)
def test_states_and_addresses_are_those_of_events(
    socket: KernelSocket, state: str, local: str | None
) -> None:
    (one,) = opened(snapshot(socket)).sockets
    assert one.state == state
    assert one.local == (None if local is None else Endpoint.parse(local))


FOUND = OpenSocket("server", 7, 4, 50, "AF_INET", "SOCK_STREAM", "ESTAB", None, None)
CALL = Call("server", 7, 7, "accept4", 500, 900, 4)
FORK = ProcessEvent("server", 6, 6, "fork", 900, child=7)


@pytest.mark.parametrize(
    ("call", "there"),
    [
        (CALL, False),
        (replace(CALL, name="socket"), False),
        (replace(CALL, name="dup2"), False),
        (replace(CALL, name="fcntl", args={"command": "F_DUPFD_CLOEXEC"}), False),
        (replace(CALL, name="fcntl", args={"command": "F_GETFD"}), True),
        (replace(CALL, name="read"), True),
        (replace(CALL, result=5), True),
        (replace(CALL, pid=8), True),
        (replace(CALL, host="client"), True),
        (replace(CALL, end=TIME + 1), True),
        (replace(CALL, end=None, result=None), True),
    ],
)
def test_what_was_seen_to_be_made_is_not_from_before(call: Call, there: bool) -> None:
    assert from_before([Opened((FOUND,), TIME)], [call], []) == ((FOUND,) if there else ())


@pytest.mark.parametrize(
    ("event", "there"),
    [
        (FORK, False),
        (replace(FORK, kind="thread"), True),
        (replace(FORK, child=8), True),
        (replace(FORK, time=TIME + 1), True),
    ],
)
def test_nor_is_what_a_new_process_has(event: ProcessEvent, there: bool) -> None:
    assert from_before([Opened((FOUND,), TIME)], [], [event]) == ((FOUND,) if there else ())


def test_each_host_has_its_own_time() -> None:
    other = replace(FOUND, host="client")
    late = replace(CALL, host="client", end=TIME + 1)
    found = [Opened((FOUND,), TIME), Opened((other,), TIME + 2), Opened()]
    assert from_before(found, [late], []) == (FOUND,)


LISTENS = replace(FOUND, fd=3, inode=49, state="LISTEN", local=Endpoint("0.0.0.0", 80))
ENDS: dict[str, Any] = {"local": Endpoint("10.0.0.2", 80), "remote": Endpoint("10.0.0.1", 4000)}
PROGRAMS = {"server": {7: "/usr/bin/python3 /usr/local/bin/tcp_server --port 80"}}


def test_a_host_s_first_calls_are_said_to_be_missed() -> None:
    talks = replace(FOUND, **ENDS)
    of_unix = replace(FOUND, family="AF_UNIX", inode=9)
    (notice,) = missed([LISTENS, replace(LISTENS, pid=8), talks, of_unix], PROGRAMS)
    assert notice.host == "server"
    assert notice.text == (
        "its first calls are missed, as it ran before: process 7 (python3 tcp_server --port 80) "
        "had socket 3 listening at 0.0.0.0:80, socket 4 connected from 10.0.0.2:80 to "
        "10.0.0.1:4000"
    )


def test_of_many_sockets_the_first_are_told() -> None:
    many = [replace(FOUND, fd=fd, inode=fd, pid=fd, local=ENDS["local"]) for fd in range(3, 30)]
    (notice,) = missed(many, {"server": {3: "x" * 100}})
    assert notice.text.endswith(
        f"process 3 ({'x' * 60}...) had socket 3 bound to 10.0.0.2:80, "
        "process 4 had socket 4 bound to 10.0.0.2:80, "
        "process 5 had socket 5 bound to 10.0.0.2:80, and 24 sockets more"
    )


def test_where_there_were_no_internet_sockets_nothing_is_said() -> None:
    assert missed([replace(FOUND, family="AF_UNIX")], PROGRAMS) == []
