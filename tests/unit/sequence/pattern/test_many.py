"""Ten thousand connections: the work for each is small, and does not grow with their number.

Work is counted in function calls, of Python's and of C's, not in seconds.
"""

from __future__ import annotations

import cProfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labctl.sequence.connection import Connection
from labctl.sequence.pattern import Verdict, match, parse
from labctl.sequence.pattern.automaton import Automaton
from labctl.sequence.pattern.calls import CallReader
from labctl.sequence.pattern.signs import Sign
from tests.unit.sequence.pattern.made import Moment, Told, calls, connection, socket

PATTERN: dict[str, Any] = {
    "server": ["socket", "bind", "listen", "accept", "recv+", "send+", "close"],
    "client": ["socket", "connect", "send+", "recv+", "recv=0?", "close"],
    "wire": ["SYN", "SYN-ACK", "ACK", "data+", "FIN", "FIN"],
    "never": {"server": ["connect"], "wire": ["RST"]},
    "before": [
        ["server.socket.call", "server.close.return"],
        ["client.SYN.sent", "client.FIN.sent"],
    ],
}
SERVER = "socket setsockopt bind listen accept recv=5 send=5 close"
CLIENT = "socket connect send=5 recv=5 recv=5 recv=0 close"
WIRE = "c>SYN s>SYN-ACK c>ACK c>data s>ACK s>data c>ACK s>FIN c>ACK c>FIN s>ACK"


def many(count: int, made: Connection) -> list[Connection]:
    return [replace(made, id=number) for number in range(1, count + 1)]


class Seen(Told):
    """A timeline of connections that are all the same, and that counts what it is asked."""

    def __init__(self, *connections: Connection) -> None:
        super().__init__(*connections)
        self._moments = Told(connections[0]).moments
        self.asked = 0

    @property
    def moments(self) -> list[Moment]:
        return self._moments

    def order(self, first: Any, second: Any) -> Any:
        self.asked += 1
        return super().order(first, second)


def work(judge: Callable[[], Verdict]) -> tuple[int, Verdict]:
    """Return how many functions were called to judge, and the verdict."""
    profile = cProfile.Profile()
    verdict = profile.runcall(judge)
    return sum(entry.callcount for entry in profile.getstats()), verdict


def test_what_is_worked_out_for_one_connection_serves_ten_thousand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = 0
    step = Automaton._step

    def counted(made: Automaton[Sign], state: int, sign: Sign) -> int:
        nonlocal steps
        steps += 1
        return step(made, state, sign)

    monkeypatch.setattr(Automaton, "_step", counted)
    taken = []
    for count in (1, 10_000):
        seen = Seen(*many(count, connection(SERVER, CLIENT, WIRE)))
        steps = 0
        verdict = match(PATTERN, seen)
        assert (verdict.connections, verdict.failing) == (count, 0)
        assert seen.asked == count * len(PATTERN["before"])
        taken.append(steps)
    assert taken[0] == taken[1]


@pytest.mark.parametrize(
    ("server", "wire"),
    [(SERVER, WIRE), (SERVER.replace("bind", "dup"), WIRE), (SERVER, "c>SYN")],
    ids=["good", "a call is missing", "segments are missing"],
)
def test_the_work_for_each_connection_does_not_grow(server: str, wire: str) -> None:
    made = connection(server, CLIENT, wire)
    pattern = parse(PATTERN)
    each = []
    for count in (50, 500):
        seen = Seen(*many(count, made))
        done, verdict = work(lambda seen=seen: match(pattern, seen))  # type: ignore[misc]
        assert verdict.connections == count
        each.append(done / count)
    few, lots = each
    assert lots < few * 1.1
    assert lots < 1000


def test_the_socket_that_nobody_reached_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    tokens = CallReader.tokens

    def counted(reader: CallReader, *told: Any) -> Any:
        nonlocal read
        read += 1
        return tokens(reader, *told)

    monkeypatch.setattr(CallReader, "tokens", counted)
    refused = connection("", "socket connect=ECONNREFUSED close", outcome="refused")
    accepts = calls("server", "socket bind " + "accept=EINVAL " * 500, socket=7)
    told = Told(*many(1000, refused), stray=accepts, sockets=[socket("server", 7)])
    verdict = match({"server": PATTERN["server"]}, told)
    assert (verdict.failing, read) == (1000, 1)
    assert [failure.more for failure in verdict.failures] == [999]


def test_one_connection_of_very_many_calls() -> None:
    counts = []
    for number in (200, 2000):
        made = connection("", f"socket connect {'send=5 ' * number}{'recv=5 ' * number}close")
        done, verdict = work(
            lambda made=made: match({"client": PATTERN["client"]}, Told(made))  # type: ignore[misc]
        )
        assert verdict
        counts.append(done)
    assert counts[1] < counts[0] * 11
