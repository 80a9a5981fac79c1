"""A swarm of peers in which nothing lasts: they are killed, frozen, and lied to; the directory too.

All is chosen by a seed. What must hold in each round is in `Churn.fetch`.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Program, Start

FILES = {"picture.png": 90_000, "song.mp3": 1_000_000, "film.mp4": 6_000_000}
PEERS = ("anna", "bert", "carl")
PATIENCE = 90.0
"""Seconds that one download may take: `peer get` has time limits of its own, below that."""

MANNERS = ("wrong bytes", "closes early", "refuses", "garbage", "another size")


@dataclass
class Liar:
    """A holder that says in the directory's words that it has all files, and does not deliver."""

    directory: int
    contents: dict[str, bytes]
    manners: str
    calls: int = 0
    open: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Liar:
        self._listener = socket.create_server(("127.0.0.1", 0))
        line = socket.create_connection(("127.0.0.1", self.directory), 10)
        self.open += [self._listener, line]
        says = [(2, f'liar - {self._listener.getsockname()[1]} "liar" 0')]
        for name, content in self.contents.items():
            md5 = hashlib.md5(content[:300_000]).hexdigest()
            says.append((100, f'"{name}" {md5} {len(content)} 0 0 0'))
        says.append((214, ""))
        line.sendall(b"".join(frame(kind, data) for kind, data in says))
        told = b""
        while told.count(b"\xd6\x00") < 2:  # its files are in the table
            told += line.recv(1000)
        for target in (self._accept, lambda: self._agree(line)):
            threading.Thread(target=target, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _agree(self, line: socket.socket) -> None:
        """Accept whoever wants a file (607, 608)."""
        received = b""
        with contextlib.suppress(OSError):
            while piece := line.recv(1000):
                received += piece
                while len(received) >= 4 and len(received) >= 4 + (length := received[0]):
                    kind, data = received[2:4], received[4 : 4 + length]
                    received = received[4 + length :]
                    if kind == b"\x5f\x02":
                        line.sendall(frame(608, data.decode()))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.calls += 1
                sock.settimeout(5)
                with sock, contextlib.suppress(OSError):
                    self._lie(sock)

    def _lie(self, sock: socket.socket) -> None:
        sock.sendall(b"1")
        request = sock.recv(5)
        if request != b"SWARM":
            request += sock.recv(200)
        content = next((c for n, c in self.contents.items() if n.encode() in request), b"")
        size = str(len(content)).encode()
        told = re.search(rb'" (\d+)$', request)
        offset = int(told[1]) if told else 0
        part = content[offset : offset + len(content) // 3]
        sock.sendall(
            {
                # In what the old checksum covers: of more an old holder gives no proof.
                "wrong bytes": size + content[:1000] + bytes(max(len(content) - 1000, 0)),
                "closes early": size + part,
                "refuses": b"FILE NOT SHARED",
                "garbage": bytes(range(256)) * 40,
                "another size": b"7",
            }[self.manners]
        )


def frame(kind: int, data: str) -> bytes:
    return len(data).to_bytes(2, "little") + kind.to_bytes(2, "little") + data.encode()


@dataclass
class Churn:
    """The directory, the honest peers, and what has become of the downloads."""

    start: Start
    folder: Path
    seed: int
    port: int
    """Of the directory; kept for it while it is away."""
    ended: dict[tuple[str, int], int] = field(default_factory=dict)
    """How many downloads ended with which exit code, by what was done to them."""
    doing: str = ""
    registered: dict[str, int] = field(default_factory=dict)
    """How often each peer must have registered by now."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.contents = {name: self.chance.randbytes(size) for name, size in FILES.items()}
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        for name, content in self.contents.items():
            (self.shared / name).write_bytes(content)
        self.directory = self.start("directory", "--host", "127.0.0.1", "--port", self.port)
        self.directory.wait_for("listening on", patience=PATIENCE)
        self.peers = {nick: self._peer(nick) for nick in PEERS}

    def _peer(self, nick: str) -> Program:
        self.registered[nick] = 1
        where = ("--directory", f"127.0.0.1:{self.port}", "--share", self.shared)
        return self.start("peer", "run", nick, *where, "--port", 0)

    def all_there(self) -> None:
        """Start again whoever was killed, and wait until everybody is registered."""
        if self.directory.process.poll() is not None:
            self.directory = self.start("directory", "--host", "127.0.0.1", "--port", self.port)
            self.registered = {nick: count + 1 for nick, count in self.registered.items()}
        for nick, peer in self.peers.items():
            if peer.process.poll() is not None:
                self.peers[nick] = self._peer(nick)
        for nick in PEERS:
            times = self.registered[nick]
            self.peers[nick].wait_for(f"^registered as {nick}", times, PATIENCE)

    def round(self, number: int) -> None:
        """One download, of some file in some way, and what is done meanwhile."""
        self.all_there()
        name = self.chance.choice(list(FILES))
        swarm = self.chance.random() < 0.5
        what = self.chance.choice(list(DEEDS))
        out = self.folder / f"out{number}"
        out.mkdir()
        words = ["--swarm"] if swarm else []
        at = f"127.0.0.1:{self.port}"

        def begin() -> Program:
            return self.start(
                *("peer", "get", name, "--directory", at, "--out", out),
                *("--nick", f"x{number}", *words),
            )

        self.doing = f"round {number}, {what}, {name}, swarm {swarm}"
        fetched = DEEDS[what](self, begin)
        code = self.watch(fetched, out, name)
        key = (what, code)
        self.ended[key] = self.ended.get(key, 0) + 1
        context = f"{self.doing}: {fetched.lines}"
        left = {path.name for path in out.iterdir()}
        if code == 0:
            assert left == {name}, context
        else:
            assert (code, left) == (1, set()), context
            assert fetched.lines[-1].startswith("peer.py: "), context
        assert code == 0 or what not in ALWAYS_ENDS_WELL, context

    def watch(self, fetched: Program, out: Path, name: str) -> int:
        """Wait for the end of a download; under its name there is nothing, or the whole file."""
        deadline = time.monotonic() + PATIENCE
        right = False
        while (code := fetched.process.poll()) is None or not right:
            if not right and (out / name).exists():
                same = (out / name).read_bytes() == self.contents[name]
                fetched.process.wait(PATIENCE)
                assert same, f"a false file, {self.doing}: {fetched.lines}"
                right = True
            if code is not None:
                break
            assert time.monotonic() < deadline, f"it does not end: {fetched.lines}"
            time.sleep(0.005)
        fetched.stop_reading()
        assert right == (code == 0)
        return code if code is not None else fetched.process.wait()

    def gone(self, nick: str) -> int:
        """How often the directory has said that a peer has left."""
        return sum(line == f"{nick} left" for line in self.directory.lines)

    def soon(self) -> None:
        """Let a moment pass: some of a download's moments, chosen by the seed."""
        time.sleep(self.chance.uniform(0, 0.4))


def undisturbed(_churn: Churn, begin: Callable[[], Program]) -> Program:
    return begin()


def peer_killed(churn: Churn, begin: Callable[[], Program]) -> Program:
    fetched = begin()
    churn.soon()
    churn.peers[churn.chance.choice(PEERS)].stop(signal.SIGKILL)
    return fetched


def peer_frozen_then_killed(churn: Churn, begin: Callable[[], Program]) -> Program:
    """A host that accepts and says nothing, then its connections are cut."""
    victim = churn.peers[churn.chance.choice(PEERS)]
    victim.process.send_signal(signal.SIGSTOP)
    fetched = begin()
    churn.soon()
    victim.stop(signal.SIGKILL)
    return fetched


def all_peers_killed(churn: Churn, begin: Callable[[], Program]) -> Program:
    fetched = begin()
    churn.soon()
    for peer in churn.peers.values():
        peer.stop(signal.SIGKILL)
    return fetched


def directory_killed(churn: Churn, begin: Callable[[], Program]) -> Program:
    fetched = begin()
    churn.soon()
    churn.directory.stop(signal.SIGKILL)
    return fetched


def directory_restarted(churn: Churn, begin: Callable[[], Program]) -> Program:
    fetched = begin()
    churn.soon()
    churn.directory.stop()
    churn.all_there()
    return fetched


def lied_to(churn: Churn, begin: Callable[[], Program]) -> Program:
    manners = churn.chance.choice(MANNERS)
    churn.doing += f", {manners}"
    with Liar(churn.port, churn.contents, manners):
        fetched = begin()
        fetched.process.wait(PATIENCE)
    return fetched


def only_lied_to(churn: Churn, begin: Callable[[], Program]) -> Program:
    """Nobody honest is left."""
    before = {nick: churn.gone(nick) for nick in PEERS}
    for peer in churn.peers.values():
        peer.stop()
    for nick in PEERS:
        churn.directory.wait_for(f"^{nick} left", before[nick] + 1, PATIENCE)
    return lied_to(churn, begin)


DEEDS: dict[str, Callable[[Churn, Callable[[], Program]], Program]] = {
    function.__name__: function
    for function in (
        *(undisturbed, peer_killed, peer_frozen_then_killed, all_peers_killed),
        *(directory_killed, directory_restarted, lied_to, only_lied_to),
    )
}
ALWAYS_ENDS_WELL = {"undisturbed", "peer_killed", "peer_frozen_then_killed", "lied_to"}
"""There the directory is up and at least two honest peers have the file all the time."""
