"""The small parts that the programs share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import command
import pytest
import sockets
from command import Failure, host_and_port, printable
from receiving import Arrival, CannotWrite, local_name, path_in
from share import Share
from sockets import notice_silence, set_timeouts, until


def test_a_file_is_shared_when_it_has_stopped_changing(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    share = Share(str(tmp_path))
    assert list(share.scan()) == ["old"]
    (tmp_path / "new").write_bytes(b"half")
    assert list(share.scan()) == ["old"]
    (tmp_path / "new").write_bytes(b"whole now")
    assert list(share.scan()) == ["old"]
    assert share.scan()["new"].size == 9
    (tmp_path / "old").write_bytes(b"older")
    assert list(share.scan()) == ["new"]
    assert share.scan()["old"].md5 == "6a3a6f6e33217afa6373df9d6b2e8a00"


def test_a_folder_that_is_gone_shares_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    (folder / "a").touch()
    share = Share(str(folder))
    assert list(share.scan()) == ["a"]
    (folder / "a").unlink()
    folder.rmdir()
    assert share.scan() == {}


def test_an_arrival_replaces_only_when_kept(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with Arrival(str(target)) as arrival:
        arrival.write(b"half")
        arrival.restart()
        arrival.write(b"new")
        assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with Arrival(str(target)) as arrival:
        arrival.write(b"new")
        arrival.keep()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o644
    with pytest.raises(CannotWrite, match="No such file"):
        Arrival(str(tmp_path / "none" / "a"))


@pytest.mark.parametrize(
    ("name", "local"), [("a b", "a b"), ("C:\\music\\a.mp3", "a.mp3"), ("../../a", "a")]
)
def test_the_name_of_an_arrival_stays_in_the_folder(name: str, local: str) -> None:
    assert local_name(name) == local


def test_no_file_of_somebody_elses_is_taken_for_standard_output() -> None:
    assert path_in(".", "a/-") == "./-"
    assert path_in(".", "b") == "b"
    assert path_in("/a", "-") == "/a/-"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/", "a/..", "a\0b"])
def test_names_that_cannot_be_stored(name: str) -> None:
    with pytest.raises(Failure):
        local_name(name)


def test_silence_on_a_connection_is_noticed_within_ten_seconds() -> None:
    with socket.socket() as sock:
        notice_silence(sock)

        def option(name: int) -> int:
            return sock.getsockopt(socket.IPPROTO_TCP, name)

        idle, every = option(socket.TCP_KEEPIDLE), option(socket.TCP_KEEPINTVL)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert idle + every * option(socket.TCP_KEEPCNT) <= 10
        assert option(socket.TCP_USER_TIMEOUT) == 10_000


def test_a_timeout_ends_a_blocking_call() -> None:
    here, there = socket.socketpair()
    with here, there:
        set_timeouts(here, 0.05)
        with pytest.raises(BlockingIOError):
            here.recv(1)
        with pytest.raises(BlockingIOError):
            here.sendall(bytes(10_000_000))


def test_only_what_may_pass_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    now = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(sockets, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))

    def refuse() -> None:
        calls.append(1)
        raise ConnectionRefusedError(111, "refused")

    began = now
    with pytest.raises(ConnectionRefusedError):
        until(began + 0.2, refuse)
    assert now >= began + 0.2
    assert len(calls) >= 2

    def forbid() -> None:
        calls.clear()
        raise PermissionError(13, "no")

    with pytest.raises(PermissionError):
        until(now + 5, forbid)


def test_output_cannot_be_rewritten_by_a_name() -> None:
    assert printable("a\x1b[2J\nä\udcff") == "a\\x1b[2J\\nä\\udcff"


def test_host_and_port() -> None:
    assert host_and_port("directory", 8888) == ("directory", 8888)
    assert host_and_port("10.0.0.1:9", 8888) == ("10.0.0.1", 9)


@pytest.mark.parametrize("name", ["tcp_server", "tcp_client", "directory", "peer", "router"])
def test_each_program_runs_through_a_link(tmp_path: Path, name: str) -> None:
    link = tmp_path / name
    link.symlink_to(Path(command.__file__).with_name(f"{name}.py"))
    assert os.access(link, os.X_OK)
    assert link.read_text().startswith("#!/usr/bin/python3\n")
    done = subprocess.run([sys.executable, link, "--help"], capture_output=True, check=False)
    assert done.returncode == 0


ENDS = """
import atexit, os, signal, command
atexit.register(os.kill, os.getpid(), signal.SIGTERM)
command.run(lambda: None)
"""


def test_sigterm_while_a_program_ends_is_no_error_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(command.__file__).parent,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
