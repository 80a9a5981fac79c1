"""Our peer against a directory and peers that a test plays byte for byte, from the protocol page.

Nothing here is made by the programs' own codec: what goes over the wire stands as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import FakeServer, Program, Run, Start

MD5 = b"5d41402abc4b2a76b9719d911017c592"
"""Of `hello`, the whole file here."""

ACCEPTED = b"\x14\x00\x03\x00anon@example.invalid"
UNASKED = b"\x02\x00\x6d\x02hi" + b"\x05\x00\xd6\x001 1 0"
"""621 and 214, as OpenNap sends them after the login and from time to time."""


def frame(kind: int, data: bytes) -> bytes:
    return bytes([len(data) % 256, len(data) // 256, kind % 256, kind // 256]) + data


def received(connection: socket.socket, count: int) -> bytes:
    """The next bytes, in however many pieces: MSG_WAITALL is no help where there is a timeout."""
    data = b""
    while len(data) < count and (piece := connection.recv(count - len(data))):
        data += piece
    return data


def exactly(connection: socket.socket, expected: bytes) -> None:
    """Receive just these bytes."""
    assert received(connection, len(expected)) == expected


def login_of(connection: socket.socket) -> bytes:
    """Receive a login with data port 0 and accept it; returns its nick."""
    header = received(connection, 4)
    data = received(connection, header[0] + 256 * header[1])
    assert header[2:] == b"\x02\x00"
    match = re.fullmatch(rb'(\S+) - 0 "labctl netprog" \d+', data)
    assert match
    connection.sendall(ACCEPTED + UNASKED)
    return match[1]


class Played:
    """A directory played by a function; what fails in it is raised where it is awaited."""

    def __init__(
        self, fake_server: FakeServer, play: Callable[[socket.socket], None], calls: int = 1
    ) -> None:
        self._errors: list[BaseException] = []
        self._left = threading.Semaphore(0)
        self._calls = calls

        def answer(connection: socket.socket) -> None:
            try:
                play(connection)
            except BaseException as error:
                self._errors.append(error)
                raise
            finally:
                self._left.release()

        self.at = f"127.0.0.1:{fake_server(answer)}"

    def ended(self) -> None:
        for _ in range(self._calls):
            assert self._left.acquire(timeout=30)
        if self._errors:
            raise self._errors[0]


RESULT = b'"a song" ' + MD5 + b" 5 0 0 0 anna 16777343 10"
SEARCH = b'FILENAME CONTAINS "song" MAX_RESULTS 100'


def test_a_search(fake_server: FakeServer, run: Run) -> None:
    def play(connection: socket.socket) -> None:
        login_of(connection)
        exactly(connection, b"\x28\x00\xc8\x00" + SEARCH)
        connection.sendall(frame(201, RESULT) + UNASKED + b"\x00\x00\xca\x00")
        assert connection.recv(1) == b""

    directory = Played(fake_server, play)
    done = run("peer", "search", "song", "--directory", directory.at)
    directory.ended()
    assert done.stdout.startswith("a song  5  anna  127.0.0.1  ")


def test_browsing(fake_server: FakeServer, run: Run) -> None:
    def play(connection: socket.socket) -> None:
        login_of(connection)
        exactly(connection, b"\x04\x00\x58\x02anna")
        connection.sendall(b"\x06\x00\x59\x02anna 7")
        exactly(connection, b"\x04\x00\xd3\x00anna")
        connection.sendall(frame(212, b'anna "a song" ' + MD5 + b" 5 0 0 0"))
        connection.sendall(b"\x04\x00\xd5\x00anna")

    directory = Played(fake_server, play)
    done = run("peer", "ls", "anna", "--directory", directory.at)
    directory.ended()
    assert done.stdout.splitlines()[1] == f"a song  5  {MD5.decode()}"


def test_a_download_with_an_old_peer(fake_server: FakeServer, run: Run, tmp_path: Path) -> None:
    nicks: list[bytes] = []

    def give(connection: socket.socket) -> None:
        connection.sendall(b"1")
        exactly(connection, b"GET" + nicks[0] + b' "a song" 0')
        connection.sendall(b"5hello")

    port = fake_server(give)

    def play(connection: socket.socket) -> None:
        nicks.append(login_of(connection))
        exactly(connection, b'\x2a\x00\xc8\x00FILENAME CONTAINS "a song" MAX_RESULTS 100')
        connection.sendall(frame(201, RESULT) + b"\x00\x00\xca\x00")
        exactly(connection, b'\x0d\x00\xcb\x00anna "a song"')
        where = b'anna 16777343 %d "a song" %s 10' % (port, MD5)
        connection.sendall(UNASKED + frame(204, where))
        exactly(connection, b"\x00\x00\xda\x00" + b"\x00\x00\xdb\x00")
        assert connection.recv(1) == b""

    directory = Played(fake_server, play)
    done = run("peer", "get", "a song", "--directory", directory.at, "--out", tmp_path)
    directory.ended()
    assert done.returncode == 0, done.stderr
    assert "right by size, md5" in done.stdout
    assert (tmp_path / "a song").read_bytes() == b"hello"


def test_a_file_is_pushed_to_us(fake_server: FakeServer, run: Run, tmp_path: Path) -> None:
    """204 with port 0; then 703 tells where we listen, and 500 asks for the push."""

    def play(connection: socket.socket) -> None:
        login_of(connection)
        exactly(connection, b'\x2a\x00\xc8\x00FILENAME CONTAINS "a song" MAX_RESULTS 100')
        connection.sendall(frame(201, RESULT) + b"\x00\x00\xca\x00")
        exactly(connection, b'\x0d\x00\xcb\x00anna "a song"')
        connection.sendall(frame(204, b'anna 16777343 0 "a song" ' + MD5 + b" 10"))
        exactly(connection, b"\x00\x00\xda\x00")
        header = received(connection, 4)
        assert header[1:] == b"\x00\xbf\x02"
        port = int(received(connection, header[0]))
        exactly(connection, b'\x0d\x00\xf4\x01anna "a song"')
        with socket.create_connection(("127.0.0.1", port)) as pusher:
            exactly(pusher, b"1")
            pusher.sendall(b"SEND")
            pusher.sendall(b'anna "a song" 5')
            exactly(pusher, b"0")
            pusher.sendall(b"hello")
            assert pusher.recv(10) in (b"SHA256", b"")

    directory = Played(fake_server, play)
    done = run("peer", "get", "a song", "--directory", directory.at, "--out", tmp_path)
    directory.ended()
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a song").read_bytes() == b"hello"


def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "a song").write_bytes(b"hello")
    return folder


def run_peer(start: Start, at: str, folder: Path, *words: object) -> Program:
    return start(
        *("peer", "run", "anna", "--directory", at, "--share", folder, "--rescan", 0.1),
        *("--link", 10, *words),
    )


def test_sharing_and_uploading(fake_server: FakeServer, start: Start, tmp_path: Path) -> None:
    folder = shared(tmp_path)
    ports: list[int] = []
    started = threading.Event()

    def play(connection: socket.socket) -> None:
        assert started.wait(30)
        port = peer.port
        login = b'anna - %d "labctl netprog" 10' % port
        exactly(connection, frame(2, login))
        connection.sendall(ACCEPTED + UNASKED)
        exactly(connection, b"\x31\x00\x64\x00" + b'"a song" ' + MD5 + b" 5 0 0 0")
        # For a file that is not shared there is no 608.
        connection.sendall(b'\x0b\x00\x5f\x02xen "other"')
        connection.sendall(b'\x0c\x00\x5f\x02xen "a song"')
        exactly(connection, b'\x0c\x00\x60\x02xen "a song"')
        with socket.create_connection(("127.0.0.1", port)) as downloader:
            exactly(downloader, b"1")
            downloader.sendall(b"GET")
            downloader.sendall(b'xen "a song" 2')
            exactly(downloader, b"5llo")
        exactly(connection, b"\x00\x00\xdc\x00" + b"\x00\x00\xdd\x00")
        (folder / "a song").unlink()
        exactly(connection, b"\x06\x00\x66\x00a song")
        ports.append(port)

    directory = Played(fake_server, play)
    peer = run_peer(start, directory.at, folder, "--port", 0)
    started.set()
    directory.ended()
    assert ports == [peer.port]


def test_pushing(fake_server: FakeServer, start: Start, tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    port = listener.getsockname()[1]

    def play(connection: socket.socket) -> None:
        exactly(connection, frame(2, b'anna - 0 "labctl netprog" 10'))
        connection.sendall(ACCEPTED + UNASKED)
        exactly(connection, b"\x31\x00\x64\x00" + b'"a song" ' + MD5 + b" 5 0 0 0")
        # Neither of these is pushed: not shared, nowhere to go to, malformed.
        for name, to in ((b"other", port), (b"../shared/a song", port), (b"a song", 0)):
            where = b'xen 16777343 %d "%s" %s 3' % (to, name, MD5)
            connection.sendall(frame(501, where))
        connection.sendall(frame(501, b"xen 16777343") + frame(501, b"\xff\xfe"))
        connection.sendall(frame(501, b'xen 16777343 %d "a song" %s 3' % (port, MD5)))
        with listener, listener.accept()[0] as downloader:
            downloader.settimeout(10)
            downloader.sendall(b"1")
            exactly(downloader, b"SEND")
            exactly(downloader, b'anna "a song" 5')
            downloader.sendall(b"1")
            exactly(downloader, b"ello")
            downloader.sendall(b"SHA256")
            exactly(downloader, hashlib.sha256(b"hello").hexdigest().encode())
        exactly(connection, b"\x00\x00\xdc\x00" + b"\x00\x00\xdd\x00")

    directory = Played(fake_server, play)
    peer = run_peer(start, directory.at, shared(tmp_path), "--behind-nat")
    directory.ended()
    peer.wait_for("SEND a song for xen: 4 bytes")


@pytest.mark.parametrize("offset", [b"x", b"6", b"-1", b""])
def test_a_push_with_a_bad_offset_ends(
    fake_server: FakeServer, start: Start, tmp_path: Path, offset: bytes
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    where = b'xen 16777343 %d "a song" %s 3' % (listener.getsockname()[1], MD5)

    def play(connection: socket.socket) -> None:
        exactly(connection, frame(2, b'anna - 0 "labctl netprog" 10'))
        connection.sendall(ACCEPTED)
        exactly(connection, b"\x31\x00\x64\x00" + b'"a song" ' + MD5 + b" 5 0 0 0")
        connection.sendall(frame(501, where))
        with listener, listener.accept()[0] as downloader:
            downloader.settimeout(10)
            downloader.sendall(b"1")
            exactly(downloader, b'SENDanna "a song" 5')
            downloader.sendall(offset)
            downloader.shutdown(socket.SHUT_WR)
            assert downloader.recv(10) == b""

    directory = Played(fake_server, play)
    peer = run_peer(start, directory.at, shared(tmp_path), "--behind-nat")
    directory.ended()
    peer.wait_for("SEND a song for xen: INVALID REQUEST")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (frame(201, b"nonsense"), "sent a bad result"),
        (frame(201, b'"a song" x 5 0 0 0 anna 99999999999 1'), "sent a bad result"),
        (frame(404, b"no such thing"), "the directory answers: no such thing"),
        (frame(201, RESULT) * 101, "more results than asked for"),
        (b"\xff\xff", "hung up"),
    ],
)
def test_malformed_answers_of_a_directory_are_one_line(
    fake_server: FakeServer, run: Run, answer: bytes, said: str
) -> None:
    def play(connection: socket.socket) -> None:
        login_of(connection)
        exactly(connection, b"\x28\x00\xc8\x00" + SEARCH)
        connection.sendall(answer)

    done = run("peer", "search", "song", "--directory", Played(fake_server, play).at)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_garbage_from_the_directory_does_not_end_a_peer(
    fake_server: FakeServer, start: Start, tmp_path: Path
) -> None:
    """Well-formed frames with any data are passed over; the last one is answered."""
    noise = b"".join(
        frame(kind, os.urandom(40)) for kind in (607, 501, 404, 0, 204, 65535, 201, 608, 751)
    )

    def play(connection: socket.socket) -> None:
        exactly(connection, frame(2, b'anna - 0 "labctl netprog" 10'))
        connection.sendall(ACCEPTED)
        exactly(connection, b"\x31\x00\x64\x00" + b'"a song" ' + MD5 + b" 5 0 0 0")
        connection.sendall(noise + frame(607, b'xen "a song"'))
        exactly(connection, frame(608, b'xen "a song"'))

    directory = Played(fake_server, play)
    run_peer(start, directory.at, shared(tmp_path), "--behind-nat")
    directory.ended()
