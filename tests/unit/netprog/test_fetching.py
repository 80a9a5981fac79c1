"""Fetching under trouble: cuts, liars, queues, NAT, and a directory that dies meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from roundtrip import can_echo

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, FakeServer, Program, Run, Start, Until

SONG = os.urandom(3 * 2**20 + 11)
MD5 = hashlib.md5(SONG[:300_000]).hexdigest()
DIGITS = str(len(SONG)).encode()
LARGE = 64 * 2**20
"""More than both sockets' buffers hold."""

Answer = Callable[[socket.socket], None]


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "song").write_bytes(SONG)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def run_peer(start: Start, directory: Program, nick: str, folder: Path, *words: object) -> Program:
    at = f"127.0.0.1:{directory.port}"
    port = () if "--behind-nat" in words else ("--port", 0)
    program = start("peer", "run", nick, "--directory", at, "--share", folder, *port, *words)
    program.wait_for(f"registered as {nick}")
    return program


def get(directory: Program, out: Path, *words: object) -> list[object]:
    at = f"127.0.0.1:{directory.port}"
    return ["peer", "get", *words, "--directory", at, "--out", out, "--nick", "xen"]


def report_of(run: Run, argv: list[object]) -> dict[str, Any]:
    done = run(*argv, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def taken(connection: socket.socket, count: int) -> bytes:
    """The next bytes, in however many pieces: MSG_WAITALL is no help where there is a timeout."""
    data = b""
    while len(data) < count and (piece := connection.recv(count - len(data))):
        data += piece
    return data


def offset_asked(connection: socket.socket) -> int:
    """Say `1` and receive a download request; returns its offset."""
    connection.sendall(b"1")
    request = b""
    while not (match := re.fullmatch(rb'GETxen-get-\d+ "[^"]+" (\d+)', request)):
        piece = connection.recv(1000)
        if not piece:
            raise ConnectionResetError
        request += piece
    return int(match[1])


def holder(
    directory: Program,
    dial: Dial,
    nick: str,
    port: int,
    name: str = "song",
    pushes: Callable[[str], None] = lambda _data: None,
) -> None:
    """A holder of the song made of a test: it accepts every request (607) for its file."""
    line = dial(directory.port)
    line.login(nick, port)
    line.say(100, f'"{name}" {MD5} {len(SONG)} 0 0 0')
    line.say(214)
    line.hear()

    def follow() -> None:
        try:
            while True:
                kind, data = line.hear()
                if kind == 607:
                    line.say(608, data)
                elif kind == 501:
                    pushes(data)
        except (OSError, AssertionError):
            return

    threading.Thread(target=follow, daemon=True).start()


def test_another_holder_goes_on_where_the_first_stopped(
    directory: Program, dial: Dial, fake_server: FakeServer, run: Run, out: Path
) -> None:
    asked: list[tuple[str, int]] = []
    gone = threading.Event()

    def first(connection: socket.socket) -> None:
        offset = offset_asked(connection)
        asked.append(("first", offset))
        if not gone.is_set():
            gone.set()
            connection.sendall(DIGITS + SONG[: 2**20])

    def second(connection: socket.socket) -> None:
        offset = offset_asked(connection)
        asked.append(("second", offset))
        connection.sendall(DIGITS + SONG[offset:])

    holder(directory, dial, "first", fake_server(first))
    # It has the same file under another name: found by its checksum and size (215).
    holder(directory, dial, "second", fake_server(second), name="other name")
    told = report_of(run, get(directory, out, "song"))
    assert asked == [("first", 0), ("first", 2**20), ("second", 2**20)]
    assert (out / "song").read_bytes() == SONG
    assert told["chosen"]["nick"] == "second"
    assert told["steps"][-1]["bytes"] == len(SONG) - 2**20
    assert [failure["nick"] for failure in told["failed"]] == ["first"]


def test_bytes_of_two_that_prove_wrong_are_dropped_and_it_still_arrives(
    directory: Program, dial: Dial, fake_server: FakeServer, run: Run, out: Path
) -> None:
    """The first gives wrong bytes behind what the MD5 covers, and goes."""
    offsets: list[int] = []
    wrong = SONG[: 2**20 - 1] + bytes([SONG[2**20 - 1] ^ 1])

    def first(connection: socket.socket) -> None:
        if offset_asked(connection) == 0:
            connection.sendall(DIGITS + wrong)

    def second(connection: socket.socket) -> None:
        offset = offset_asked(connection)
        offsets.append(offset)
        connection.sendall(DIGITS + SONG[offset:])
        if taken(connection, 6) == b"SHA256":
            connection.sendall(hashlib.sha256(SONG).hexdigest().encode())

    holder(directory, dial, "first", fake_server(first))
    holder(directory, dial, "second", fake_server(second), name="other name")
    told = report_of(run, get(directory, out, "song"))
    assert offsets == [2**20, 0]
    assert [failure["nick"] for failure in told["failed"]] == ["first"]
    assert (out / "song").read_bytes() == SONG
    assert told["proofs"] == ["size", "md5", "sha256"]


def silent(connection: socket.socket) -> None:
    offset_asked(connection)
    connection.recv(1)


def stalling(connection: socket.socket) -> None:
    offset = offset_asked(connection)
    connection.sendall(DIGITS + SONG[offset : offset + 1000])
    connection.recv(1)


def dripping(connection: socket.socket) -> None:
    """Never silent, and yet slower than anybody may be."""
    offset = offset_asked(connection)
    connection.sendall(DIGITS)
    connection.settimeout(0.1)
    for byte in SONG[offset : offset + 200]:
        connection.sendall(bytes([byte]))
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


@pytest.mark.parametrize("bad", [silent, stalling, dripping])
def test_a_holder_that_stalls_is_dropped(
    directory: Program,
    dial: Dial,
    fake_server: FakeServer,
    start: Start,
    shared: Path,
    run: Run,
    out: Path,
    bad: Answer,
) -> None:
    holder(directory, dial, "bad", fake_server(bad))
    (shared / "song").rename(shared / "same song")
    run_peer(start, directory, "anna", shared)
    told = report_of(run, get(directory, out, "song", "--patience", 0.6))
    assert (out / "song").read_bytes() == SONG
    assert told["chosen"]["nick"] == "anna"
    assert [failure["nick"] for failure in told["failed"]] == ["bad"]
    assert [path.name for path in out.iterdir()] == ["song"]


def test_a_file_of_another_content_is_not_mixed_in(
    directory: Program,
    dial: Dial,
    fake_server: FakeServer,
    start: Start,
    run: Run,
    tmp_path: Path,
    out: Path,
) -> None:
    """Two files of one name: what has come of one is no beginning of the other."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "song").write_bytes(b"another song")
    holder(directory, dial, "bad", fake_server(stalling))
    run_peer(start, directory, "anna", other)
    for _ in range(2):
        report_of(run, get(directory, out, "song", "--patience", 0.5))
        assert (out / "song").read_bytes() == b"another song"


def test_a_transfer_goes_on_when_the_directory_dies(
    start: Start, directory: Program, out: Path, tmp_path: Path, dial: Dial, fake_server: FakeServer
) -> None:
    began = threading.Event()
    finish = threading.Event()

    def answer(connection: socket.socket) -> None:
        offset = offset_asked(connection)
        connection.sendall(DIGITS + SONG[offset : 2**20])
        began.set()
        assert finish.wait(10)
        connection.sendall(SONG[2**20 :])

    holder(directory, dial, "anna", fake_server(answer))
    getting = start(*get(directory, out, "song"))
    assert began.wait(10)
    assert directory.stop(signal.SIGKILL) == -signal.SIGKILL
    finish.set()
    getting.wait_for("right by size, md5")
    assert getting.process.wait(10) == 0
    assert (out / "song").read_bytes() == SONG


def test_what_was_cut_is_finished_when_directory_and_holder_are_back(
    start: Start, kept_port: int, shared: Path, out: Path
) -> None:
    where = ("directory", "--host", "127.0.0.1", "--port", kept_port)
    directory = start(*where)
    slow = run_peer(start, directory, "anna", shared, "--rate", 100)
    getting = start(*get(directory, out, "song", "--wait", 30, "--json"))
    slow.wait_for("")
    directory.wait_for("wants song of anna")
    # The rest takes half a minute at that rate.
    part = next(iter(wait_for_part(out)))
    assert part.stat().st_size < len(SONG)
    assert slow.stop(signal.SIGKILL) == -signal.SIGKILL
    assert directory.stop(signal.SIGKILL) == -signal.SIGKILL
    again = start(*where)
    run_peer(start, again, "anna", shared)
    told = json.loads(getting.wait_for(r"^\{.*\}$")[0])
    assert getting.process.wait(10) == 0
    assert (out / "song").read_bytes() == SONG
    assert told["steps"][-1]["bytes"] < len(SONG), told


def test_one_whose_partial_file_was_removed_ends_in_words(
    start: Start, directory: Program, dial: Dial, fake_server: FakeServer, out: Path
) -> None:
    holder(directory, dial, "bad", fake_server(stalling))
    getting = start(*get(directory, out, "song"))
    wait_for_part(out)[0].unlink()
    assert getting.stop(signal.SIGINT) in (130, -signal.SIGINT)
    assert list(out.iterdir()) == []


def wait_for_part(out: Path) -> list[Path]:
    deadline = threading.Event()
    for _ in range(500):
        parts = [path for path in out.glob(".part-*") if path.stat().st_size]
        if parts:
            return parts
        deadline.wait(0.02)
    raise AssertionError("no byte has come")


def test_a_search_without_its_directory_says_so(start: Start, kept_port: int, run: Run) -> None:
    directory = start("directory", "--host", "127.0.0.1", "--port", kept_port)
    at = f"127.0.0.1:{directory.port}"
    directory.stop()
    done = run("peer", "search", "song", "--directory", at)
    assert done.returncode == 1
    assert done.stderr == f"peer.py: no directory at {at}: Connection refused\n"


def test_a_directory_that_dies_during_a_search(run: Run, fake_server: FakeServer) -> None:
    def login_only(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(b"\x00\x00\x03\x00")
        hear(connection)

    def hear(connection: socket.socket) -> None:
        header = taken(connection, 4)
        taken(connection, header[0] + 256 * header[1])

    port = fake_server(login_only)
    done = run("peer", "search", "song", "--directory", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stderr == (
        "peer.py: directory lost: the directory has hung up; and again: the directory has hung up\n"
    )


def table_user(run: Run, directory: Program, nick: str) -> dict[str, Any]:
    done = run("directory", "table", "--port", directory.port, "--json")
    return next(user for user in json.loads(done.stdout)["users"] if user["nick"] == nick)


def uploads(directory: Program, dial: Dial, nick: str) -> int:
    """What the directory says of a user (604): how many uploads go on."""
    line = dial(directory.port)
    line.login(f"asks-{os.urandom(4).hex()}")
    line.say(603, nick)
    kind, data = line.hear()
    assert kind == 604, data
    line.sock.close()
    return int(data.rsplit('"', 2)[0].split()[-2])


def test_beyond_the_limit_they_wait_in_order(
    start: Start, directory: Program, shared: Path, dial: Dial, until: Until
) -> None:
    (shared / "large").touch()
    os.truncate(shared / "large", LARGE)
    peer = run_peer(start, directory, "anna", shared, "--uploads", 1)
    asking = []
    wishes = {"one": "large", "two": "large", "three": "song", "four": "song"}
    for number, (nick, name) in enumerate(wishes.items()):
        line = dial(peer.port)
        assert line.exactly(1) == b"1"
        line.send(f'GET{nick} "{name}" 0'.encode())
        if number:
            peer.wait_for(f"{nick} waits for {name}, place {number}: 1 uploads at once")
        else:
            assert line.exactly(8) == str(LARGE).encode()
        asking.append(line)
    until(lambda: uploads(directory, dial, "anna") == 1)
    one, two, three, four = asking
    three.sock.close()
    peer.wait_for("lost: left the queue")
    one.reset()
    assert two.exactly(8) == str(LARGE).encode()
    # The second keeps its turn, as it reads no more.
    assert select.select([four.sock], [], [], 0)[0] == []
    until(lambda: uploads(directory, dial, "anna") == 1)
    two.reset()
    assert four.exactly(len(DIGITS) + len(SONG)) == DIGITS + SONG
    four.sock.close()
    until(lambda: uploads(directory, dial, "anna") == 0)


def test_a_peer_behind_nat_pushes(
    start: Start, directory: Program, shared: Path, run: Run, out: Path
) -> None:
    nat = run_peer(start, directory, "nat", shared, "--behind-nat")
    assert not [line for line in nat.lines if "listening" in line]
    assert table_user(run, directory, "nat")["port"] == 0
    told = report_of(run, get(directory, out, "song"))
    assert (out / "song").read_bytes() == SONG
    assert told["proofs"] == ["size", "md5", "sha256"]
    assert told["chosen"] == {"nick": "nat", "ip": "127.0.0.1", "port": 0}
    assert "nat has connected" in told["steps"][-2]["what"]
    nat.wait_for(rf"SEND song for xen-get-\d+: {len(SONG)} bytes")


def test_one_that_nobody_can_connect_to_pushes_too_though_it_has_a_port(
    start: Start, directory: Program, dial: Dial, run: Run, out: Path, kept_port: int
) -> None:
    """Behind NAT without knowing it: the connection fails, and then the push road works."""

    def push(data: str) -> None:
        _, ip, to, *_ = data.split()
        assert ip == "16777343"
        with socket.create_connection(("127.0.0.1", int(to))) as line:
            assert line.recv(1) == b"1"
            line.sendall(f'SENDbob "song" {len(SONG)}'.encode())
            assert line.recv(10) == b"0"
            line.sendall(SONG)
            line.recv(6)

    holder(directory, dial, "bob", kept_port, pushes=push)
    told = report_of(run, get(directory, out, "song"))
    assert told["proofs"] == ["size", "md5"]
    assert (out / "song").read_bytes() == SONG


def test_where_both_are_behind_nat_it_says_so(
    start: Start, directory: Program, shared: Path, run: Run, out: Path
) -> None:
    run_peer(start, directory, "nat", shared, "--behind-nat")
    done = run(*get(directory, out, "song", "--behind-nat"))
    assert done.returncode == 1
    assert done.stderr == (
        "peer.py: song: no holder delivers it: nat: both peers are behind NAT:"
        " neither can connect to the other\n"
    )
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    "said",
    [
        b"SENDeve " + b'"song" ' + DIGITS,
        b'SENDbob "other" ' + DIGITS,
        b'SENDbob "song" ' + DIGITS[:-1] + b"x",
        b'SENDbob "song" ' + str(len(SONG) + 1).encode(),
        b"\xff" * 3000,
        b"",
    ],
)
def test_a_stranger_at_the_door_brings_nothing(
    directory: Program, dial: Dial, run: Run, out: Path, said: bytes
) -> None:
    """It is sent away; the right one comes behind it and is let in."""

    def push(data: str) -> None:
        to = int(data.split()[2])
        at = ("127.0.0.1", to)
        with socket.create_connection(at) as stranger, socket.create_connection(at) as line:
            # At the door one has two seconds: all is said when the stranger is sent away.
            line.sendall(f'SENDbob "song" {len(SONG)}'.encode())
            with contextlib.suppress(OSError):  # it may have been hung up on already
                stranger.sendall(said)
                stranger.shutdown(socket.SHUT_WR)
            assert line.recv(1) == b"1"
            assert line.recv(10) == b"0"
            line.sendall(SONG)
            line.recv(6)

    holder(directory, dial, "bob", 0, pushes=push)
    told = report_of(run, get(directory, out, "song"))
    assert told["chosen"]["nick"] == "bob"
    assert (out / "song").read_bytes() == SONG


@pytest.mark.parametrize("ping", ["tcp", "icmp"])
def test_the_round_trip_is_measured(
    start: Start, directory: Program, shared: Path, run: Run, out: Path, ping: str
) -> None:
    run_peer(start, directory, "near", shared)
    words = ("--choose", "nearest", "--ping", ping)
    if ping == "icmp" and not can_echo():
        refused = run(*get(directory, out, "song", *words))
        assert refused.returncode == 1
        assert "permits no ICMP socket and has no `ping`" in refused.stderr
        return
    told = report_of(run, get(directory, out, "song", *words))
    assert told["chosen"]["nick"] == "near"
    (measured,) = told["holders"]
    assert 0 < measured["round_trip"] < 2
    at = f"127.0.0.1:{directory.port}"
    shown = run("peer", "search", "song", "--ping", ping, "--directory", at)
    assert re.fullmatch(
        rf"song  {len(SONG)}  near  127.0.0.1  unknown  \d+\.\d{{3}} ms\n", shown.stdout
    )


def test_ls_lists_what_one_peer_shares(
    start: Start, directory: Program, shared: Path, run: Run
) -> None:
    run_peer(start, directory, "anna", shared, "--link", 10)
    at = f"127.0.0.1:{directory.port}"
    done = run("peer", "ls", "anna", "--directory", at, "--json")
    file = {"name": "song", "size": len(SONG), "md5": MD5}
    assert json.loads(done.stdout) == {"nick": "anna", "link": 10, "files": [file]}
    shown = run("peer", "ls", "anna", "--directory", at)
    assert shown.stdout.splitlines()[1] == f"song  {len(SONG)}  {MD5}"
    nobody = run("peer", "ls", "bob", "--directory", at)
    assert nobody.returncode == 1
    assert "bob is not here" in nobody.stderr
