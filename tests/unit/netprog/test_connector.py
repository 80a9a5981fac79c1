"""connector: what each connect returned, waited for and not."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Run

WAYS = [(), ("--nonblocking",)]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as sock:
        yield sock


@pytest.fixture
def full() -> Iterator[int]:
    """The port of a server whose accept queue is full, so that nothing answers a SYN."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        port: int = sock.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            yield port


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def tried(run: Run, *words: object) -> list[dict[str, Any]]:
    done = run("connector", "--json", *words)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (1 if any(one["errno"] for one in found) else 0), done.stderr
    return found


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_success(run: Run, listener: socket.socket, way: tuple[str, ...]) -> None:
    (told,) = tried(run, f"localhost:{port_of(listener)}", *way)
    connection, address = listener.accept()
    connection.close()
    assert tuple(told["local"]) == address
    assert (told["errno"], told["address"]) == (None, ["127.0.0.1", port_of(listener)])
    assert told["target"] == f"localhost:{port_of(listener)}"
    assert told["first"] == ("EINPROGRESS" if way else None)
    assert 0 < told["seconds"] < 5


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_refused(run: Run, kept_port: int, way: tuple[str, ...]) -> None:
    (told,) = tried(run, f"127.0.0.1:{kept_port}", *way)
    assert (told["errno"], told["local"]) == ("ECONNREFUSED", None)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_no_answer_in_the_time_that_it_allows(run: Run, full: int, way: tuple[str, ...]) -> None:
    (told,) = tried(run, f"127.0.0.1:{full}", "--timeout", 0.3, *way)
    # Of a socket that waits, with SO_SNDTIMEO, connect says EINPROGRESS (socket(7)).
    assert told["errno"] == ("ETIMEDOUT" if way else "EINPROGRESS")
    assert told["first"] == "EINPROGRESS"
    assert 0.25 < told["seconds"] < 5


def test_one_after_the_other_and_a_line_for_each(
    run: Run, listener: socket.socket, kept_port: int
) -> None:
    good, bad = f"127.0.0.1:{port_of(listener)}", f"127.0.0.1:{kept_port}"
    done = run("connector", good, bad, good)
    assert done.returncode == 1
    first, second, third = done.stdout.splitlines()
    for line in (first, third):
        assert re.fullmatch(rf"{good} +\d+\.\d\d ms  connected from port \d+", line)
    assert re.fullmatch(rf"{bad} +\d+\.\d\d ms  ECONNREFUSED: Connection refused", second)


@pytest.mark.parametrize(
    "words",
    [(), ("a:b",), ("127.0.0.1:65536",), ("",), ("127.0.0.1", "--timeout", "-1")],
    ids=" ".join,
)
def test_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    assert run("connector", *words).returncode == 2


def test_a_host_that_is_not_there_is_told_before_anything_is_tried(
    run: Run, listener: socket.socket
) -> None:
    done = run("connector", f"127.0.0.1:{port_of(listener)}", "no-such-host.invalid")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("connector.py: no-such-host.invalid: ")
