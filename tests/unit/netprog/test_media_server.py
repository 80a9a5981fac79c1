"""media_server with tcp_client: many at once, and clients that misbehave."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, Program, Run, Start, Until


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "film").write_bytes(os.urandom(3_000_017))
    return folder


@pytest.fixture
def server(start: Start, root: Path) -> Program:
    program = start("media_server", "--port", 0, "--root", root, "--timeout", 60)
    program.wait_for("listening on")
    return program


def test_a_client_that_says_nothing_keeps_no_other_waiting(
    server: Program, run: Run, dial: Dial, root: Path, tmp_path: Path
) -> None:
    silent = dial(server.port)
    for name in ("one", "two"):
        argv = ("127.0.0.1", "film", "--port", server.port, "--out", tmp_path / name)
        assert run("tcp_client", *argv).returncode == 0
        assert (tmp_path / name).read_bytes() == (root / "film").read_bytes()
    server.wait_for(r"GET film 3000017 bytes", times=2)
    silent.sock.setblocking(False)
    with pytest.raises(BlockingIOError):  # it was there all the while
        silent.sock.recv(1)


def test_a_client_that_says_nothing_is_sent_away(start: Start, dial: Dial, root: Path) -> None:
    server = start("media_server", "--port", 0, "--root", root, "--timeout", 0.5)
    assert dial(server.port).rest() == b"ERR no request in time\n"
    server.wait_for("ERR no request in time")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"\x00" * 2000, b"ERR request too long\n"),
        (b"PUT film\n", b"ERR bad request\n"),
        (b"GET ../x\n", b"ERR "),
        (b"GET nothing\n", b"ERR "),
    ],
)
def test_garbage_is_answered_and_costs_only_itself(
    server: Program, dial: Dial, said: bytes, answer: bytes
) -> None:
    line = dial(server.port)
    line.send(said)
    assert line.rest().startswith(answer)


def test_subordinates_are_gone_when_their_clients_are(
    server: Program, run: Run, tmp_path: Path, until: Until
) -> None:
    argv = ("127.0.0.1", "film", "--port", server.port, "--out", tmp_path / "film")
    assert run("tcp_client", *argv).returncode == 0
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    until(lambda: children.read_text() == "")


def test_it_ends_with_its_subordinates(server: Program, dial: Dial, until: Until) -> None:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    line = dial(server.port)
    until(lambda: children.read_text() != "")
    assert server.stop(signal.SIGTERM) == 0
    line.rest()  # its subordinate is gone: the connection ends


def test_without_room_for_descriptors_it_goes_on(server: Program, run: Run, tmp_path: Path) -> None:
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, before[1]))
    argv = ("127.0.0.1", "film", "--port", server.port, "--out", tmp_path / "film")
    assert run("tcp_client", *argv, "--timeout", "1").returncode == 1
    server.wait_for("accept: ")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert run("tcp_client", *argv).returncode == 0


def test_a_port_in_use_and_no_folder_are_told(server: Program, run: Run, root: Path) -> None:
    taken = run("media_server", "--port", server.port, "--root", root)
    assert (taken.returncode, "cannot listen on" in taken.stderr) == (1, True)
    nowhere = run("media_server", "--port", 0, "--root", root / "no")
    assert (nowhere.returncode, "not a folder" in nowhere.stderr) == (1, True)


def test_a_client_begins_at_its_time(server: Program, run: Run, tmp_path: Path) -> None:
    at = time.time() + 1.0
    argv = ("127.0.0.1", "film", "--port", server.port, "--out", tmp_path / "late")
    assert run("tcp_client", *argv, "--at", f"{at:.3f}").returncode == 0
    assert (tmp_path / "late").stat().st_ctime >= at - 0.01
