"""Swarms with holders that cannot be called, and call instead."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import random
import resource
import select
import socket
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import swarm_words
from command import Failure
from door import GREETING_SECONDS, Door
from manifest import Manifest
from messages import GoAhead
from reception import Reception
from swarm_callers import Callers
from swarm_fetch import Fetch
from swarm_scout import scout
from swarm_wire import GREETING, PIECE_NUMBER, Decoder, Frame, Hello, Kind, bits, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.netprog.conftest import Dial, Program, Run, Start

FILM = random.Random(4).randbytes(1_500_000)
SHA256 = hashlib.sha256(FILM).hexdigest()
MD5 = hashlib.md5(FILM[:300_000]).hexdigest()
PIECE = 65536
MANIFEST = Manifest(
    len(FILM),
    b"".join(hashlib.sha256(FILM[at : at + PIECE]).digest() for at in range(0, len(FILM), PIECE)),
)


@pytest.fixture
def nat(start: Start, directory: Program, tmp_path: Path) -> Program:
    """A peer that nobody can connect to, with the film."""
    folder = tmp_path / "share"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(FILM)
    where = f"127.0.0.1:{directory.port}"
    peer = start("peer", "run", "nat", "--share", folder, "--behind-nat", "--directory", where)
    peer.wait_for("registered as nat")
    return peer


def words(directory: Program, nick: str, out: Path) -> list[object]:
    out.mkdir(exist_ok=True)
    where = f"127.0.0.1:{directory.port}"
    return ["get", "film.mp4", "--swarm", "--nick", nick, "--out", out, "--directory", where]


def test_a_holder_behind_nat_calls_those_who_fetch(
    start: Start, directory: Program, nat: Program, tmp_path: Path
) -> None:
    getting = [
        start("peer", *words(directory, f"p{n}", tmp_path / f"p{n}"), "--json") for n in range(3)
    ]
    reports = [json.loads(program.wait_for(r"^\{.*\}$")[0]) for program in getting]
    assert [told["sha256"] for told in reports] == [SHA256] * 3
    assert all((tmp_path / f"p{n}" / "film.mp4").read_bytes() == FILM for n in range(3))
    assert sum(told["received"].get("nat", 0) for told in reports) >= len(FILM)
    for number in range(3):
        nat.wait_for(rf"SEND film.mp4 for p{number}-get-\d+: SWARM", times=2)


def test_when_both_are_behind_nat_there_is_no_way(
    directory: Program, nat: Program, run: Run, tmp_path: Path
) -> None:
    done = run("peer", *words(directory, "p", tmp_path / "p"), "--behind-nat")
    assert done.returncode == 1
    why = "nat: both peers are behind NAT: neither can connect to the other"
    assert done.stderr == f"peer.py: no holder is to be had: {why}\n"
    assert list((tmp_path / "p").iterdir()) == []


def caller(port: int, first: bytes) -> socket.socket:
    """A connection to a door that has said something, and is let in or not."""
    line = socket.create_connection(("127.0.0.1", port), 10)
    assert line.recv(1) == b"1"
    line.sendall(first)
    return line


def test_one_with_a_port_that_cannot_be_reached_calls_too(
    directory: Program, dial: Dial, run: Run, tmp_path: Path
) -> None:
    """Behind NAT without knowing it. This one knows no swarms, and says so as old peers do."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    line = dial(directory.port)
    line.login("bob", port)
    line.say(100, f'"film.mp4" {MD5} {len(FILM)} 0 0 0')
    heard: list[bytes] = []

    def serve() -> None:
        kind, data = line.hear()
        assert kind == 607
        line.say(608, data)
        kind, data = line.hear()
        assert kind == 501
        with caller(int(data.split()[2]), f'SENDbob "film.mp4" {len(FILM)}'.encode()) as push:
            heard.append(push.recv(len(GREETING)))

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    done = run("peer", *words(directory, "p", tmp_path / "p"))
    serving.join(10)
    assert heard == [GREETING]
    assert done.returncode == 1
    assert "no holder tells what the file consists of: bob: it knows no swarms" in done.stderr


class FakeDesk:
    """Takes what is said to the directory."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.data_port = 0

    def announce(self, port: int) -> None:
        self.data_port = port

    def ask(self, question: Callable[[Any], object]) -> object:
        return question(self)

    def send(self, kind: int, data: str) -> None:
        assert kind == 500
        self.asked.append(data)


WHERE = GoAhead("nat", "127.0.0.1", 0, "film.mp4", MD5, 0)


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def callers(desk: FakeDesk, door: Door) -> Callers:
    found = Callers(desk, door, len(FILM))  # type: ignore[arg-type]
    assert found.add(WHERE)
    return found


def test_one_that_does_not_call_is_named(
    callers: Callers, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swarm_words, "CALL_SECONDS", 0.05)
    with pytest.raises(Failure, match="nat: it cannot be reached, and has not called here within"):
        scout([WHERE], callers, "me", len(FILM), set())
    assert desk.asked == ['nat "film.mp4"']
    assert callers.door is not None
    assert desk.data_port == callers.door.port


def test_who_comes_to_the_door_uninvited_is_not_let_in(
    callers: Callers, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swarm_words, "CALL_SECONDS", 1)
    wrong = [
        b'SENDeve "film.mp4" 1500000',
        b'SENDnat "other" 1500000',
        b'SENDnat "film.mp4" 1500001',
    ]
    lines = []
    for first in wrong:
        line = socket.create_connection(("127.0.0.1", door.port), 10)
        line.sendall(first)
        lines.append(line)
    with pytest.raises(Failure, match="nat: it cannot be reached"):
        scout([WHERE], callers, "me", len(FILM), set())
    for line in lines:
        assert line.recv(10) == b"1"
        assert line.recv(10) == b""
        line.close()


def test_nobody_waits_at_the_door_for_strangers_who_say_nothing(
    callers: Callers, door: Door
) -> None:
    with contextlib.ExitStack() as stack:
        *_, line = (
            stack.enter_context(socket.create_connection(("127.0.0.1", door.port), 10))
            for _ in range(4)
        )
        line.sendall(f'SENDnat "film.mp4" {len(FILM)}'.encode())
        reception = Reception(callers, door)
        stack.callback(reception.close)
        # After the three strangers, one after the other, it would come later than that.
        came = reception.caller("nat", 2 * GREETING_SECONDS)
        assert came is not None
        came.close()


def heard(line: socket.socket, fetch: Fetch, count: int) -> bytes:
    """The next bytes that the fetching peer says."""
    data = b""
    while len(data) < count:
        fetch.loop.turn(0.1)
        if select.select([line], [], [], 0.01)[0]:
            data += line.recv(count - len(data))
    return data


def frames(line: socket.socket, fetch: Fetch) -> Iterator[Frame]:
    """What the fetching peer says, while it is kept going."""
    decoder = Decoder()
    line.settimeout(0.01)
    for _ in range(1000):
        fetch.loop.turn(0.01)
        try:
            decoder.feed(line.recv(1 << 16))
        except TimeoutError:
            continue
        while (message := decoder.next()) is not None:
            yield message


@pytest.mark.parametrize("lies", [False, True])
def test_who_has_called_and_who_has_lied_is_not_asked_to_call_again(
    callers: Callers, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    spared: list[list[str]] = []
    monkeypatch.setattr(callers, "invite", lambda besides: spared.append(list(besides)))
    fetch = Fetch(MANIFEST, tmp_path / "film.mp4", "me", callers)
    fetch.invite()
    line = socket.create_connection(("127.0.0.1", door.port), 10)
    assert heard(line, fetch, 1) == b"1"
    line.sendall(f'SENDnat "film.mp4" {len(FILM)}'.encode())
    assert heard(line, fetch, len(GREETING)) == GREETING
    for message in frames(line, fetch):
        if message.kind == Kind.HELLO:
            assert Hello.parse(message.data).port == door.port
            line.sendall(Hello("nat", "film.mp4", len(FILM), MANIFEST.root, 0).frame())
            line.sendall(bits(range(MANIFEST.pieces), MANIFEST.pieces))
        elif message.kind == Kind.ANY:
            fetch.invite()
            if not lies:
                break
            line.sendall(frame(Kind.PIECE, PIECE_NUMBER.pack(0) + b"x" * PIECE))
            line.settimeout(0.1)
            while fetch.exchange.lines:
                fetch.loop.turn(0.1)
            fetch.invite()
            break
    assert spared == ([[], ["nat"], ["nat"]] if lies else [[], ["nat"]])
    line.close()
    if not lies:
        while fetch.exchange.lines:
            fetch.loop.turn(0.1)
        fetch.invite()
        assert spared[-1] == []
    fetch.close()


def joined(door: Door, fetch: Fetch, first: bytes, nick: str, port: int) -> socket.socket:
    """A connection to the door that has said HELLO."""
    line = socket.create_connection(("127.0.0.1", door.port), 10)
    assert heard(line, fetch, 1) == b"1"
    line.sendall(first)
    if first != GREETING:
        assert heard(line, fetch, len(GREETING)) == GREETING
    line.sendall(Hello(nick, "film.mp4", len(FILM), MANIFEST.root, port).frame())
    return line


def test_one_who_has_called_twice_and_was_hung_up_on_once_is_not_asked_again(
    callers: Callers, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spared: list[list[str]] = []
    monkeypatch.setattr(callers, "invite", lambda besides: spared.append(list(besides)))
    fetch = Fetch(MANIFEST, tmp_path / "film.mp4", "me", callers)
    first = f'SENDnat "film.mp4" {len(FILM)}'.encode()
    with joined(door, fetch, first, "nat", 7), joined(door, fetch, first, "nat", 7) as twice:
        while True:
            fetch.loop.turn(0.01)
            if select.select([twice], [], [], 0.01)[0] and not twice.recv(1 << 16):
                break
        assert len(list(fetch.exchange.lines)) == 1
        fetch.invite()
    assert spared == [["nat"]]
    fetch.close()


def test_nothing_is_remembered_of_strangers(callers: Callers, door: Door, tmp_path: Path) -> None:
    """There may be any number of them, each with a nick of its own."""
    fetch = Fetch(MANIFEST, tmp_path / "film.mp4", "me", callers)
    with joined(door, fetch, GREETING, "eve", 0):
        while not fetch.exchange.lines:
            fetch.loop.turn(0.01)
        (line,) = map(weakref.ref, fetch.exchange.lines)
    while fetch.exchange.lines:
        fetch.loop.turn(0.01)
    gc.collect()
    assert line() is None
    fetch.close()


def test_without_a_descriptor_left_nobody_is_called_and_those_who_are_here_stay(
    callers: Callers, door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetch = Fetch(MANIFEST, tmp_path / "film.mp4", "me", callers)
    with joined(door, fetch, GREETING, "eve", 0) as line:
        while not fetch.exchange.lines:
            fetch.loop.turn(0.01)
        line.sendall(frame(Kind.PEERS, b"127.0.0.1:9"))
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            fetch.call(("127.0.0.1", 9), "-")
            for _ in range(5):
                fetch.loop.turn(0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert len(list(fetch.exchange.lines)) == 1
    assert capfd.readouterr().out.count("127.0.0.1:9: Too many open files\n") == 2
    fetch.close()
