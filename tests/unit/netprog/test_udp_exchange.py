"""udp_server and udp_client together, and each against a partner that misbehaves."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import udp_client
from sockets import set_timeouts

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Program, Run, Start, Until

Answer = Callable[[socket.socket, bytes, tuple[str, int], int], None]
FakeUdpServer = Callable[[Answer], int]


def bound(program: Program) -> int:
    """The port that a udp_server says it is bound to."""
    return int(program.wait_for(r"receiving on \S+:(\d+)")[1])


@pytest.fixture(scope="module")
def server(start_once: Start) -> Program:
    return start_once("udp_server", "--host", "127.0.0.1", "--port", 0)


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        yield sock


@pytest.fixture
def fake_udp_server() -> Iterator[FakeUdpServer]:
    """A server made of a function that is called with each datagram, from whom, and its number."""
    sockets: list[socket.socket] = []
    stops = threading.Event()

    def serve(answer: Answer) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        sockets.append(sock)

        def receive() -> None:
            number = 0
            while not stops.is_set():
                with contextlib.suppress(TimeoutError):
                    request, client = sock.recvfrom(65535)
                    answer(sock, request, client, number)
                    number += 1

        threads.append(threading.Thread(target=receive))
        threads[-1].start()
        port: int = sock.getsockname()[1]
        return port

    threads: list[threading.Thread] = []
    yield serve
    stops.set()
    for thread in threads:
        thread.join()
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (b"", b""),
        (b"echo ", b""),
        (b"echo hello, world", b"hello, world"),
        (b"echo \x00\xff\n", b"\x00\xff\n"),
        (b"echo " + b"y" * 65502, b"y" * 65502),
        (b"size 0", b""),
        (b"size 1", b"x"),
        (b"size 1473", b"x" * 1473),
        (b"size 65507", b"x" * 65507),
        (b"size 65508", b"ERR at most 65507 bytes"),
        (b"size 9999999999", b"ERR unknown request"),
        (b"size -1", b"ERR unknown request"),
        (b"time\n", b"ERR unknown request"),
        (b"\xff" * 65507, b"ERR unknown request"),
    ],
    ids=lambda data: f"{data[:12]!r}-{len(data)}",
)
def test_the_wire_byte_for_byte(
    server: Program, sock: socket.socket, request_: bytes, reply: bytes
) -> None:
    sock.sendto(request_, ("127.0.0.1", bound(server)))
    assert sock.recvfrom(65535) == (reply, ("127.0.0.1", bound(server)))


def test_the_time_of_day(server: Program, run: Run) -> None:
    done = run("udp_client", "127.0.0.1", "--port", bound(server), "--timeout", 10)
    assert done.returncode == 0
    assert re.fullmatch(
        rf"23 bytes from 127\.0\.0\.1:{bound(server)} to port \d+ in \d+\.\d\d ms: "
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n",
        done.stdout,
    )


@pytest.mark.parametrize("size", [0, 1, 1472, 65507])
@pytest.mark.parametrize("connect", [True, False])
def test_every_size_arrives_whole(server: Program, run: Run, size: int, connect: bool) -> None:
    words = ["127.0.0.1", "size", size, "--port", bound(server), "--json", "--timeout", 10]
    done = run("udp_client", *words, *(["--connect"] if connect else []))
    report = json.loads(done.stdout)
    assert set(report) == {
        *("request", "reply", "bytes", "seconds", "tries", "local", "remote"),
    }
    assert report["reply"] == "x" * size
    assert (report["request"], report["bytes"], report["tries"]) == (f"size {size}", size, 1)
    assert 0 < report["seconds"] < 10
    assert report["remote"] == ["127.0.0.1", bound(server)]
    # Only connect chooses the address that it is sent from.
    assert report["local"][0] == ("127.0.0.1" if connect else "0.0.0.0")
    server.wait_for(rf"127.0.0.1:{report['local'][1]} size {size}: {size} bytes")


def test_each_request_has_a_port_of_its_own(server: Program, run: Run) -> None:
    words = ("127.0.0.1", "echo", "a  b", "--port", bound(server), "--count", 20, "--json")
    reports = [json.loads(line) for line in run("udp_client", *words).stdout.splitlines()]
    assert [report["reply"] for report in reports] == ["a  b"] * 20
    assert len({report["local"][1] for report in reports}) > 10


def test_an_empty_request_is_a_datagram_too(server: Program, run: Run) -> None:
    done = run("udp_client", "127.0.0.1", "", "--port", bound(server), "--json")
    assert json.loads(done.stdout)["bytes"] == 0
    server.wait_for(r"\(0 bytes\): 0 bytes")


def test_more_than_a_datagram_can_carry(server: Program, run: Run) -> None:
    done = run("udp_client", "127.0.0.1", "echo", "y" * 65503, "--port", bound(server))
    assert done.returncode == 1
    assert done.stderr == f"udp_client.py: 127.0.0.1:{bound(server)}: Message too long\n"


def test_what_is_printed_cannot_rewrite_the_terminal(server: Program, run: Run) -> None:
    done = run("udp_client", "127.0.0.1", "echo", "\x1b[2J" + "z" * 100, "--port", bound(server))
    assert "\x1b" not in done.stdout
    assert done.stdout.endswith(": \\x1b[2J" + "z" * 56 + "...\n")
    line = server.wait_for(r"echo \S*z\.\.\.: 104 bytes").string
    assert "\x1b" not in line


def test_a_lost_request_is_sent_again(
    fake_udp_server: FakeUdpServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hear_the_third(
        sock: socket.socket, request: bytes, client: tuple[str, int], number: int
    ) -> None:
        if number == 2:
            sock.sendto(b"at last", client)

    port = fake_udp_server(hear_the_third)
    # Only the first two are given up soon: the reply to the third may take its time.
    soon = iter([0.05, 0.05])
    monkeypatch.setattr(
        udp_client, "set_timeouts", lambda sock, left: set_timeouts(sock, next(soon, left))
    )
    options = Namespace(host="127.0.0.1", port=port, connect=False, tries=3, timeout=10)
    report = udp_client.exchange(options, b"time")
    assert (report.reply, report.tries) == ("at last", 3)
    shown = run("udp_client", "127.0.0.1", "--port", port, "--timeout", 0.2)
    assert shown.returncode == 1


def test_no_answer_is_an_error_after_the_last_try(
    fake_udp_server: FakeUdpServer, run: Run, until: Until
) -> None:
    seen: list[bytes] = []
    port = fake_udp_server(lambda sock, request, client, number: seen.append(request))
    done = run("udp_client", "127.0.0.1", "--port", port, "--timeout", 0.1, "--tries", 4)
    assert done.returncode == 1
    assert done.stderr == (
        f"udp_client.py: 127.0.0.1:{port}: no answer to 4 datagrams, 0.1 s each\n"
    )
    until(lambda: len(seen) >= 4)
    assert seen == [b"time"] * 4


@pytest.mark.parametrize("connect", [True, False])
def test_what_strangers_send_is_dropped(
    fake_udp_server: FakeUdpServer, run: Run, connect: bool
) -> None:
    def with_a_stranger(
        sock: socket.socket, request: bytes, client: tuple[str, int], number: int
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(5):
                stranger.sendto(b"a lie", client)
        sock.sendto(b"the truth", client)
        sock.sendto(b"too late", client)

    words = ["127.0.0.1", "--port", fake_udp_server(with_a_stranger), "--json", "--count", 3]
    done = run("udp_client", *words, *(["--connect"] if connect else []))
    replies = [json.loads(line)["reply"] for line in done.stdout.splitlines()]
    assert replies == ["the truth"] * 3


def test_strangers_do_not_make_it_wait_for_ever(fake_udp_server: FakeUdpServer, run: Run) -> None:
    def only_lies(
        sock: socket.socket, request: bytes, client: tuple[str, int], number: int
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(50):
                stranger.sendto(b"a lie", client)

    port = fake_udp_server(only_lies)
    done = run("udp_client", "127.0.0.1", "--port", port, "--timeout", 0.2, "--tries", 1)
    assert done.returncode == 1
    assert "no answer" in done.stderr


def test_only_a_connected_socket_hears_that_nobody_is_there(run: Run, kept_udp_port: int) -> None:
    port = kept_udp_port
    connected = run("udp_client", "127.0.0.1", "--port", port, "--connect")
    assert connected.returncode == 1
    assert connected.stderr == f"udp_client.py: 127.0.0.1:{port}: Connection refused\n"
    plain = run("udp_client", "127.0.0.1", "--port", port, "--timeout", 0.1)
    assert plain.returncode == 1
    assert "no answer to 3 datagrams" in plain.stderr


def test_an_unknown_host(run: Run) -> None:
    done = run("udp_client", "no-such-host.invalid")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_sigterm_ends_the_server_with_0(start: Start) -> None:
    server = start("udp_server", "--port", 0)
    assert bound(server)
    assert server.stop() == 0


def test_the_server_says_in_one_line_why_it_cannot_start(server: Program, run: Run) -> None:
    taken = run("udp_server", "--host", "127.0.0.1", "--port", bound(server))
    assert taken.returncode == 1
    assert taken.stderr == (
        f"udp_server.py: cannot bind to 127.0.0.1:{bound(server)}: Address already in use\n"
    )
    elsewhere = run("udp_server", "--host", "192.0.2.1", "--port", 0)
    assert (elsewhere.returncode, elsewhere.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("a", "--count", 0),
        ("a", "--tries", "x"),
        ("a", "--port", 65536),
        ("a", "--timeout", -1),
    ],
)
def test_wrong_usage(run: Run, words: tuple[object, ...]) -> None:
    assert run("udp_client", *words).returncode == 2
