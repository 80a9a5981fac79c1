"""What a swarm's file consists of: its pieces' hashes, asked of those who have it.

Where holders disagree on what the file is, the root that most of them name is believed.
Whether that was right tells in the end the checksum that the directory knows. A holder that
cannot be called is asked to call.
"""

import queue
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

from command import Failure, endpoint, reason
from manifest import Manifest
from messages import GoAhead
from napster import Malformed
from reception import Reception
from sockets import connect_to, set_timeouts
from swarm_callers import Callers
from swarm_wire import GREETING, Decoder, Frame, Hello, Kind, frame

VOTE_SECONDS = 1.0
"""How long to wait for further words on what the file is, once there is one."""

PATIENCE = 30.0
"""How long a holder may take: it may have to read and hash the file first."""


CALL_SECONDS = 10.0
"""How long a holder may take that was asked to call."""


class Word(NamedTuple):
    """What one holder says: the root of its file, or why there is none."""

    where: GoAhead
    root: str | None
    sock: socket.socket | None
    decoder: Decoder
    why: str = ""
    unreachable: bool = False


def scout(
    holders: list[GoAhead], callers: Callers, nick: str, size: int, wrong: set[str]
) -> tuple[Manifest, str]:
    """The manifest of the file of `size` bytes, and the nick of who told it.

    `wrong` are roots that have been proved wrong. Raises Failure when no holder has the file
    and speaks the swarm's protocol.
    """
    scouting = _Scouting(callers, nick, size)
    try:
        heard = scouting.hear(holders, wrong)
    finally:
        scouting.close()
    try:
        return _believed(heard, size)
    finally:
        for word in heard:
            if word.sock is not None:
                word.sock.close()


class _Scouting:
    """Asks all holders at once, each in a thread."""

    def __init__(self, callers: Callers, nick: str, size: int) -> None:
        self._callers = callers
        self._nick = nick
        self._size = size
        self._words: queue.Queue[Word] = queue.Queue()
        self._reception: Reception | None = None

    def close(self) -> None:
        if self._reception is not None:
            self._reception.close()

    def hear(self, holders: list[GoAhead], wrong: set[str]) -> list[Word]:
        """The words of all, or of those who were fast enough."""
        for where in holders:
            if where.nick in self._callers:
                self._await_call(where)
            else:
                threading.Thread(target=self._call, args=(where,), daemon=True).start()
        heard: list[Word] = []
        until = time.monotonic() + PATIENCE
        while len(heard) < len(holders) and (left := until - time.monotonic()) > 0:
            try:
                word = self._words.get(timeout=left)
            except queue.Empty:
                break
            if word.unreachable and self._callers.add(word.where):
                self._await_call(word.where)
                continue
            if word.root in wrong:
                word = word._replace(root=None, why="its file proved wrong")
            heard.append(word)
            if word.root is not None:
                until = min(until, time.monotonic() + VOTE_SECONDS)
        return heard

    def _await_call(self, where: GoAhead) -> None:
        assert self._callers.door is not None
        if self._reception is None:
            self._reception = Reception(self._callers, self._callers.door)
        arguments = where, self._reception
        threading.Thread(target=self._called, args=arguments, daemon=True).start()
        self._callers.invite()

    def _call(self, where: GoAhead) -> None:
        try:
            sock = connect_to(where.ip, where.port, PATIENCE)
        except OSError as error:
            why = f"it cannot be reached ({reason(error)})"
            if self._callers.door is None:
                why += ", and neither can this peer: neither can connect to the other"
            self._words.put(Word(where, None, None, Decoder(), why, unreachable=True))
            return
        self._converse(where, sock, b"1")

    def _called(self, where: GoAhead, reception: Reception) -> None:
        sock = reception.caller(where.nick, CALL_SECONDS)
        if sock is None:
            why = f"it cannot be reached, and has not called here within {CALL_SECONDS:g} s"
            self._words.put(Word(where, None, None, Decoder(), why))
            return
        set_timeouts(sock, PATIENCE)
        self._converse(where, sock, b"")

    def _converse(self, where: GoAhead, sock: socket.socket, first: bytes) -> None:
        decoder = Decoder()
        try:
            if first and sock.recv(1) != first:
                raise Malformed(f"{endpoint((where.ip, where.port))} is no Napster peer")
            sock.sendall(GREETING + Hello(self._nick, where.name, self._size, "-", 0).frame())
            hello = Hello.parse(_await(sock, Kind.HELLO, decoder).data)
            if hello.root == "-" or hello.size != self._size:
                raise Malformed("it does not have that file")
        except (OSError, Malformed) as error:
            sock.close()
            why = reason(error) if isinstance(error, OSError) else str(error)
            self._words.put(Word(where, None, None, decoder, why))
        else:
            self._words.put(Word(where, hello.root, sock, decoder))


def _believed(heard: list[Word], size: int) -> tuple[Manifest, str]:
    votes = Counter(word.root for word in heard if word.root is not None)
    why = {word.where.nick: word.why for word in heard if word.root is None}
    for root, _ in votes.most_common():
        for word in heard:
            if word.root != root or word.sock is None:
                continue
            try:
                word.sock.sendall(frame(Kind.HASHES))
                hashes = _await(word.sock, Kind.HASHES, word.decoder).data
                return Manifest.parse(size, hashes, root), word.where.nick
            except (OSError, Malformed) as error:
                why[word.where.nick] = reason(error) if isinstance(error, OSError) else str(error)
    told = "; ".join(f"{nick}: {text}" for nick, text in why.items()) or "no answer in time"
    raise Failure(f"no holder tells what the file consists of: {told}")


def _await(sock: socket.socket, kind: Kind, decoder: Decoder) -> Frame:
    """The next frame of that kind; others are passed over. Raises OSError, Malformed."""
    while True:
        message = decoder.next()
        if message is None:
            piece = b""
            with suppress(ConnectionResetError):  # it has not read what it does not know
                piece = sock.recv(1 << 16)
            if not piece:
                raise Malformed("it knows no swarms")
            decoder.feed(piece)
        elif message.kind == kind:
            return message
