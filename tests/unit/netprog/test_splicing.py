"""Receiving by splice(2): the same file, the same digest, and recv where it does not work."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import downloader
import pytest
import receiving
import splicing
from downloader import CutShort, Manner
from following import Follower
from receiving import HEAD, NEVER, Arrival, CannotWrite

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import FakeServer, Program, Run, Start

DATA = os.urandom(HEAD + (5 << 20) + 17)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """A socket out of which DATA comes, and then the end of the stream."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        receiver = listener.accept()[0]
    with receiver:
        work = threading.Thread(target=send, args=(sender,))
        work.start()
        yield receiver
        receiver.close()
        work.join(10)


def send(sender: socket.socket, data: bytes = DATA) -> None:
    with sender, contextlib.suppress(OSError):
        sender.sendall(data)


def take_all(arrival: Arrival, connection: socket.socket) -> None:
    while arrival.size < len(DATA):
        assert arrival.take(connection, len(DATA) - arrival.size) > 0
    assert arrival.take(connection, 1) == 0


def pipes() -> set[str]:
    """The pipes that this process has open. Those of earlier tests may go at any time, when Python
    collects what holds them: only what has come since is a test's own."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return {target for target in found if target.startswith("pipe:")}


@pytest.fixture
def spliced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that each splice(2) moved into the pipe."""
    counts: list[int] = []
    fill = splicing.Splicer.fill

    def counted(self: splicing.Splicer, connection: socket.socket, most: int) -> int:
        counts.append(fill(self, connection, most))
        return counts[-1]

    monkeypatch.setattr(splicing.Splicer, "fill", counted)
    return counts


def test_a_large_file_goes_by_splice_all_but_its_head(
    connection: socket.socket, tmp_path: Path, spliced: list[int]
) -> None:
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        take_all(arrival, connection)
        assert arrival.sha256 == SHA256
        arrival.keep()
    assert (tmp_path / "a").read_bytes() == DATA
    assert arrival.sha256 == SHA256
    assert arrival.head == DATA[:HEAD]
    assert 0 < sum(spliced) <= len(DATA) - HEAD


@pytest.mark.parametrize("splice_from", [NEVER, receiving.LARGE])
def test_a_small_file_goes_by_recv(
    connection: socket.socket, tmp_path: Path, spliced: list[int], splice_from: int
) -> None:
    with Arrival(str(tmp_path / "a"), splice_from=splice_from) as arrival:
        take_all(arrival, connection)
        assert arrival.sha256 == SHA256
        arrival.keep()
    assert spliced == []


def test_what_is_written_in_between_is_in_the_digest(
    connection: socket.socket, tmp_path: Path, spliced: list[int]
) -> None:
    expected = b"x" * HEAD + DATA + b"yz"
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        arrival.write(expected[:HEAD])
        while arrival.size < HEAD + len(DATA):
            assert arrival.take(connection, len(DATA)) > 0
        arrival.write(expected[-2:])
        assert arrival.sha256 == hashlib.sha256(expected).hexdigest()
        arrival.keep()
    assert sum(spliced) == len(DATA)
    assert (tmp_path / "a").read_bytes() == expected


def test_a_restart_forgets_what_was_spliced(
    connection: socket.socket, tmp_path: Path, spliced: list[int]
) -> None:
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        arrival.write(b"x" * HEAD)
        assert arrival.take(connection, 1000) > 0
        arrival.restart()
        arrival.write(b"new")
        assert arrival.sha256 == hashlib.sha256(b"new").hexdigest()
        arrival.keep()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert len(spliced) == 1


def test_a_download_that_was_cut_goes_on_by_splice(tmp_path: Path, spliced: list[int]) -> None:
    cut = len(DATA) - 1_000_003
    with Arrival(str(tmp_path / "a"), splice_from=1 << 20) as arrival:
        for part in (DATA[:cut], DATA[cut:]):
            sender, receiver = socket.socketpair()
            work = threading.Thread(target=send, args=(sender, part))
            work.start()
            last = arrival.size == cut
            with receiver, contextlib.nullcontext() if last else pytest.raises(CutShort):
                downloader._receive_data(receiver, len(DATA), Manner("x"), arrival)
            work.join(10)
        assert arrival.sha256 == SHA256
        arrival.keep()
    assert (tmp_path / "a").read_bytes() == DATA
    assert sum(spliced) > 1_000_003


def test_unchecked_no_digest_is_worked_out(
    connection: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splicing, "Follower", None)
    with Arrival(str(tmp_path / "a"), splice_from=1, checked=False) as arrival:
        take_all(arrival, connection)
        arrival.keep()
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.ENOSYS])
def test_where_splice_does_not_work_the_file_arrives_too(
    connection: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refuse(*_: int) -> NoReturn:
        raise OSError(refusal, "refused")

    monkeypatch.setattr(os, "splice", refuse)
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        take_all(arrival, connection)
        assert arrival.sha256 == SHA256
        arrival.keep()
    assert (tmp_path / "a").read_bytes() == DATA


def test_a_file_system_that_takes_no_splice_is_written_to(
    connection: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splice = os.splice

    def refuse_files(source: int, target: int, count: int) -> int:
        if (os.fstat(target).st_mode & 0o170000) == 0o100000:
            raise OSError(errno.EINVAL, "refused")
        return splice(source, target, count)

    monkeypatch.setattr(os, "splice", refuse_files)
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        take_all(arrival, connection)
        assert arrival.sha256 == SHA256


@pytest.mark.parametrize("what", ["pipe", "thread"])
def test_without_descriptors_or_threads_recv_goes_on(
    connection: socket.socket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spliced: list[int],
    what: str,
) -> None:
    def refuse(*_args: object, **_named: object) -> NoReturn:
        raise OSError(errno.EMFILE, "none") if what == "pipe" else RuntimeError("none")

    if what == "pipe":
        monkeypatch.setattr(os, "pipe", refuse)
    else:
        monkeypatch.setattr(threading.Thread, "start", refuse)
    before = pipes()
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        take_all(arrival, connection)
        assert arrival.sha256 == SHA256
    assert spliced == []
    assert pipes() <= before


def test_nothing_is_left_open_or_running(connection: socket.socket, tmp_path: Path) -> None:
    before = pipes()
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        arrival.write(b"x" * HEAD)
        assert arrival.take(connection, 1000) > 0
        assert not pipes() <= before
    assert pipes() <= before
    assert not [thread.name for thread in threading.enumerate() if "_follow" in thread.name]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_became_shorter_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)
    follower = Follower(descriptor, 0, hashlib.sha256())
    try:
        follower.grown(1 << 20)
        with pytest.raises(OSError, match="became shorter"):
            follower.catch_up()
    finally:
        follower.stop()
        os.close(descriptor)


def test_the_digest_goes_on_from_any_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    digest = hashlib.sha256(DATA[:12345])
    with (tmp_path / "a").open("rb") as file:
        follower = Follower(file.fileno(), 12345, digest)
        for size in (12346, 20480, len(DATA)):
            follower.grown(size)
        follower.catch_up()
        follower.stop()
    assert digest.hexdigest() == SHA256


@pytest.fixture(scope="module")
def server(start_once: Start, tmp_path_factory: pytest.TempPathFactory) -> Program:
    root = tmp_path_factory.mktemp("files")
    (root / "a").write_bytes(DATA)
    return start_once("tcp_server", "--port", 0, "--host", "127.0.0.1", "--root", root)


@pytest.mark.parametrize("by", ["recv", "splice", "size"])
def test_the_client_fetches_the_same_file_by_each(
    server: Program, run: Run, tmp_path: Path, by: str
) -> None:
    argv = ("tcp_client", "127.0.0.1", "a", "--port", server.port, "--out", tmp_path, "--json")
    done = run(*argv, "--by", by)
    assert json.loads(done.stdout)["sha256"] == SHA256
    assert (tmp_path / "a").read_bytes() == DATA
    done = run(*argv, "--by", by, "--unchecked")
    assert json.loads(done.stdout)["sha256"] is None
    assert (tmp_path / "a").read_bytes() == DATA


def test_what_goes_to_a_device_is_received_and_checked(server: Program, run: Run) -> None:
    argv = ("tcp_client", "127.0.0.1", "a", "--port", server.port, "--by", "splice")
    done = run(*argv, "--out", "/dev/null", "--json")
    assert json.loads(done.stdout)["sha256"] == SHA256


def test_a_full_disk_leaves_no_partial_file(server: Program, run: Run, tmp_path: Path) -> None:
    done = run(
        *("tcp_client", "127.0.0.1", "a", "--port", server.port, "--by", "splice"),
        *("--out", tmp_path),
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
    )
    assert done.returncode == 1
    assert f"cannot write {tmp_path}/a: File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("behind", "why"),
    [
        (b"", "cut short after"),
        (DATA[HEAD:] + b"SHA256 " + b"0" * 64 + b"\n", "wrong bytes"),
    ],
)
def test_the_client_keeps_no_spliced_file_that_is_not_whole(
    fake_server: FakeServer, run: Run, tmp_path: Path, behind: bytes, why: str
) -> None:
    def lie(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"OK %d\n" % len(DATA) + DATA[:HEAD] + behind)

    argv = ("tcp_client", "127.0.0.1", "x", "--port", fake_server(lie), "--out", tmp_path)
    done = run(*argv, "--by", "splice")
    assert done.returncode == 1
    assert why in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_splicing(
    connection: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(splicing.Splicer, "empty", refuse)
    with (
        Arrival(str(tmp_path / "a"), splice_from=1) as arrival,
        pytest.raises(CannotWrite, match="No space left"),
    ):
        take_all(arrival, connection)


def test_the_congestion_control_is_chosen_or_refused(start: Start, run: Run) -> None:
    chosen = start("tcp_server", "--port", 0, "--congestion", "reno", "--root", "/")
    assert chosen.port
    refused = run("tcp_server", "--port", 0, "--congestion", "none-such", "--root", "/")
    assert refused.returncode == 1
    assert "congestion control 'none-such'" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_file_that_has_room_for_more_ends_with_its_last_byte(
    connection: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fallocate(descriptor: int, start: int, count: int) -> None:
        asked.append((start, count))
        os.truncate(descriptor, start + count)  # it makes the file as long

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    monkeypatch.setattr(splicing, "AHEAD", 1 << 20)
    with (tmp_path / "a").open("wb", buffering=0) as file:
        splicer = splicing.Splicer(file, 0, None)
        while count := splicer.fill(connection, NEVER):
            splicer.empty(count)
        assert os.fstat(file.fileno()).st_size > len(DATA)
        splicer.close()
    assert asked[0] == (0, 1 << 20)
    assert len(asked) >= 2
    assert (tmp_path / "a").read_bytes() == DATA


def test_a_file_system_that_cannot_make_room_beforehand_gets_the_file_all_the_same(
    connection: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fallocate(*_: int) -> NoReturn:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    with Arrival(str(tmp_path / "a"), splice_from=1) as arrival:
        take_all(arrival, connection)
        assert arrival.sha256 == SHA256
        arrival.keep()
    assert (tmp_path / "a").read_bytes() == DATA
