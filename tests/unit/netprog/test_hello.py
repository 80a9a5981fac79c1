"""hello_server and hello_client together, and each against a partner that misbehaves."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.unit.netprog.conftest import Dial, FakeServer, Program, Run, Start, Until

HERE = ("--host", "127.0.0.1", "--port", 0)


def reports(done: CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(start_once: Start) -> Program:
    return start_once("hello_server", *HERE, "--name", "one")


def test_the_line_byte_for_byte(server: Program, dial: Dial) -> None:
    line = dial(server.port)
    own = line.sock.getsockname()[1]
    assert line.rest() == f"hello 127.0.0.1:{own}, this is one\n".encode()
    server.wait_for(rf"127\.0\.0\.1:{own} greeted$")


def test_a_report_for_a_person(server: Program, run: Run) -> None:
    done = run("hello_client", f"127.0.0.1:{server.port}")
    assert done.returncode == 0
    assert re.fullmatch(
        rf"port (\d+) to 127\.0\.0\.1:{server.port}: connected in \d+\.\d{{3}} s, \d+\.\d{{3}} s "
        r"later: hello 127\.0\.0\.1:\1, this is one\n",
        done.stdout,
    )


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("close", ["first", "last"])
def test_each_connection_has_a_port_of_its_own(
    start: Start, run: Run, keep: bool, close: str
) -> None:
    other = "first" if close == "last" else "last"
    server = start("hello_server", *HERE, "--close", other)
    words = ["--count", 9, "--close", close, "--json", *(["--keep"] if keep else [])]
    told = reports(run("hello_client", f"127.0.0.1:{server.port}", *words))
    assert len({report["local"][1] for report in told}) == len(told) == 9
    for report in told:
        own = f"127.0.0.1:{report['local'][1]}"
        assert report["line"] == f"hello {own}, this is server"
        assert (report["errno"], report["target"]) == (None, f"127.0.0.1:{server.port}")
        server.wait_for(f"{own} {'greeted' if other == 'first' else 'closed first'}$")


def test_what_fails_keeps_it_from_nothing_else(server: Program, kept_port: int, run: Run) -> None:
    good, bad = f"127.0.0.1:{server.port}", f"127.0.0.1:{kept_port}"
    done = run("hello_client", bad, good, bad, "--json")
    assert done.returncode == 1
    assert [report["errno"] for report in reports(done)] == ["ECONNREFUSED", None, "ECONNREFUSED"]


def test_a_port_of_its_own_choice(server: Program, run: Run) -> None:
    at = f"127.0.0.1:{server.port}"
    for _ in range(10):  # it cannot be kept for the client: somebody else may get it meanwhile
        own = unused_port()
        (report,) = reports(run("hello_client", at, "--bind", own, "--json"))
        if report["errno"] != "EADDRINUSE":
            break
    assert report["local"] == ["127.0.0.1", own]
    taken = run("hello_client", at, "--bind", server.port)
    assert (taken.returncode, taken.stdout.split()[2]) == (1, "EADDRINUSE")


def test_the_port_is_in_use(server: Program, run: Run) -> None:
    done = run("hello_server", "--host", "127.0.0.1", "--port", server.port)
    assert done.returncode == 1
    assert done.stderr == (
        f"hello_server.py: cannot listen on 127.0.0.1:{server.port}: Address already in use\n"
    )


def test_two_servers_share_a_port(start: Start, run: Run) -> None:
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(("127.0.0.1", 0))
        port = kept.getsockname()[1]
        words = ("--host", "127.0.0.1", "--port", port, "--reuse", "port")
        for name in ("left", "right"):
            start("hello_server", *words, "--name", name).wait_for("listening")
    told = reports(run("hello_client", f"127.0.0.1:{port}", "--count", 60, "--json"))
    assert {report["line"].rsplit(" ", 1)[1] for report in told} == {"left", "right"}


def test_late_it_accepts_when_it_is_told(start: Start, dial: Dial) -> None:
    server = start("hello_server", *HERE, "--late", "--backlog", 1)
    line = dial(server.port)
    line.sock.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        pytest.fail(f"it said {line.sock.recv(100)!r}")
    assert not any("accepting" in said for said in server.lines)
    line.sock.settimeout(10)
    server.process.send_signal(signal.SIGUSR1)
    assert line.rest().startswith(b"hello ")
    server.process.send_signal(signal.SIGUSR1)
    assert dial(server.port).rest().startswith(b"hello ")


def test_it_ends_after_so_many_clients(start: Start, dial: Dial) -> None:
    server = start("hello_server", *HERE, "--clients", 2)
    assert [dial(server.port).rest()[:5] for _ in range(2)] == [b"hello", b"hello"]
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("late", [True, False])
def test_sigterm_ends_it_with_0(start: Start, late: bool) -> None:
    server = start("hello_server", *HERE, *(["--late"] if late else []))
    server.wait_for("listening")
    assert server.stop() == 0


@pytest.mark.parametrize("mute", [True, False])
def test_mute_it_says_nothing(start: Start, dial: Dial, mute: bool) -> None:
    server = start("hello_server", *HERE, "--close", "last", *(["--mute"] if mute else []))
    line = dial(server.port)
    line.sock.shutdown(socket.SHUT_WR)
    assert (line.rest() == b"") is mute
    server.wait_for("closed first$")


@pytest.mark.parametrize("talks", [True, False])
def test_a_client_that_never_closes_is_dropped(start: Start, dial: Dial, talks: bool) -> None:
    server = start("hello_server", *HERE, "--close", "last", "--timeout", 0.3)
    line = dial(server.port)
    deadline = time.monotonic() + 10
    with contextlib.suppress(OSError):
        while talks and time.monotonic() < deadline:
            line.send(b"x")
            time.sleep(0.02)
    said = server.wait_for(r"127.0.0.1:\d+ (.*)")[1]
    assert said in ("closed although it went on talking", "lost: no answer in time")
    assert dial(server.port).exactly(5) == b"hello"


def test_a_client_that_resets(server: Program, dial: Dial) -> None:
    dial(server.port).reset()
    assert dial(server.port).rest().startswith(b"hello")


def test_without_descriptors_it_says_so_and_goes_on(start: Start, dial: Dial, until: Until) -> None:
    server = start("hello_server", *HERE)
    server.wait_for("listening")
    whole = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4, whole[1]))
    line = dial(server.port)
    server.wait_for("accept: Too many open files")
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, whole)
    assert line.rest().startswith(b"hello")


def test_a_client_without_descriptors_says_so_and_keeps_what_it_has(
    server: Program, run: Run
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))

    words = (f"127.0.0.1:{server.port}", "--count", 40, "--keep", "--json")
    told = reports(run("hello_client", *words, before=limit))
    errnos = [report["errno"] for report in told]
    made = errnos.index("EMFILE")
    assert made > 8
    assert errnos == [None] * made + ["EMFILE"] * (40 - made)
    assert all(report["line"].startswith("hello") for report in told[:made])


@pytest.mark.parametrize(
    ("answer", "errno"),
    [(b"x" * 5000, "EMSGSIZE"), (b"", None), (b"\xff\x1b[2J\n", None)],
    ids=["far too much", "nothing", "garbage"],
)
def test_what_a_server_may_say(
    fake_server: FakeServer, run: Run, answer: bytes, errno: str | None
) -> None:
    port = fake_server(lambda connection: connection.sendall(answer))
    done = run("hello_client", f"127.0.0.1:{port}", "--json")
    (report,) = reports(done)
    assert report["errno"] == errno
    assert len(report["line"]) <= 1024
    assert "\x1b" not in run("hello_client", f"127.0.0.1:{port}").stdout


def test_a_byte_now_and_then_is_not_waited_for_for_ever(fake_server: FakeServer, run: Run) -> None:
    def drip(connection: socket.socket) -> None:
        while True:  # until it hangs up
            connection.sendall(b"x")
            time.sleep(0.05)

    done = run("hello_client", f"127.0.0.1:{fake_server(drip)}", "--timeout", 0.3, "--json")
    assert reports(done)[0]["errno"] == "EAGAIN"


def test_silence_is_not_waited_for_for_ever(fake_server: FakeServer, run: Run) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(1)  # until it hangs up

    port = fake_server(silent)
    done = run("hello_client", f"127.0.0.1:{port}", "--timeout", 0.2, "--json")
    assert (done.returncode, reports(done)[0]["errno"]) == (1, "EAGAIN")


@pytest.mark.parametrize(
    "words",
    [
        ("hello_client",),
        ("hello_client", "127.0.0.1:x"),
        ("hello_client", "127.0.0.1:70000"),
        ("hello_client", "127.0.0.1", "--count", "0"),
        ("hello_client", "127.0.0.1", "--close", "never"),
        ("hello_server", "--port", "-1"),
        ("hello_server", "--reuse", "both"),
        ("hello_server", "--host", ""),
    ],
    ids=" ".join,
)
def test_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).returncode == 2


def test_a_host_that_is_not_there(run: Run) -> None:
    done = run("hello_client", "no-such-host.invalid")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("hello_client.py: no such host: ")
