"""snmp_get and udp_count, each against agents that answer, say no, lie, or say nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import snmp_get
from pyasn1.type import univ
from sockets import set_timeouts

from tests.unit.observe.dissect.made_messages import Counter32, message

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Run, Start

Answer = Callable[[bytes, int], list[bytes]]
Agent = Callable[[Answer], int]
NAME = "1.3.6.1.2.1.7.1.0"


def request_id(request: bytes) -> int:
    """The request-id of a request whose community is `public`."""
    assert request[15] == 2
    return int.from_bytes(request[17 : 17 + request[16]], "big", signed=True)


def response(request: bytes, value: int, off: int = 0, status: int = 0) -> bytes:
    """A response; with `off`, to a request of another number."""
    number = (request_id(request) + off) % 2**31
    return message((NAME, Counter32(value)), request_id=number, pdu=2, status=status)


@pytest.fixture
def agent() -> Iterator[Agent]:
    """An agent made of a function that gets each request and its number; gives its port."""
    sockets: list[socket.socket] = []
    stops = threading.Event()

    def serve(answer: Answer) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        sockets.append(sock)

        def loop() -> None:
            number = 0
            while not stops.is_set():
                with contextlib.suppress(TimeoutError, ConnectionError):
                    request, client = sock.recvfrom(65535)
                    number += 1
                    for data in answer(request, number):
                        sock.sendto(data, client)

        threads.append(threading.Thread(target=loop, daemon=True))
        threads[-1].start()
        port: int = sock.getsockname()[1]
        return port

    threads: list[threading.Thread] = []
    yield serve
    stops.set()
    for thread in threads:
        thread.join(10)
    for sock in sockets:
        sock.close()


def test_the_value(agent: Agent, run: Run) -> None:
    port = agent(lambda request, number: [response(request, 4711)])
    done = run("snmp_get", "127.0.0.1", "--port", port)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4711\n", "")
    words = ("127.0.0.1", "--port", port, "--json", "--timeout", 10)
    told = json.loads(run("snmp_get", *words).stdout)
    assert told["sent"] == 1
    assert (told["type"], told["value"], told["oid"]) == ("Counter32", 4711, NAME)
    assert bytes.fromhex(told["request"]).endswith(bytes.fromhex("06082b060102010701000500"))


def test_both_messages_explained(agent: Agent, run: Run) -> None:
    port = agent(lambda request, number: [response(request, 4711)])
    done = run("snmp_get", "127.0.0.1", "udpInDatagrams", "--port", port, "--explain")
    assert done.returncode == 0
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    # The request-id is drawn, and one in 256 has less than four bytes.
    size = int(next(line for line in lines if line.startswith("15 02 ")).split()[2], 16)
    assert f"13 a0 {24 + size:02x} PDU: GetRequest-PDU of {24 + size} bytes" in lines
    assert f"{37 + size} 05 00 value: NULL" in lines
    assert f"{37 + size} 41 02 12 67 value: Counter32 4711" in lines
    assert lines[-1] == "4711"


def test_a_text_cannot_rewrite_the_terminal(agent: Agent, run: Run) -> None:
    def answer(request: bytes, number: int) -> list[bytes]:
        value = univ.OctetString(b"\x1b[2Jx\n\xff")
        return [message((NAME, value), request_id=request_id(request), pdu=2)]

    done = run("snmp_get", "127.0.0.1", "sysDescr", "--port", agent(answer))
    assert done.stdout == "\\x1b[2Jx\\n\\xff\n"


def test_what_answers_another_request_is_passed_over(agent: Agent, run: Run) -> None:
    def answer(request: bytes, number: int) -> list[bytes]:
        return [response(request, 1, off=1), response(request, 2)]

    assert run("snmp_get", "127.0.0.1", "--port", agent(answer)).stdout == "2\n"


def test_a_request_without_response_is_sent_again(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def answer(request: bytes, number: int) -> list[bytes]:
        seen.append(request)
        return [response(request, 5)] if number == 3 else []

    # Only the first two are given up soon: the response to the third may take its time.
    soon = iter([0.05, 0.05])
    monkeypatch.setattr(
        snmp_get, "set_timeouts", lambda sock, left: set_timeouts(sock, next(soon, left))
    )
    at = {"host": "127.0.0.1", "port": agent(answer), "version": "1", "community": "public"}
    options = Namespace(**at, tries=3, timeout=10)
    assert snmp_get.get(options, NAME).sent == 3
    assert len(set(seen)) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda r, n: [response(r, 0, status=2)], "no value for 1.3.6.1.2.1.7.1.0: error-status 2"),
        (lambda r, n: [b"hello"], "a response that cannot be read: byte 1: a length of 101"),
        (lambda r, n: [b""], "a response that cannot be read: byte 0"),
        (lambda r, n: [b"\x30\x80"], "an indefinite length"),
        (lambda r, n: [b"\x30\x84" + b"\xff" * 60000], "a length of 4294967295"),
        (lambda r, n: [r], "tag a0 where a response has a2"),
    ],
)
def test_an_agent_that_does_not_do_it(agent: Agent, run: Run, answer: Answer, said: str) -> None:
    done = run("snmp_get", "127.0.0.1", "--port", agent(answer), "--timeout", 10)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_agent_that_says_nothing(agent: Agent, run: Run) -> None:
    done = run("snmp_get", "127.0.0.1", "--port", agent(lambda r, n: []), "--timeout", 0.2)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no response to 3 requests, 0.2 s each" in done.stderr
    assert done.stderr.count("\n") == 1


def test_nobody_is_there(run: Run, kept_udp_port: int) -> None:
    done = run("snmp_get", "127.0.0.1", "--port", kept_udp_port)
    assert done.returncode == 1
    assert "refused" in done.stderr.lower()
    done = run("snmp_get", "no.such.host.invalid", "--port", kept_udp_port)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        ("h", "udpInDatagram"),
        ("h", "1"),
        ("h", "3.1.1"),
        ("h", "1.40.1"),
        ("h", "1.3.4294967296"),
        ("h", "1.3..1"),
        ("h", "1.3." + "1." * 200 + "1"),
        ("h", "--version", "3"),
        ("h", "--port", "-1"),
        ("h", "--tries", "0"),
    ],
)
def test_wrong_words(run: Run, words: tuple[str, ...]) -> None:
    assert run("snmp_get", *words).returncode == 2


class Host:
    """A counter as a host's kernel keeps it, and an agent that looks at it now and then."""

    def __init__(self, every: float, others: int = 0) -> None:
        self.counter = 2**32 - 20
        self.every, self.others = every, others
        self._told, self._at = 0, 0.0

    def agent(self, request: bytes, number: int) -> list[bytes]:
        self.counter += 1
        if time.monotonic() >= self._at + self.every:
            self._told, self._at = self.counter, time.monotonic()
        return [response(request, self._told % 2**32)]

    def echo(self, request: bytes, number: int) -> list[bytes]:
        self.counter += 1 + (self.others if number == 1 else 0)
        return [request.removeprefix(b"echo ")]


@pytest.mark.parametrize(("every", "others"), [(0.0, 0), (0.8, 0), (0.8, 3)])
def test_every_datagram_is_accounted_for(agent: Agent, run: Run, every: float, others: int) -> None:
    host = Host(every, others)
    ports = "--port", agent(host.agent), "--to", agent(host.echo)
    words = ("127.0.0.1", *ports, "--count", 12, "--json", "--timeout", 10)
    told = json.loads(run("udp_count", *words).stdout)
    assert (told["datagrams"], told["others"]) == (12, others)
    assert (told["after"] - told["before"]) % 2**32 == 12 + others + told["requests"]


def test_a_counter_that_does_not_move(agent: Agent, run: Run) -> None:
    ports = "--port", agent(lambda r, n: [response(r, 3)]), "--to", 9
    done = run("udp_count", "127.0.0.1", *ports, "--patience", "0.6")
    assert done.returncode == 1
    assert "udpInDatagrams is 3 and does not grow" in done.stderr


def test_a_server_that_says_nothing(agent: Agent, run: Run) -> None:
    host = Host(0.0)
    ports = "--port", agent(host.agent), "--to", agent(lambda r, n: [])
    # The agent may be late, then it is asked again; the server is asked once.
    done = run("udp_count", "127.0.0.1", *ports, "--timeout", "0.3", "--tries", 10)
    assert done.returncode == 1
    assert "no reply to datagram 1" in done.stderr


def test_the_real_server(start: Start, agent: Agent, run: Run) -> None:
    server = start("udp_server", "--host", "127.0.0.1", "--port", 0)
    to = int(server.wait_for(r"receiving on \S+:(\d+)")[1])
    host = Host(0.0)
    done = run("udp_count", "127.0.0.1", "--port", agent(host.agent), "--to", to, "--count", 3)
    # That agent knows nothing of the other server's datagrams.
    assert " -3 others" in done.stdout
    assert done.returncode == 1
    assert "3 datagrams were not counted" in done.stderr
