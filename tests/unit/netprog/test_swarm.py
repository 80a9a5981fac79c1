"""Swarms as they run: many peers at once, and those who lie, stall, come late and go early."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from exchange import MOST_ACTIVE
from manifest import Manifest
from swarm_give import MOST_QUEUED
from swarm_wire import PIECE_NUMBER, Decoder, Hello, Kind, bits, frame, numbers, parse_numbers

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, Program, Run, Start

FILM = random.Random(3).randbytes(5_000_000)
SHA256 = hashlib.sha256(FILM).hexdigest()
MD5 = hashlib.md5(FILM[:300_000]).hexdigest()
PATIENCE = 60.0
"""Seconds for what takes a second or a few where nobody else wants the processor."""


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(FILM)
    return folder


def run_seed(start: Start, directory: Program, nick: str, folder: Path) -> Program:
    seed = start(
        *("peer", "run", nick, "--share", folder, "--port", 0),
        *("--directory", f"127.0.0.1:{directory.port}"),
    )
    seed.wait_for(f"registered as {nick}")
    return seed


def words(directory: Program, nick: str, out: Path) -> list[object]:
    out.mkdir(exist_ok=True)
    where = f"127.0.0.1:{directory.port}"
    return ["get", "film.mp4", "--swarm", "--nick", nick, "--out", out, "--directory", where]


def report(program: Program) -> dict[str, Any]:
    """What a `peer get --json` says at its end."""
    found: dict[str, Any] = json.loads(program.wait_for(r"^\{.*\}$", patience=PATIENCE)[0])
    assert program.process.wait(PATIENCE) == 0
    return found


def test_every_peer_gets_the_file_and_the_seed_sends_it_about_once(
    start: Start, directory: Program, share: Path, tmp_path: Path
) -> None:
    run_seed(start, directory, "seed", share)
    getting = [
        start("peer", *words(directory, f"p{n}", tmp_path / f"p{n}"), "--json") for n in range(3)
    ]
    reports = [report(program) for program in getting]
    assert [told["sha256"] for told in reports] == [SHA256] * 3
    assert all(told["proofs"] == ["size", "md5", "pieces"] for told in reports)
    for number in range(3):
        folder = tmp_path / f"p{number}"
        assert [path.name for path in folder.iterdir()] == ["film.mp4"]
        assert (folder / "film.mp4").read_bytes() == FILM
    # Who comes when the others have it all takes it from them or from the seed: but what the
    # three got of the seed can never be more than three whole files.
    assert sum(told["received"].get("seed", 0) for told in reports) <= 3 * len(FILM)
    assert all(sum(told["received"].values()) >= len(FILM) for told in reports)


def test_an_empty_file_is_there_at_once(
    start: Start, directory: Program, run: Run, share: Path, tmp_path: Path
) -> None:
    (share / "film.mp4").write_bytes(b"")
    run_seed(start, directory, "seed", share)
    told = run("peer", *words(directory, "x", tmp_path / "x"), "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["bytes"] == 0
    assert (tmp_path / "x" / "film.mp4").read_bytes() == b""


def test_a_person_is_told_from_whom_how_much_came(
    directory: Program, dial: Dial, run: Run, tmp_path: Path
) -> None:
    with (
        # Each lacks what the other has: whoever is faster, neither can bring it all.
        holder(directory, dial, lambda piece, block: block, nick="one", lacks=0),
        holder(directory, dial, lambda piece, block: block, nick="two", lacks=1),
    ):
        done = run("peer", *words(directory, "p", tmp_path / "p"))
    assert done.returncode == 0, done.stderr
    assert " bytes from one" in done.stdout
    assert " bytes from two" in done.stdout
    assert "film.mp4: 5000000 bytes in " in done.stdout
    assert f"sha256 {SHA256}" in done.stdout


class Gated:
    """A real seed whose pieces a test holds back: until `opened` is set, it only tells who asks it
    first, the scout, what the file consists of."""

    def __init__(self, start: Start, directory: Program, dial: Dial, nick: str, share: Path):
        self.opened = threading.Event()
        # The directory is told of the gate instead.
        self.seed = start(
            *("peer", "run", nick, "--share", share, "--port", 0, "--directory", "127.0.0.1:1")
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        register(directory, dial, nick, self._listener)
        threading.Thread(target=self._accept, args=(self.seed.port,), daemon=True).start()

    def close(self) -> None:
        self.opened.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, port: int) -> None:
        free = True
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                try:
                    seed = socket.create_connection(("127.0.0.1", port))
                except ConnectionRefusedError:
                    caller.close()
                    continue
                for source, target, waits in ((caller, seed, False), (seed, caller, not free)):
                    work = threading.Thread(
                        target=self._relay, args=(source, target, waits), daemon=True
                    )
                    work.start()
                free = False

    def _relay(self, source: socket.socket, target: socket.socket, waits: bool) -> None:
        if waits:
            self.opened.wait()
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def gated(start: Start, directory: Program, dial: Dial, share: Path) -> Iterator[Gate]:
    """Run a seed of that nick behind a gate."""
    with contextlib.ExitStack() as stack:

        def run(nick: str) -> Gated:
            return stack.enter_context(
                contextlib.closing(Gated(start, directory, dial, nick, share))
            )

        yield run


Gate = Callable[[str], Gated]
Manners = Callable[[int, bytes], bytes | None]
"""What a false holder sends for a piece of that number and content; None: nothing."""


@contextlib.contextmanager
def holder(
    directory: Program,
    dial: Dial,
    manners: Manners,
    root: str = "",
    nick: str = "liar",
    lacks: int | None = None,
) -> Iterator[None]:
    """A holder that a test makes up: registered, accepts, speaks the swarm's protocol; it has all
    pieces but the one that it `lacks`."""
    listener = socket.create_server(("127.0.0.1", 0))
    manifest = Manifest(len(FILM), _hashes())
    hello = Hello(nick, "film.mp4", len(FILM), root or manifest.root, 0)
    greeting = hello.frame() + bits({*range(manifest.pieces)} - {lacks}, manifest.pieces)

    def serve(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.sendall(b"1")
            assert sock.recv(5) == b"SWARM"
            decoder = Decoder()
            while piece := sock.recv(1 << 16):
                decoder.feed(piece)
                while (message := decoder.next()) is not None:
                    _answer(sock, message.kind, message.data, manifest, manners, greeting)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    register(directory, dial, nick, listener)
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def register(directory: Program, dial: Dial, nick: str, listener: socket.socket) -> None:
    """Make known that `nick` has the file, and have everybody call where that one listens."""
    line = dial(directory.port)
    line.login(nick, listener.getsockname()[1])
    line.say(100, f'"film.mp4" {MD5} {len(FILM)} 0 0 0')
    line.say(214)
    line.hear()
    line.sock.settimeout(None)

    def agree() -> None:
        with contextlib.suppress(AssertionError, OSError):
            while True:
                kind, data = line.hear()
                if kind == 607:
                    line.say(608, data)

    threading.Thread(target=agree, daemon=True).start()


def _hashes() -> bytes:
    blocks = (FILM[at : at + 65536] for at in range(0, len(FILM), 65536))
    return b"".join(hashlib.sha256(block).digest() for block in blocks)


def _answer(
    sock: socket.socket,
    kind: Kind,
    data: bytes,
    manifest: Manifest,
    manners: Manners,
    greeting: bytes,
) -> None:
    if kind == Kind.HELLO:
        sock.sendall(greeting)
    elif kind == Kind.HAVE:
        # It wants nothing more, so that nobody stays for its sake.
        sock.sendall(frame(Kind.HAVE, data))
    elif kind == Kind.HASHES:
        sock.sendall(frame(Kind.HASHES, manifest.hashes))
    elif kind in (Kind.ASK, Kind.ANY):
        wanted = parse_numbers(data, manifest.pieces) if kind == Kind.ASK else [0]
        for piece in wanted:
            offset, size = manifest.span(piece)
            sent = manners(piece, FILM[offset : offset + size])
            if sent is not None:
                sock.sendall(frame(Kind.PIECE, PIECE_NUMBER.pack(piece) + sent))


@pytest.mark.parametrize(
    ("manners", "said"),
    [
        (lambda piece, block: block[:-1] + b"x", "piece 0 of liar is not that of the file"),
        (lambda piece, block: block[:9], "piece 0 of liar is not that of the file"),
        (lambda piece, block: None, None),
    ],
    ids=["wrong bytes", "too short", "stalls"],
)
def test_a_holder_that_lies_does_no_harm(
    start: Start,
    directory: Program,
    gated: Gate,
    dial: Dial,
    tmp_path: Path,
    manners: Manners,
    said: str | None,
) -> None:
    asked = threading.Event()

    def noted(piece: int, block: bytes) -> bytes | None:
        asked.set()
        return manners(piece, block)

    gate = gated("seed")
    with holder(directory, dial, noted):
        getting = start("peer", *words(directory, "p", tmp_path / "p"), "--json")
        # A seed that is faster would leave nothing to ask the other one for.
        assert asked.wait(PATIENCE)
        if said is not None:
            getting.wait_for(said)
        gate.opened.set()
        told = report(getting)
    assert told["sha256"] == SHA256
    assert "liar" not in told["received"]


def test_a_holder_with_hashes_of_another_file_is_not_believed(
    start: Start, directory: Program, share: Path, dial: Dial, tmp_path: Path
) -> None:
    run_seed(start, directory, "seed", share)
    false_root = hashlib.sha256(b"false").hexdigest()
    with holder(directory, dial, lambda piece, block: block, false_root):
        told = report(start("peer", *words(directory, "p", tmp_path / "p"), "--json"))
    assert (told["sha256"], list(told["received"])) == (SHA256, ["seed"])


def test_the_directory_may_die_and_so_may_a_seed(
    start: Start, directory: Program, gated: Gate, dial: Dial, tmp_path: Path
) -> None:
    begun = threading.Event()
    gone = threading.Event()

    def slowly(_piece: int, block: bytes) -> bytes:
        begun.set()
        gone.wait(PATIENCE)
        return block

    gates = [gated(nick) for nick in ("one", "two")]
    with holder(directory, dial, slowly):
        getting = start("peer", *words(directory, "p", tmp_path / "p"), "--json")
        assert begun.wait(PATIENCE)
        for gate in gates:
            gate.opened.set()
        directory.stop(signal.SIGKILL)
        gates[0].seed.stop(signal.SIGKILL)
        gone.set()
        assert report(getting)["sha256"] == SHA256


def test_holders_that_know_no_swarms_are_named(
    start: Start, directory: Program, dial: Dial, run: Run, tmp_path: Path
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def old() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    sock.sendall(b"1")
                    sock.recv(100)
                    sock.sendall(b"INVALID REQUEST")

    threading.Thread(target=old, daemon=True).start()
    line = dial(directory.port)
    line.login("old", listener.getsockname()[1])
    line.say(100, f'"film.mp4" {MD5} {len(FILM)} 0 0 0')
    agree = threading.Thread(target=lambda: line.say(608, line.hear()[1]), daemon=True)
    agree.start()
    done = run("peer", *words(directory, "p", tmp_path / "p"))
    listener.close()
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no holder tells what the file consists of: old: " in done.stderr
    assert list((tmp_path / "p").iterdir()) == []


def test_those_who_ask_for_much_and_take_nothing_keep_nobody_waiting(
    start: Start, directory: Program, share: Path, dial: Dial, tmp_path: Path
) -> None:
    seed = run_seed(start, directory, "seed", share)
    stuck = [greeted(seed, dial) for _ in range(2 * MOST_ACTIVE)]
    pieces = range(Manifest(len(FILM), b"").pieces)
    for number, line in enumerate(stuck):
        line.send(Hello(f"stuck{number}", "film.mp4", len(FILM), "-", 0).frame())
        assert line.exactly(1) == bytes([Kind.HELLO])
        line.send(numbers(Kind.ASK, list(pieces)[:MOST_QUEUED]))
    told = report(start("peer", *words(directory, "p", tmp_path / "p"), "--json"))
    assert told["sha256"] == SHA256
    assert seed.stop() == 0


def test_a_slow_peer_holds_the_others_up_for_no_more_than_its_own_pieces(
    start: Start, directory: Program, share: Path, dial: Dial, tmp_path: Path
) -> None:
    run_seed(start, directory, "seed", share)

    def slowly(_piece: int, block: bytes) -> bytes:
        threading.Event().wait(0.7)
        return block

    with holder(directory, dial, slowly):
        told = report(start("peer", *words(directory, "p", tmp_path / "p"), "--json"))
    assert told["sha256"] == SHA256
    assert told["received"]["seed"] > 0.8 * len(FILM)


def greeted(seed: Program, dial: Dial) -> Any:
    line = dial(seed.port)
    assert line.exactly(1) == b"1"
    line.send(b"SWARM")
    return line


@pytest.mark.parametrize(
    "said",
    [
        b"\xff" * 100,
        struct.pack("<BI", 7, 1 << 31),
        frame(Kind.ASK, b"\0\0\0\0"),
        Hello("x", "../secret", 9, "-", 0).frame(),
        Hello("x", "film.mp4", 9, "0" * 64, 0).frame(),
        Hello("x", "film.mp4", len(FILM), "-", 0).frame() + frame(Kind.ASK, b"\xff\xff\xff\xff"),
        Hello("x", "film.mp4", len(FILM), "-", 0).frame() + frame(Kind.PIECE, b""),
    ],
)
def test_a_stranger_harms_only_itself(
    start: Start, directory: Program, share: Path, dial: Dial, run: Run, tmp_path: Path, said: bytes
) -> None:
    (tmp_path / "secret").write_bytes(b"s" * 9)
    seed = run_seed(start, directory, "seed", share)
    line = greeted(seed, dial)
    line.send(said)
    done = run("peer", *words(directory, "p", tmp_path / "p"), "--json")
    assert json.loads(done.stdout)["sha256"] == SHA256
    line.reset()
    assert seed.stop() == 0
