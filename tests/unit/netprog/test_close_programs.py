"""close_server and close_client together, and each against a partner that misbehaves."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, FakeServer, Program, Run, Start, Until

LOCAL = "127.0.0.1"


def begun(start: Start, *options: object) -> Program:
    return start("close_server", "--host", LOCAL, "--port", 0, *options)


def talk(run: Run, port: int, *options: object) -> dict[str, object]:
    done = run("close_client", LOCAL, "--port", port, *options, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_each_closes_first_once(start: Start, run: Run) -> None:
    server = begun(start)
    assert talk(run, server.port, "--way", "first")["received"] == 9
    server.wait_for("16 bytes, the client ended first")
    first = begun(start, "--first")
    assert talk(run, first.port, "--way", "last")["received"] == 9
    first.wait_for("16 bytes, closed first")
    assert (server.stop(), first.stop()) == (0, 0)


def test_half_close(start: Start, run: Run) -> None:
    server = begun(start)
    assert talk(run, server.port, "--way", "half")["received"] == 9
    server.wait_for("the client ended first")


@pytest.mark.parametrize("options", [("--way", "unread"), ("--way", "first", "--linger", 0)])
def test_a_reset_is_told_and_the_server_goes_on(
    start: Start, run: Run, options: tuple[object, ...]
) -> None:
    server = begun(start)
    talk(run, server.port, *options)
    server.wait_for("lost: Connection reset by peer")
    assert talk(run, server.port)["received"] == 9


def test_linger_bounds_how_long_close_takes(start: Start, run: Run, tmp_path: Path) -> None:
    server = begun(start, "--until", tmp_path / "go")
    assert float(str(talk(run, server.port, "--way", "full")["seconds"])) < 0.9
    waited = float(str(talk(run, server.port, "--way", "full", "--linger", 1)["seconds"]))
    assert waited > 0.9
    (tmp_path / "go").touch()
    server.wait_for("the client ended first", times=2)


def test_it_stays_until_the_file_is_there(start: Start, tmp_path: Path) -> None:
    server = begun(start)
    stop = tmp_path / "stop"
    client = start("close_client", LOCAL, "--port", server.port, "--stay", stop)
    client.wait_for("received 9 bytes")
    server.wait_for("the client ended first")
    assert client.process.poll() is None
    stop.touch()
    assert client.process.wait(10) == 0


def test_clients_that_misbehave_do_not_stop_the_server(
    start: Start, dial: Dial, run: Run, until: Until
) -> None:
    server = begun(start, "--timeout", "0.5")
    nothing = dial(server.port)
    server.wait_for("lost: no answer in time")
    assert nothing.rest() == b""
    # Whoever is halted for so long on the way counts as silent as well.
    with server.halted():
        garbage = dial(server.port)
        garbage.send(b"\xff\0" * 50_000 + b"\n")
    assert garbage.exactly(13) == b"100001 bytes\n"
    garbage.reset()
    with server.halted():
        dial(server.port).sock.close()
    server.wait_for(" 0 bytes, the client ended first")
    client = ("close_client", LOCAL, "--port", server.port)
    until(lambda: "received 9 bytes" in run(*client).stdout)


def test_sigterm_ends_a_server_that_waits_for_a_file(start: Start, dial: Dial) -> None:
    server = begun(start, "--until", "/nowhere/at/all")
    dial(server.port).send(b"hello\n")
    assert server.stop() == 0


def test_servers_that_misbehave(fake_server: FakeServer, run: Run) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def silent(connection: socket.socket) -> None:
        while connection.recv(100):
            pass

    done = run("close_client", LOCAL, "--port", fake_server(reset), "--way", "last")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "reset by peer" in done.stderr
    for way in ("first", "last", "unread"):
        words = ("--port", fake_server(silent), "--way", way, "--timeout", "0.3")
        done = run("close_client", LOCAL, *words)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "no answer in time" in done.stderr


def test_wrong_words_and_a_port_in_use(start: Start, run: Run) -> None:
    server = begun(start)
    for words in (("--linger", "-1"), ("--linger", "x"), ("--way", "no"), ("--port", "x")):
        assert run("close_client", LOCAL, *words).returncode == 2
    done = run("close_server", "--host", LOCAL, "--port", server.port)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Address already in use" in done.stderr
    assert run("close_client", "no.such.host.invalid").returncode == 1
