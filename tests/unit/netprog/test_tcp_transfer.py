"""tcp_server and tcp_client together, and each against a partner that misbehaves."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, FakeServer, Program, Run, Start

SIZES = {"empty": 0, "one": 1, "some.mp3": 5 * 2**20 + 17, "ä b": 1000}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to serve, with temptations to leave it."""
    outside = tmp_path_factory.mktemp("server")
    folder = outside / "files"
    folder.mkdir()
    for name, size in SIZES.items():
        (folder / name).write_bytes(b"1" if size == 1 else os.urandom(size))
    (outside / "secret").write_text("secret")
    (folder / "link").symlink_to(outside / "secret")
    (folder / ".hidden").write_text("half")
    (folder / "sub").mkdir()
    os.mkfifo(folder / "fifo")
    return folder


@pytest.fixture(scope="module")
def server(start_once: Start, root: Path) -> Program:
    return start_once(
        "tcp_server", "--port", 0, "--host", "127.0.0.1", "--root", root, "--timeout", 60
    )


@pytest.fixture(scope="module")
def hasty(start_once: Start, root: Path) -> Program:
    """The same for clients that are to be late."""
    return start_once(
        "tcp_server", "--port", 0, "--host", "127.0.0.1", "--root", root, "--timeout", 0.6
    )


@pytest.mark.parametrize("name", SIZES)
def test_a_file_arrives_bit_for_bit(
    server: Program, run: Run, root: Path, tmp_path: Path, name: str
) -> None:
    done = run("tcp_client", "127.0.0.1", name, "--port", server.port, "--out", tmp_path, "--json")
    report = json.loads(done.stdout)
    data = (root / name).read_bytes()
    assert done.returncode == 0
    assert (tmp_path / name).read_bytes() == data
    assert set(report) == {
        *("name", "bytes", "seconds", "rate", "sha256", "local", "remote", "path"),
    }
    assert report["bytes"] == len(data)
    assert report["sha256"] == hashlib.sha256(data).hexdigest()
    assert report["remote"] == ["127.0.0.1", server.port]
    assert report["path"] == str(tmp_path / name)
    server.wait_for(rf"127.0.0.1:{report['local'][1]} GET {name} {len(data)} bytes")


def test_out_to_standard_output_keeps_the_report_apart(server: Program, run: Run) -> None:
    done = run("tcp_client", "127.0.0.1", "one", "--port", server.port, "--out", "-")
    assert done.stdout == "1"
    assert "one: 1 bytes" in done.stderr


def test_the_wire_byte_for_byte(server: Program, dial: Dial, root: Path) -> None:
    line = dial(server.port)
    line.send(b"GET one\n")
    data = (root / "one").read_bytes()
    digest = hashlib.sha256(data).hexdigest().encode()
    assert line.rest() == b"OK 1\n" + data + b"SHA256 " + digest + b"\n"


@pytest.mark.parametrize(
    "name",
    [
        *("../secret", "/etc/passwd", "link", "sub", "fifo", ".hidden", ".", ".."),
        *("sub/../one", "./one", "no such", "x" * 300),
    ],
)
def test_nothing_outside_the_folder_is_served(server: Program, dial: Dial, name: str) -> None:
    line = dial(server.port)
    line.send(f"GET {name}\n".encode())
    assert line.rest() == b"ERR no such file\n"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"\x00\xff\n", b"ERR bad request\n"),
        (b"GET \n", b"ERR bad request\n"),
        (b"GET one\nGET one\n", b"ERR bad request\n"),
        (b"GET a\x00b\n", b"ERR no such file\n"),
        (b"A" * 1024, b"ERR request too long\n"),
    ],
)
def test_garbage_gets_an_answer_and_the_next_client_its_file(
    server: Program, dial: Dial, run: Run, sent: bytes, answer: bytes
) -> None:
    line = dial(server.port)
    line.send(sent)
    assert line.rest() == answer
    assert (
        run("tcp_client", "127.0.0.1", "one", "--port", server.port, "--out", "-").returncode == 0
    )


@pytest.mark.parametrize("sent", [b"GET one", b""])
def test_who_is_late_gets_an_answer_and_the_next_client_its_file(
    hasty: Program, dial: Dial, sent: bytes
) -> None:
    late, following = dial(hasty.port), dial(hasty.port)
    # It has said all long before its turn comes: it cannot be late itself.
    following.send(b"GET one\n")
    late.send(sent)
    assert late.rest() == b"ERR no request in time\n"
    assert following.rest().startswith(b"OK 1\n1SHA256 ")


def test_a_request_in_single_bytes_is_understood(server: Program, dial: Dial) -> None:
    line = dial(server.port)
    for byte in b"GET empty\n":
        line.send(bytes([byte]))
    assert line.rest().startswith(b"OK 0\nSHA256 e3b0c442")


def test_a_slow_sender_cannot_hold_the_server(hasty: Program, dial: Dial) -> None:
    line = dial(hasty.port)
    line.sock.settimeout(0.2)
    deadline = time.monotonic() + 30
    answer = None
    with contextlib.suppress(ConnectionError):
        while answer is None:
            assert time.monotonic() < deadline, "the server still waits for the request"
            line.send(b"G")
            with contextlib.suppress(TimeoutError):
                answer = line.sock.recv(100)
    assert answer in (None, b"ERR no request in time\n")


def test_clients_that_reset_or_vanish_are_survived(server: Program, dial: Dial, run: Run) -> None:
    dial(server.port).reset()
    half = dial(server.port)
    half.send(b"GET some.mp3\n")
    half.exactly(10)
    half.reset()
    done = run("tcp_client", "127.0.0.1", "one", "--port", server.port, "--out", "-", "--wait", 5)
    assert done.returncode == 0
    server.wait_for("lost")


def test_sigterm_ends_the_server_with_0(start: Start, root: Path, dial: Dial) -> None:
    for busy in (False, True):
        server = start("tcp_server", "--port", 0, "--root", root)
        if busy:
            dial(server.port).send(b"GET ")
        assert server.port
        assert server.stop() == 0


def test_the_server_says_in_one_line_why_it_cannot_start(
    server: Program, run: Run, tmp_path: Path
) -> None:
    taken = run("tcp_server", "--port", server.port, "--root", tmp_path)
    assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
    assert f"0.0.0.0:{server.port}: Address already in use" in taken.stderr
    elsewhere = run("tcp_server", "--port", 0, "--host", "192.0.2.1", "--root", tmp_path)
    assert (elsewhere.returncode, elsewhere.stderr.count("\n")) == (1, 1)
    missing = run("tcp_server", "--root", tmp_path / "none")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert run("tcp_server", "--port", "70000").returncode == 2


def test_the_client_says_who_refused(run: Run, kept_port: int) -> None:
    port = kept_port
    done = run("tcp_client", "127.0.0.1", "x", "--port", port)
    assert done.returncode == 1
    assert done.stderr == f"tcp_client.py: x from 127.0.0.1:{port}: Connection refused\n"
    assert run("tcp_client", "127.0.0.1").returncode == 2


def test_the_client_waits_for_a_server_that_comes_up(
    start: Start, root: Path, kept_port: int
) -> None:
    port = kept_port
    client = start("tcp_client", "127.0.0.1", "one", "--port", port, "--out", root, "--wait", 60)
    start("tcp_server", "--port", port, "--root", root)
    client.wait_for("one: 1 bytes")
    assert client.process.wait(10) == 0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"OK 5\nabc", "cut short after 3 of 5 bytes"),
        (b"OK 3\nabc", "cut short"),
        (b"OK 3\nabcSHA256 " + b"0" * 64 + b"\n", "wrong bytes"),
        (b"ERR no such file\n", "ERR no such file"),
        (b"", "cut short"),
        (b"x" * 5000, "not a server"),
        (b"OK -3\n", "OK -3"),
    ],
)
def test_the_client_keeps_no_file_that_is_not_whole(
    fake_server: FakeServer, run: Run, tmp_path: Path, answer: bytes, why: str
) -> None:
    def lie(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(answer)

    done = run("tcp_client", "127.0.0.1", "x", "--port", fake_server(lie), "--out", tmp_path)
    assert done.returncode == 1
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_left(fake_server: FakeServer, run: Run, tmp_path: Path) -> None:
    def keep_silent(connection: socket.socket) -> None:
        while connection.recv(100):
            pass

    port = fake_server(keep_silent)
    done = run(
        *("tcp_client", "127.0.0.1", "x", "--port", port, "--out", tmp_path, "--timeout", 0.2)
    )
    assert done.returncode == 1
    assert "no answer in time" in done.stderr


def test_a_full_disk_leaves_no_partial_file(server: Program, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "some.mp3").write_text("the old one")
    done = run(
        *("tcp_client", "127.0.0.1", "some.mp3", "--port", server.port, "--out", out),
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 1
    assert f"cannot write {out}/some.mp3: File too large" in done.stderr
    assert [path.name for path in out.iterdir()] == ["some.mp3"]
    assert (out / "some.mp3").read_text() == "the old one"


def test_a_device_is_written_to_and_not_replaced(server: Program, run: Run) -> None:
    done = run("tcp_client", "127.0.0.1", "one", "--port", server.port, "--out", "/dev/full")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert Path("/dev/full").is_char_device()
