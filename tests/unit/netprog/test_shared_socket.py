"""shared_socket, with tcp_client and with clients that misbehave."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Program, Run, Start, Until


@pytest.fixture(scope="module")
def server(start_once: Start) -> Program:
    return start_once("shared_socket", "--port", 0, "--host", "127.0.0.1", "--timeout", 60)


@pytest.fixture(scope="module")
def hasty(start_once: Start) -> Program:
    """The same for clients that are to be late."""
    return start_once("shared_socket", "--port", 0, "--host", "127.0.0.1", "--timeout", 0.5)


def answer_to(port: int, piece: bytes) -> bytes:
    """Return all that the server says to this request, until it ends."""
    with connect(port) as client:
        tell(client, piece)
        return rest(client)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def tell(client: socket.socket, piece: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # it does not want any more
        client.sendall(piece)


def rest(client: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(ConnectionError):
        while block := client.recv(4096):
            said += block
    return said


def children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()


def test_each_client_is_served_by_a_child_and_none_is_left(
    server: Program, run: Run, tmp_path: Path, until: Until
) -> None:
    pids = []
    for name in ("a", "b"):
        done = run("tcp_client", "127.0.0.1", name, "--port", server.port, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        told = re.fullmatch(r"process (\d+), child of (\d+)\n", (tmp_path / name).read_text())
        assert told is not None
        assert int(told[2]) == server.process.pid
        pids.append(told[1])
    assert len({*pids, str(server.process.pid)}) == 3
    until(lambda: children(server.process.pid) == "")


@pytest.mark.parametrize(
    "piece",
    [b"nonsense\n", b"\0\xff" * 5000, b"GET " + b"x" * 100_000],
    ids=["garbage", "binary", "too-long"],
)
def test_a_client_that_misbehaves_is_refused_and_the_next_one_served(
    server: Program, piece: bytes
) -> None:
    assert answer_to(server.port, piece) in (b"ERR bad request\n", b"")
    assert answer_to(server.port, b"GET x\n").startswith(b"OK ")


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [((), 0.0), ((b"G", b"E", b"T", b" ", b"x"), 0.2)],
    ids=["nothing", "slow"],
)
def test_a_client_that_is_late_is_refused_and_the_next_one_served(
    hasty: Program, pieces: tuple[bytes, ...], pause: float
) -> None:
    with connect(hasty.port) as late, connect(hasty.port) as following:
        # It has said all long before its turn comes: it cannot be late itself.
        tell(following, b"GET x\n")
        for piece in pieces:
            tell(late, piece)
            time.sleep(pause)
        assert rest(late) in (b"ERR bad request\n", b"")
        assert rest(following).startswith(b"OK ")


def test_without_a_descriptor_for_the_second_number_it_says_so_and_recovers(
    start: Start, until: Until
) -> None:
    server = start("shared_socket", "--port", 0, "--host", "127.0.0.1", "--timeout", 60)
    pid, port = server.process.pid, server.port
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir())
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, before[1]))
    assert answer_to(port, b"GET x\n") == b""
    server.wait_for("refused: Too many open files")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert answer_to(port, b"GET x\n").startswith(b"OK ")


def test_sigterm_ends_it_with_the_child_that_serves(start: Start, until: Until) -> None:
    server = start("shared_socket", "--port", 0, "--host", "127.0.0.1", "--timeout", 60)
    with socket.create_connection(("127.0.0.1", server.port)):
        until(lambda: children(server.process.pid))
        child = int(children(server.process.pid))
        assert server.stop() == 0
        assert not Path(f"/proc/{child}").exists()


def test_a_port_in_use_and_wrong_words_are_told(server: Program, run: Run) -> None:
    taken = run("shared_socket", "--host", "127.0.0.1", "--port", server.port)
    assert (taken.returncode, taken.stdout) == (1, "")
    assert "Address already in use" in taken.stderr
    assert run("shared_socket", "--host", "192.0.2.1").returncode == 1
    for words in (("--port", "70000"), ("--host", ""), ("--timeout", "soon")):
        assert run("shared_socket", *words).returncode == 2
