"""A thousand real connections: in what was seen, no effect comes before its cause.

The order that is asked for is written down here by hand for each connection, as the RFC and the
man pages have it; it is not taken from labctl's own list of causes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter
from labctl.lab.load import load
from labctl.observe.wishes import Wishes
from labctl.play.fresh import fresh
from labctl.play.observed import attached, finish, run_observed
from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Call, Segment
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Moment, Timeline
from labctl.sequence.verbs import verb

COUNT = 1000
SERVER = """\
import socket
listener = socket.create_server(("", 7000), backlog=16)
while True:
    own, _ = listener.accept()
    own.sendall(own.recv(64) * 2)
    own.close()
"""
CLIENT = f"""\
import socket
for _ in range({COUNT}):
    with socket.create_connection(("server", 7000)) as own:
        own.sendall(b"x" * 40)
        while own.recv(64):
            pass
"""
HOST = {
    "image": "labctl-host",
    "user": "1000:1000",
    "cap_drop": ["ALL"],
    "init": True,
    "networks": ["lan"],
}
LAB = {
    "name": "thousand",
    "x-lab": {"title": "a server, and a client that calls it again and again"},
    "networks": {"lan": {"internal": True}},
    "services": {
        "client": HOST,
        "server": {
            **HOST,
            "command": ["python3", "-c", SERVER],
            "healthcheck": {"test": ["CMD", "listening", "7000"]},
        },
    },
}
Place = tuple[int, str]
"""The `id` of an event, and which moment of it."""


@pytest.fixture(scope="module", params=["strace", "tracefs"])
def seen(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Timeline:
    """What each tracer has seen of them."""
    file = tmp_path_factory.mktemp("thousand") / "compose.yaml"
    file.write_text(yaml.safe_dump(LAB, sort_keys=False))
    with fresh(engine, load(file), Reporter()) as live:
        return Timeline.of(record(engine, live, request.param))


def record(engine: Engine, live: LiveLab, tracer: str) -> Recording:
    with attached(engine, live, Wishes(tracer), Reporter()) as observer:
        done = run_observed(engine, live, observer, "client", ["python3", "-c", CLIENT], 240)
        assert done.code == 0, done.stderr
        return finish(live, observer, tracer).recording


def test_every_connection_has_both_its_ends(seen: Timeline) -> None:
    mine = connections(seen)
    assert len(mine) == COUNT
    for connection in mine:
        assert connection.outcome == "established"
        assert [c.name for c in connection.client.calls if c.name == "connect"] == ["connect"]
        assert len([c for c in connection.server.calls if verb(c.name) == "accept"]) == 1
        assert moved(connection.client, "send") == moved(connection.server, "recv") == 40
        assert moved(connection.server, "send") == moved(connection.client, "recv") == 80


def test_no_effect_comes_before_its_cause(seen: Timeline) -> None:
    place: dict[Place, int] = {(id(m.event), m.kind): n for n, m in enumerate(seen.moments)}
    pairs = [pair for connection in connections(seen) for pair in in_order(connection)]
    assert len(pairs) > 15 * COUNT
    inverted = [pair for pair in pairs if place[pair[0]] >= place[pair[1]]]
    assert inverted == []
    assert seen.doubted == 0


def test_what_nothing_causes_has_no_order(seen: Timeline) -> None:
    """Between the returns of connect and accept there is none, but where one was late."""
    at: dict[Place, Moment] = {(id(m.event), m.kind): m for m in seen.moments}
    said = []
    for connection in connections(seen):
        returns = [
            at[id(one(side, name)), "return"]
            for side, name in ((connection.client, "connect"), (connection.server, "accept"))
        ]
        if abs(returns[0].time - returns[1].time) < 1_000_000:
            said.append(seen.order(*returns).name)
    assert said.count("UNORDERED") == len(said) > COUNT / 10


def connections(seen: Timeline) -> list[Connection]:
    """Return those to the server's port."""
    return [
        c
        for c in seen.connections
        if c.protocol == "tcp" and c.server.endpoint is not None and c.server.endpoint.port == 7000
    ]


def moved(side: Side, what: str) -> int:
    return sum(c.result or 0 for c in side.calls if verb(c.name) == what and not c.failed)


def one(side: Side, name: str) -> Call:
    return next(call for call in side.calls if verb(call.name) == name and not call.failed)


def in_order(connection: Connection) -> Iterator[tuple[Place, Place]]:
    """Yield pairs of moments of one connection, of which the first must come first."""
    client, server = connection.sides
    connect, accept = one(client, "connect"), one(server, "accept")
    syn, answer, done = connection.segments[:3]
    assert [s.flags for s in (syn, answer, done)] == [("SYN",), ("SYN", "ACK"), ("ACK",)]
    yield (id(connect), "call"), (id(syn), "sent")
    yield (id(syn), "received"), (id(answer), "sent")
    yield (id(answer), "received"), (id(done), "sent")
    yield (id(answer), "received"), (id(connect), "return")
    yield (id(done), "received"), (id(accept), "return")
    for segment in connection.segments:
        yield (id(segment), "sent"), (id(segment), "received")
    for sender, receiver in ((client, server), (server, client)):
        yield from _data(sender, receiver, connection.segments)
    for side in connection.sides:
        for before, after in zip(side.calls, side.calls[1:], strict=False):
            if before.tid == after.tid and before.end is not None:
                yield (id(before), "return"), (id(after), "call")


def _data(
    sender: Side, receiver: Side, segments: tuple[Segment, ...]
) -> Iterator[tuple[Place, Place]]:
    own = [s for s in segments if s.source == sender.endpoint]
    data = [s for s in own if s.length]
    fin = next(s for s in own if "FIN" in s.flags)
    close = next(call for call in sender.calls if call.last)
    end = [c for c in receiver.calls if verb(c.name) == "recv" and c.result == 0]
    yield (id(one(sender, "send")), "call"), (id(data[0]), "sent")
    yield (id(data[0]), "received"), (id(one(receiver, "recv")), "return")
    yield (id(close), "call"), (id(fin), "sent")
    yield from (((id(fin), "received"), (id(call), "return")) for call in end)
