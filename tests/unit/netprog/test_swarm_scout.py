"""What a swarm's file consists of, where those who are asked lie, dribble or fall silent."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import swarm_scout
import swarm_words
from command import Failure
from manifest import Manifest
from messages import GoAhead
from swarm_callers import Callers
from swarm_scout import scout
from swarm_wire import GREETING, Hello, Kind, frame

MANIFEST = Manifest(1, hashlib.sha256(b"x").digest())
QUESTION = frame(Kind.HASHES)
Manners = Callable[[socket.socket], None]
"""What a holder does once it has been greeted."""


@contextlib.contextmanager
def holder(nick: str, manners: Manners) -> Iterator[GoAhead]:
    """One that serves a single caller."""

    def serve() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as sock:
            sock.sendall(b"1")
            assert sock.recv(1 << 10).startswith(GREETING)
            manners(sock)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield GoAhead(nick, "127.0.0.1", listener.getsockname()[1], "film", "-", 0)
    serving.join(10)


def say_hello(sock: socket.socket, root: str = MANIFEST.root) -> None:
    sock.sendall(Hello("-", "film", 1, root, 0).frame())


def scouted(*holders: GoAhead) -> str:
    """The nick of the one who is believed."""
    callers = Callers(None, None, 1)  # type: ignore[arg-type]
    manifest, nick = scout(list(holders), callers, "me", 1, set())
    assert manifest.root == MANIFEST.root
    return nick


def test_one_who_has_spoken_while_a_silent_one_was_waited_for_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (swarm_scout, swarm_words):
        monkeypatch.setattr(module, "PATIENCE", 2.0)
    monkeypatch.setattr(swarm_scout, "VOTE_SECONDS", 0.05)
    asked = threading.Event()

    def silent(sock: socket.socket) -> None:
        say_hello(sock, hashlib.sha256(b"false").hexdigest())
        assert sock.recv(len(QUESTION)) == QUESTION
        asked.set()
        sock.recv(1)

    def slow(sock: socket.socket) -> None:
        asked.wait(10)
        say_hello(sock)
        assert sock.recv(len(QUESTION)) == QUESTION
        sock.sendall(frame(Kind.HASHES, MANIFEST.hashes))
        sock.recv(1)

    with holder("silent", silent) as fast, holder("slow", slow) as late:
        assert scouted(fast, late) == "slow"


def test_one_who_says_all_but_what_it_is_asked_for_is_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(swarm_words, "MOST_SECONDS", 0.2)
    over = threading.Event()

    def dribble(sock: socket.socket) -> None:
        say_hello(sock)
        for _ in range(500):
            sock.sendall(frame(Kind.HAVE))
            if over.wait(0.01):
                return

    with holder("dribbler", dribble) as where:
        with pytest.raises(Failure, match="dribbler: it says much, but not what it was asked for"):
            scouted(where)
        over.set()
