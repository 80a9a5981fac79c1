"""echo_client: what it reports, how long it stays, and what it says of servers that misbehave."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import FakeServer, Program, Run, Start


@pytest.fixture(scope="module")
def server(start_once: Start) -> Program:
    return start_once("thread_server", "--host", "127.0.0.1", "--port", 0)


def test_each_connection_is_reported(server: Program, run: Run) -> None:
    # Each piece takes a delayed acknowledgement, 40 to 200 ms: the server's sends are small.
    words = ("--clients", 3, "--count", 4, "--size", 50_000, "--piece", 9_999)
    done = run("echo_client", "127.0.0.1", "--port", server.port, *words, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["connections"], told["failed"]) == (12, 0)
    assert [one["client"] for one in told["reports"]] == [1] * 4 + [2] * 4 + [3] * 4
    assert len({one["local"] for one in told["reports"]}) == 12
    for one in told["reports"]:
        assert one["bytes"] == 50_000
        assert one["why"] == ""
        assert 0 < one["connected"] < one["seconds"] < told["seconds"]


def test_it_says_in_a_line_how_long_it_took(server: Program, run: Run) -> None:
    done = run("echo_client", "127.0.0.1", "--port", server.port, "--count", 5)
    assert done.stdout.startswith("5 connections in ")
    assert done.stdout.count("\n") == 1


def test_it_stays_until_a_file_is_there(start: Start, server: Program, tmp_path: Path) -> None:
    end = tmp_path / "end"
    words = ("--clients", 3, "--until", end)
    client = start("echo_client", "127.0.0.1", "--port", server.port, *words)
    client.wait_for("^all clients are there$")
    assert client.process.poll() is None
    end.touch()
    assert client.process.wait(10) == 0


def test_it_stays_until_its_input_ends(server: Program, run: Run) -> None:
    done = run("echo_client", "127.0.0.1", "--port", server.port, "--until", "-")
    assert done.stdout.startswith("all clients are there\n1 connections in ")


def test_one_that_fails_does_not_keep_the_others(fake_server: FakeServer, run: Run) -> None:
    served: list[int] = []

    def only_the_first(connection: socket.socket) -> None:
        if not served:
            served.append(1)
            while data := connection.recv(100):
                connection.sendall(data)

    port = fake_server(only_the_first)
    done = run("echo_client", "127.0.0.1", "--port", port, "--count", 2, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == 1
    assert "1 of 2 connections failed: " in done.stderr


def test_other_bytes_are_no_echo(fake_server: FakeServer, run: Run) -> None:
    def lie(connection: socket.socket) -> None:
        connection.sendall(bytes(byte ^ 1 for byte in connection.recv(64)))

    done = run("echo_client", "127.0.0.1", "--port", fake_server(lie))
    assert done.returncode == 1
    assert "what came back is not what was sent" in done.stderr


def test_a_server_that_says_nothing(fake_server: FakeServer, run: Run) -> None:
    def listen_only(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    port = fake_server(listen_only)
    done = run("echo_client", "127.0.0.1", "--port", port, "--timeout", 0.3)
    assert done.returncode == 1
    assert "no answer in time" in done.stderr


def test_nobody_there(run: Run) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = run("echo_client", "127.0.0.1", "--port", unused.getsockname()[1])
    assert done.returncode == 1
    assert done.stderr == "echo_client.py: 1 of 1 connections failed: Connection refused\n"
    unknown = run("echo_client", "no-such-host.invalid")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "words", [(), ("a", "--clients", 0), ("a", "--size", "x"), ("a", "--pause", -1)]
)
def test_wrong_usage(run: Run, words: tuple[object, ...]) -> None:
    assert run("echo_client", *words).returncode == 2
