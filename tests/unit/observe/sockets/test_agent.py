"""The agent's own part, on this machine's kernel: what it tells equals what Python tells."""

from __future__ import annotations

import base64
import importlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.observe.opened import opened
from labctl.observe.sockets import details, inet, snapshot
from labctl.observe.sockets.fields import Malformed
from labctl.observe.sockets.model import EMPTY, KernelSocket, SocketAddress
from labctl.sequence.events import Endpoint

AGENT = Path(__file__).parents[4] / "images/observer/agent"
PATIENCE = 30.0


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import a module of the agent, as the agent does, by its name alone."""
    monkeypatch.syspath_prepend(str(AGENT))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(AGENT) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def dumped(agent: Any, one: socket.socket) -> KernelSocket | None:
    """Return what the kernel's dump tells of a socket of ours."""
    inode = os.fstat(one.fileno()).st_ino
    for message in agent("sock_diag").dump().get("tcp", []):
        read = inet.read(message, "tcp")
        if read.inode == inode:
            return read
    return None


def test_a_listener_of_ours_is_in_the_dump(agent: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=3) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            # The kernel lets the client go on before the last ACK is with the listener.
            deadline = time.monotonic() + PATIENCE
            while (found := dumped(agent, listener)) is not None and found.accept_queue != 1:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert found is not None
            assert (found.state, found.accept_queue, found.backlog) == ("LISTEN", 1, 3)
            assert found.local == SocketAddress("127.0.0.1", port)
            assert found.receive_buffer == listener.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def described(agent: Any, one: socket.socket) -> KernelSocket:
    told = agent("borrowing").describe(one)
    return details.alone(12, json.loads(json.dumps(told)))


def test_a_socket_without_address_tells_of_itself(agent: Any) -> None:
    with socket.socket() as one:
        assert dumped(agent, one) is None
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found = described(agent, one)
    assert (found.family, found.type, found.protocol) == ("AF_INET", "SOCK_STREAM", "tcp")
    assert (found.state, found.local, found.remote) == ("CLOSED", EMPTY, EMPTY)
    assert found.options == ("SO_REUSEADDR", "SO_KEEPALIVE", "TCP_NODELAY")
    assert found.cookie


def test_a_socket_has_the_same_key_by_both_roads(agent: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = dumped(agent, listener)
        assert found is not None
        assert found.key == described(agent, listener).key


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        (socket.AF_INET6, socket.SOCK_STREAM),
        (socket.AF_INET6, socket.SOCK_DGRAM),
        (socket.AF_UNIX, socket.SOCK_STREAM),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET),
        (socket.AF_NETLINK, socket.SOCK_RAW),
    ],
)
def test_sockets_of_other_families_tell_of_themselves(agent: Any, family: int, kind: int) -> None:
    with socket.socket(family, kind) as one:
        found = described(agent, one)
        assert (found.family, found.type) == (one.family.name, one.type.name)
        assert (found.local, found.remote) == (EMPTY, EMPTY)


def at_rest(told: dict[str, Any]) -> dict[str, Any]:
    """The description less four times that run on: tcpi_last_data_sent to tcpi_last_ack_recv."""
    info = bytearray(base64.b64decode(told["tcp_info"]))
    info[44:60] = bytes(16)
    return {**told, "tcp_info": bytes(info)}


def test_what_is_borrowed_is_the_same_socket(agent: Any) -> None:
    with socket.socket() as one:
        inode = os.fstat(one.fileno()).st_ino
        ask = agent("borrowing").ask
        told = ask(os.getpid(), one.fileno(), inode)
        assert at_rest(told) == at_rest(agent("borrowing").describe(one))
        assert ask(os.getpid(), one.fileno(), inode + 1) is None
        with pytest.raises(OSError):
            ask(os.getpid(), 1 << 16, inode)


def test_asking_takes_no_error_away(agent: Any) -> None:
    with socket.socket() as one:
        one.setblocking(False)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            one.connect_ex(closed.getsockname())
            refused = select.poll()  # which does not take the error away
            refused.register(one, select.POLLERR)
            assert refused.poll(PATIENCE * 1000)
        described(agent, one)
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


HOLDER = """
import os, socket, sys
one = socket.socket()
print(one.fileno(), os.fstat(one.fileno()).st_ino, flush=True)
while sys.argv[1] == "works":
    pass
sys.stdin.read()
"""


@pytest.mark.parametrize("does", ["sleeps", "works"])
def test_a_socket_is_borrowed_only_from_a_process_that_sleeps(agent: Any, does: str) -> None:
    argv = [sys.executable, "-c", HOLDER, does]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        fd, inode = map(int, holder.stdout.readline().split())
        patience = 10.0 if does == "sleeps" else 0.1
        try:
            told = agent("socket_tables")._ask(holder.pid, fd, inode, time.monotonic() + patience)
        finally:
            holder.kill()
    if does == "sleeps":
        assert details.alone(inode, told).cookie
    else:
        assert told == {"name": "TCP", "busy": True}


def test_the_sockets_of_a_process_are_told_without_borrowing(
    agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent("processes"), "running", lambda: [os.getpid()])
    borrowed: list[object] = []
    monkeypatch.setattr(agent("borrowing"), "ask", lambda *told: borrowed.append(told))
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as plain:
        before = time.time_ns()
        told = json.loads(json.dumps(agent("open_sockets").open_sockets()))
        found = snapshot.read("server", told)
        assert before <= found.time <= time.time_ns()
        mine = {s.fd: s for s in opened(found).sockets if s.pid == os.getpid()}
        one, other = mine[listener.fileno()], mine[plain.fileno()]
        assert one.local == Endpoint("127.0.0.1", listener.getsockname()[1])
        assert (one.inode, one.state) == (os.fstat(listener.fileno()).st_ino, "LISTEN")
        assert (other.family, other.type, other.state) == ("AF_INET", "SOCK_STREAM", "UNCONN")
        assert (other.local, other.remote) == (None, None)
    assert not borrowed
    assert not found.notes


@pytest.mark.parametrize("block", [b"", b"\x05\x00", bytes(16), b"\xff" * 40])
def test_blocks_that_are_no_messages_end(agent: Any, block: bytes) -> None:
    assert len(list(agent("sock_diag")._messages(block))) <= 1


def test_a_message_of_another_family_is_refused() -> None:
    with pytest.raises(Malformed):
        inet.read(bytes(72), "tcp")
