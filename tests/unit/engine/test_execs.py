"""What a command writes, from an engine that answers as it likes."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import APIError
from urllib3.exceptions import HTTPError

from labctl.engine.client import Engine
from labctl.engine.execs import Written

HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
PATIENCE = 10.0

Answer = Callable[[socket.socket], None]
Answering = Callable[[Answer], Engine]


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    """An engine at a socket of its own that gives one answer to one request."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "engine"))
    listener.listen()

    def start(answer: Answer) -> Engine:
        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                request = b""
                while not request.endswith(b"}"):
                    request += connection.recv(4096)
                assert b"Upgrade" not in request
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        address = f"unix://{tmp_path}/engine"
        return Engine(docker.DockerClient(address, version="1.41"), address)

    yield start
    listener.close()


WRITTEN = [(b"out", b""), (b"", b"err"), (b"x" * 300_000, b"")]
BODY = frame(1, b"out") + frame(2, b"err") + frame(1, b"x" * 300_000)


@pytest.mark.parametrize("step", [len(HEADER) + len(BODY), len(HEADER) + 3, 1000])
def test_what_comes_together_with_the_header_is_not_lost(answering: Answering, step: int) -> None:
    def answer(connection: socket.socket) -> None:
        for begin in range(0, len(HEADER + BODY), step):
            connection.sendall((HEADER + BODY)[begin : begin + step])

    assert list(Written(answering(answer), "id")) == WRITTEN


def test_each_piece_comes_when_it_is_written(answering: Answering) -> None:
    seen = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(HEADER + frame(1, b"first"))
        assert seen.wait(PATIENCE)
        connection.sendall(frame(1, b"second"))

    pieces = iter(Written(answering(answer), "id"))
    assert next(pieces) == (b"first", b"")
    seen.set()
    assert list(pieces) == [(b"second", b"")]


def test_a_command_that_writes_nothing(answering: Answering) -> None:
    assert list(Written(answering(lambda to: to.sendall(HEADER)), "id")) == []


@pytest.mark.parametrize("left", [3, 8, 10])
def test_an_answer_cut_within_a_piece_is_an_error(answering: Answering, left: int) -> None:
    engine = answering(lambda to: to.sendall(HEADER + frame(1, b"first") + frame(1, b"abc")[:left]))
    with pytest.raises((OSError, HTTPError)):
        list(Written(engine, "id"))


def test_what_is_refused_is_told_in_the_engines_words(answering: Answering) -> None:
    body = b'{"message": "container is paused"}'
    head = f"HTTP/1.1 409 Conflict\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with pytest.raises(APIError) as refused:
        Written(answering(lambda to: to.sendall(head + body)), "id")
    assert refused.value.explanation == "container is paused"
    assert refused.value.status_code == 409


def test_another_thread_can_end_it(answering: Answering) -> None:
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(HEADER + frame(1, b"first"))
        over.wait(PATIENCE)

    written = Written(answering(answer), "id")
    pieces = iter(written)
    next(pieces)
    closer = threading.Thread(target=written.close)
    closer.start()
    assert list(pieces) == []
    closer.join()
    over.set()
