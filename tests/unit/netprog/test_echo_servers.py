"""The echo servers: what holds for all of them, however they are concurrent."""

from __future__ import annotations

import os
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.netprog.echo import ALL, CONCURRENT, FORKING, alive, children

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, Line, Program, Run, Start, Until

LOCAL = ("--host", "127.0.0.1", "--port", 0)


def echoed(line: Line, data: bytes = b"hello") -> bool:
    line.send(data)
    return line.exactly(len(data)) == data


def served(dial: Dial, port: int) -> bool:
    """Whether a client that comes, asks and goes is served."""
    line = dial(port)
    try:
        return echoed(line)
    except ConnectionError:
        return False
    finally:
        line.sock.close()


@pytest.fixture
def server(start: Start, request: pytest.FixtureRequest) -> Program:
    return start(request.param, *LOCAL)


every = pytest.mark.parametrize("server", ALL, indirect=True)
concurrent = pytest.mark.parametrize("server", CONCURRENT, indirect=True)
forking = pytest.mark.parametrize("server", FORKING, indirect=True)


@every
def test_what_is_sent_comes_back_until_the_client_closes_its_side(
    server: Program, dial: Dial
) -> None:
    line = dial(server.port)
    assert echoed(line)
    assert echoed(line, bytes(range(256)) * 200)
    line.sock.shutdown(socket.SHUT_WR)
    assert line.rest() == b""
    assert server.stop() == 0
    assert server.lines == [f"listening on 127.0.0.1:{server.port}"]


@every
def test_one_byte_at_a_time(server: Program, dial: Dial) -> None:
    line = dial(server.port)
    assert all(echoed(line, bytes([n])) for n in range(256))


@every
def test_a_client_that_is_reset_harms_nobody(server: Program, dial: Dial, until: Until) -> None:
    first = dial(server.port)
    assert echoed(first)
    first.reset()
    assert served(dial, server.port)
    server.wait_for(r"^127\.0\.0\.1:\d+ lost: Connection reset by peer$")


@concurrent
def test_a_fast_client_does_not_wait_for_slow_ones(server: Program, dial: Dial) -> None:
    slow = [dial(server.port) for _ in range(3)]
    assert all(echoed(line, b"a") for line in slow)
    assert all(served(dial, server.port) for _ in range(20))
    assert all(echoed(line, b"b") for line in slow)


def test_the_iterative_server_makes_the_second_client_wait(start: Start, dial: Dial) -> None:
    server = start("iterative_server", *LOCAL)
    first, second = dial(server.port), dial(server.port)
    second.send(b"second")
    assert echoed(first)
    second.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        second.exactly(1)
    first.sock.close()
    second.sock.settimeout(10)
    assert second.exactly(6) == b"second"


@pytest.mark.parametrize("name", ALL)
def test_a_client_that_stays_silent_is_dropped(
    start: Start, dial: Dial, until: Until, name: str
) -> None:
    server = start(name, *LOCAL, "--timeout", 0.3)
    line = dial(server.port)
    assert line.rest() == b""
    server.wait_for(r"^127\.0\.0\.1:\d+ lost: no answer in time$")
    until(lambda: served(dial, server.port))  # whoever is halted here counts as silent as well


@pytest.mark.parametrize("name", ALL)
def test_a_client_that_sends_and_never_reads_is_dropped(
    start: Start, dial: Dial, until: Until, name: str
) -> None:
    server = start(name, *LOCAL, "--timeout", 0.3)
    flood = dial(server.port)
    flood.sock.settimeout(10)
    with pytest.raises(ConnectionError):
        while True:
            flood.send(b"x" * 100_000)
    server.wait_for(r"lost: no answer in time$")
    until(lambda: served(dial, server.port))


@pytest.mark.parametrize("name", CONCURRENT)
def test_out_of_descriptors_those_there_are_go_on_and_later_ones_wait(
    start: Start, dial: Dial, until: Until, name: str
) -> None:
    server = start(name, *LOCAL, *(("--workers", 2) if name == "prefork_server" else ()))
    if name == "prefork_server":  # both wait in accept, and have a descriptor for who comes
        until(lambda: list(children(server.process.pid).values()) == ["S", "S"])
    first = dial(server.port)
    assert echoed(first)
    main = server.process.pid
    if name in ("fork_server", "handoff_server"):  # it has forked, or handed over, and closes
        until(lambda: main not in holders(server, first))
    # Of the pool it is the worker without a client that has to accept.
    if name == "prefork_server":
        (main,) = set(children(main)) - {serving(server, first)}
    used = [int(fd.name) for fd in Path(f"/proc/{main}/fd").iterdir()]
    _, hard = resource.prlimit(main, resource.RLIMIT_NOFILE)
    resource.prlimit(main, resource.RLIMIT_NOFILE, (max(used) + 1, hard))
    if name == "prefork_server":  # an accept that blocks has its descriptor already
        assert served(dial, server.port)
    second = dial(server.port)
    second.send(b"waits")
    server.wait_for(r"Too many open files")
    assert echoed(first)
    resource.prlimit(main, resource.RLIMIT_NOFILE, (1024, hard))
    assert second.exactly(5) == b"waits"
    second.sock.close()
    assert served(dial, server.port)


@every
def test_sigterm_ends_it_with_its_subordinates(server: Program, dial: Dial, until: Until) -> None:
    line = dial(server.port)
    assert echoed(line)
    below = list(children(server.process.pid))
    assert server.stop() == 0
    assert line.rest() == b""
    until(lambda: not [pid for pid in below if alive(pid)])


@forking
def test_subordinates_end_with_a_main_process_that_is_killed(
    server: Program, dial: Dial, until: Until
) -> None:
    line = dial(server.port)
    assert echoed(line)
    below = list(children(server.process.pid))
    assert below
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not [pid for pid in below if alive(pid)])
    assert line.rest() == b""


@forking
def test_a_subordinate_that_is_killed_takes_nobody_with_it(
    server: Program, dial: Dial, until: Until
) -> None:
    first, second = dial(server.port), dial(server.port)
    assert echoed(first)
    assert echoed(second)
    holder = serving(server, first)
    os.kill(holder, signal.SIGKILL)
    assert first.rest() == b""
    assert echoed(second)
    assert all(served(dial, server.port) for _ in range(40))
    # Its connection ends before it does: it may be there still, and no zombie yet.
    until(lambda: holder not in children(server.process.pid))
    until(lambda: "Z" not in children(server.process.pid).values())


def holders(server: Program, line: Line) -> set[int]:
    """The processes of a server that have the connection: M as long as it has not closed it."""
    local, remote = (f":{port:04X}" for port in (server.port, line.sock.getsockname()[1]))
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    found = [row for row in rows if row[1].endswith(local) and row[2].endswith(remote)]
    (inode,) = [row[9] for row in found if row[9] != "0"]
    family = (server.process.pid, *children(server.process.pid))
    return {pid for pid in family if f"socket:[{inode}]" in descriptors(pid)}


def descriptors(pid: int) -> set[str]:
    """What the descriptors of a process lead to, as proc(5) names it."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(entry.readlink()))
    return found


def serving(server: Program, line: Line) -> int:
    """The subordinate that has the connection."""
    (holder,) = holders(server, line) - {server.process.pid}
    return holder


@pytest.mark.parametrize("name", ALL)
def test_it_says_in_one_line_why_it_cannot_start(start: Start, run: Run, name: str) -> None:
    port = start("iterative_server", *LOCAL).port
    taken = run(name, "--host", "127.0.0.1", "--port", port)
    assert (taken.returncode, taken.stdout) == (1, "")
    assert taken.stderr == (
        f"{name}.py: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )
    for host in ("192.0.2.1", "no-such-host.invalid"):
        elsewhere = run(name, "--host", host, "--port", 0)
        assert (elsewhere.returncode, elsewhere.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        ("--port", "65536"),
        ("--port", "x"),
        ("--port",),
        ("--port=-1",),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--host", ""),
        ("--host", "a" * 70),
        ("--backlog", "1e3"),
        ("--workers", "0"),
        ("--no-such", "1"),
        ("8080",),
    ],
)
@pytest.mark.parametrize("name", ["fork_server", "prefork_server"])
def test_wrong_usage(run: Run, name: str, words: tuple[str, ...]) -> None:
    done = run(name, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 2)


@pytest.mark.parametrize("name", ALL)
def test_help(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0
    assert "--backlog" in done.stdout
    assert ("--workers" in done.stdout) == (name in ("prefork_server", "handoff_server"))
