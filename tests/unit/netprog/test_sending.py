"""Sending a file: slow receivers are dropped, and its digest is always settled."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
import sending
import uploader
from sending import Digests, send_file
from tcp_server import serve
from uploader import Uploader

PATIENCE = 10.0


@pytest.fixture
def file(tmp_path: Path) -> Iterator[io.FileIO]:
    """A file far larger than what the kernel keeps for a connection."""
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 1 << 26)
    with io.FileIO(tmp_path / "big", "r") as opened:
        yield opened


@pytest.fixture
def demanding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask of every receiver a rate that one who sips cannot reach."""
    monkeypatch.setattr(sending, "SPAN_SECONDS", 0.2)
    monkeypatch.setattr(sending, "LEAST_RATE", 10_000_000)


class Held:
    """The time for `sending`: it stands still until it is let go."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._stands = time.monotonic()

    def monotonic(self) -> float:
        return time.monotonic() if self.gone.is_set() else self._stands


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def sip(connection: socket.socket) -> None:
    """Take a little again and again; give up when the sender should have done so long ago."""
    deadline = time.monotonic() + PATIENCE
    with connection, contextlib.suppress(ConnectionError):
        while time.monotonic() < deadline and connection.recv(1024):
            time.sleep(0.01)


def connect(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), PATIENCE)


def sipping(listener: socket.socket, request: bytes = b"") -> socket.socket:
    """The sender's end of a connection whose other end sends `request` and sips."""
    receiver = connect(listener)
    receiver.sendall(request)
    threading.Thread(target=sip, args=(receiver,), daemon=True).start()
    return listener.accept()[0]


@pytest.mark.usefixtures("demanding")
def test_a_receiver_who_sips_is_dropped(file: io.FileIO, listener: socket.socket) -> None:
    with sipping(listener) as sender, pytest.raises(OSError, match="takes less than"):
        send_file(sender, file, 0, 1 << 26)


@pytest.mark.usefixtures("demanding")
def test_a_receiver_who_takes_nothing_is_dropped(file: io.FileIO, listener: socket.socket) -> None:
    with (
        connect(listener),
        listener.accept()[0] as sender,
        pytest.raises(OSError, match="takes less than"),
    ):
        send_file(sender, file, 0, 1 << 26)


@pytest.mark.usefixtures("demanding", "file")
def test_one_who_sips_does_not_hold_the_server(tmp_path: Path, listener: socket.socket) -> None:
    with (
        sipping(listener, b"GET big\n") as sender,
        pytest.raises(OSError, match="takes less than"),
    ):
        serve(sender, str(tmp_path), 5, Digests())


@pytest.mark.usefixtures("demanding", "file")
def test_one_who_sips_does_not_hold_a_place_at_a_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: Queue[str] = Queue()
    monkeypatch.setattr(uploader, "say", said.put)
    # The first must not be dropped before the second waits.
    held = Held()
    monkeypatch.setattr(sending, "time", held)
    # Stays open: the uploader's thread waits on it until the process ends.
    listener = socket.create_server(("127.0.0.1", 0))
    Uploader(str(tmp_path), "anna", lambda *_: None, uploads=1).start(listener)
    first = connect(listener)
    assert first.recv(1) == b"1"
    first.sendall(b'GETxen "big" 0 ')
    # Its answer has begun: the only place is taken.
    assert first.recv(1) == b"6"
    threading.Thread(target=sip, args=(first,), daemon=True).start()
    with connect(listener) as second:
        second.sendall(b'GETyan "big" 0 ')
        assert "yan waits for big, place 1: 1 uploads at once" in said.get(timeout=PATIENCE)
        held.gone.set()
        assert "takes less than" in said.get(timeout=PATIENCE)
        assert second.recv(1) == b"1"
        assert second.recv(1) == b"6"


def test_a_receiver_gets_the_bytes_it_asked_for(tmp_path: Path, listener: socket.socket) -> None:
    data = os.urandom(5_000_000)
    (tmp_path / "a").write_bytes(data)
    receiver = connect(listener)
    sender = listener.accept()[0]
    with receiver, sender, io.FileIO(tmp_path / "a", "r") as opened:
        work = threading.Thread(target=send_file, args=(sender, opened, 17, len(data)))
        work.start()
        received = b""
        while len(received) < len(data) - 17:
            received += receiver.recv(1 << 20)
        work.join(PATIENCE)
        assert sender.getblocking()
    assert received == data[17:]


def test_a_file_that_became_shorter_is_noticed(file: io.FileIO, listener: socket.socket) -> None:
    with (
        connect(listener),
        listener.accept()[0] as sender,
        pytest.raises(OSError, match="became shorter"),
    ):
        send_file(sender, file, (1 << 26) - 10, (1 << 26) + 10)


def test_a_digest_is_worked_out_once_while_the_file_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    digests = Digests()
    with io.FileIO(path, "r") as opened:
        first = digests.begin(opened)
        assert first.result(PATIENCE)[:8] == "ba7816bf"
        assert digests.begin(opened) is first
        path.write_bytes(b"")
        assert digests.begin(opened).result(PATIENCE)[:8] == "e3b0c442"


def test_a_digest_for_which_there_was_no_descriptor_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    (tmp_path / "a").write_bytes(b"abc")
    digests = Digests()
    with io.FileIO(tmp_path / "a", "r") as opened:
        with monkeypatch.context() as patch:
            patch.setattr(os, "dup", refuse)
            with pytest.raises(OSError, match="Too many"):
                digests.begin(opened)
        assert digests.begin(opened).result(PATIENCE)[:8] == "ba7816bf"


@pytest.mark.parametrize("error", [OSError("unreadable"), MemoryError("full")])
def test_a_digest_that_fails_is_settled_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_file: io.FileIO, _name: str) -> None:
        raise error

    (tmp_path / "a").write_bytes(b"abc")
    digests = Digests()
    with io.FileIO(tmp_path / "a", "r") as opened:
        with monkeypatch.context() as patch:
            patch.setattr(hashlib, "file_digest", fail)
            failed = digests.begin(opened)
            assert failed.exception(PATIENCE) is error
        # The thread forgets the failure a moment after it has told of it.
        deadline = time.monotonic() + PATIENCE
        while digests.begin(opened) is failed:
            assert time.monotonic() < deadline
        assert digests.begin(opened).result(PATIENCE)[:8] == "ba7816bf"
