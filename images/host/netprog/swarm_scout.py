"""What a swarm's file consists of: its pieces' hashes, asked of those who have it.

Where holders disagree on what the file is, the root that most of them name is believed.
Whether that was right tells in the end the checksum that the directory knows.
"""

import queue
import socket
import threading
import time
from collections import Counter
from typing import NamedTuple

from command import Failure, endpoint, reason
from manifest import Manifest
from messages import GoAhead
from napster import Malformed
from sockets import connect_to
from swarm_wire import GREETING, Decoder, Frame, Hello, Kind, frame

VOTE_SECONDS = 1.0
"""How long to wait for further words on what the file is, once there is one."""

PATIENCE = 30.0
"""How long a holder may take: it may have to read and hash the file first."""


class Word(NamedTuple):
    """What one holder says: the root of its file, or why there is none."""

    where: GoAhead
    root: str | None
    sock: socket.socket | None
    decoder: Decoder
    why: str = ""


def scout(holders: list[GoAhead], nick: str, size: int, wrong: set[str]) -> tuple[Manifest, str]:
    """The manifest of the file of `size` bytes, and the nick of who told it.

    `wrong` are roots that have been proved wrong. Raises Failure when no holder has the file
    and speaks the swarm's protocol.
    """
    words: queue.Queue[Word] = queue.Queue()
    for where in holders:
        threading.Thread(target=_ask, args=(where, nick, size, words), daemon=True).start()
    heard: list[Word] = []
    until = time.monotonic() + PATIENCE
    while len(heard) < len(holders) and (left := until - time.monotonic()) > 0:
        try:
            word = words.get(timeout=left)
        except queue.Empty:
            break
        if word.root in wrong:
            word = word._replace(root=None, why="its file proved wrong")
        heard.append(word)
        if word.root is not None:
            until = min(until, time.monotonic() + VOTE_SECONDS)
    try:
        return _believed(heard, size)
    finally:
        for word in heard:
            if word.sock is not None:
                word.sock.close()


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


def _ask(where: GoAhead, nick: str, size: int, words: "queue.Queue[Word]") -> None:
    sock, decoder = None, Decoder()
    try:
        sock = connect_to(where.ip, where.port, PATIENCE)
        if sock.recv(1) != b"1":
            raise Malformed(f"{endpoint((where.ip, where.port))} is no Napster peer")
        sock.sendall(GREETING + Hello(nick, where.name, size, "-", 0).frame())
        hello = Hello.parse(_await(sock, Kind.HELLO, decoder).data)
        if hello.root == "-" or hello.size != size:
            raise Malformed("it does not have that file")
    except (OSError, Malformed) as error:
        if sock is not None:
            sock.close()
        why = reason(error) if isinstance(error, OSError) else str(error)
        words.put(Word(where, None, None, decoder, why))
    else:
        words.put(Word(where, hello.root, sock, decoder))


def _await(sock: socket.socket, kind: Kind, decoder: Decoder) -> Frame:
    """The next frame of that kind; others are passed over. Raises OSError, Malformed."""
    while True:
        message = decoder.next()
        if message is None:
            piece = sock.recv(1 << 16)
            if not piece:
                raise Malformed("it knows no swarms")
            decoder.feed(piece)
        elif message.kind == kind:
            return message
