"""The fetching half of a peer: one file from one holder, which is called or which calls.

The conversations are written down in uploader.py. A file counts as whole when it has the size
the directory gave, its beginning has the MD5 the directory gave, and the holder, if it is one
that answers `SHA256`, names the digest of the bytes that arrived.
"""

import hashlib
import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from command import Failure, endpoint, reason
from messages import File, GoAhead
from receiving import Arrival
from sending import LEAST_RATE
from sockets import connect_to, set_timeouts

PATIENCE = 15.0
"""Seconds for which a holder may be silent, or slower than LEAST_RATE, before it is dropped."""

PROOF_SECONDS = 15.0
"""How long the holder may take for the digest: it began on it when the download began."""

HEADS = (299_008, 300_000)
"""How much of a file's beginning the old clients put into the MD5."""

Watch = Callable[[int], None]
"""Is told how many bytes there are, again and again."""


class Unreachable(Failure):
    """No connection to the holder's data port."""


class CutShort(Failure):
    """The connection ended, or fell silent, in the middle of the file; the bytes so far may be
    good."""


class WrongBytes(Failure):
    """The file has come, and is not the one that the directory or the holder named."""


@dataclass
class Download:
    """What one download did. `asked` is bytes and seconds of the request up to its answer."""

    local: tuple[str, int]
    remote: tuple[str, int]
    asked: tuple[int, float] = (0, 0.0)
    bytes: int = 0
    seconds: float = 0
    proofs: list[str] = field(default_factory=list)
    """What showed that the file is whole: `size`, then `md5` and `sha256` where possible."""


@dataclass(frozen=True)
class Manner:
    """How one downloads: as whom, with how much patience (seconds), and who watches."""

    nick: str
    patience: float = PATIENCE
    queue: float = PATIENCE
    """How long one waits for the first byte: the holder may serve others first."""
    watch: Watch = lambda _bytes: None


def download(where: GoAhead, file: File, manner: Manner, arrival: Arrival) -> Download:
    """Fetch what `arrival` does not have of `file` yet from the holder at `where`.

    Raises Unreachable, CutShort (call again to go on), WrongBytes, Failure when the holder
    refuses, OSError when it falls silent before the first byte.
    """
    try:
        connection = connect_to(where.ip, where.port, manner.patience)
    except OSError as error:
        raise Unreachable(reason(error)) from error
    with connection:
        # The request goes out in two small sends; Nagle's algorithm would hold the second.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        done = Download(connection.getsockname(), connection.getpeername())
        started = time.monotonic()
        if connection.recv(1) != b"1":
            raise Failure(f"{endpoint(done.remote)} is no Napster peer")
        request = os.fsencode(f'{manner.nick} "{where.name}" {arrival.size}')
        connection.sendall(b"GET")
        connection.sendall(request)
        set_timeouts(connection, manner.queue)
        _receive_size(connection, file.size)
        done.asked = len(b"GET") + len(request), time.monotonic() - started
        _receive(connection, file, manner, arrival, done)
    return done


def take_push(connection: socket.socket, file: File, manner: Manner, arrival: Arrival) -> Download:
    """The same from a holder that has called and has said what it brings. Raises the same."""
    with connection:
        set_timeouts(connection, manner.queue)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        done = Download(connection.getsockname(), connection.getpeername())
        started = time.monotonic()
        offset = str(arrival.size).encode()
        connection.sendall(offset)
        if arrival.size < file.size:
            connection.recv(1, socket.MSG_PEEK)
        done.asked = len(offset), time.monotonic() - started
        _receive(connection, file, manner, arrival, done)
    return done


def _receive(
    connection: socket.socket, file: File, manner: Manner, arrival: Arrival, done: Download
) -> None:
    set_timeouts(connection, manner.patience)
    done.bytes = file.size - arrival.size
    started = time.monotonic()
    _receive_data(connection, file.size, manner, arrival)
    done.seconds = time.monotonic() - started
    done.proofs = _verify(file, arrival, _ask_digest(connection))


def _receive_size(connection: socket.socket, size: int) -> None:
    """Take the digits of the size. Nothing ends them, so they must be the ones expected."""
    expected = str(size).encode()
    received = b""
    while len(received) < len(expected) and expected.startswith(received):
        piece = connection.recv(len(expected) - len(received))
        if not piece:
            break
        received += piece
    if received == expected:
        return
    # A refusal is a text; read on to its end to tell the user.
    while len(received) < 64 and (piece := connection.recv(64)):
        received += piece
    text = received[:64].decode(errors="replace") or "it hangs up"
    if re.match(r"\d", text):
        text = f"it has another size than the {size} bytes the directory knows"
    raise Failure(text)


def _receive_data(connection: socket.socket, size: int, manner: Manner, arrival: Arrival) -> None:
    least = int(LEAST_RATE * manner.patience)
    goal, due = arrival.size + least, time.monotonic() + manner.patience
    while arrival.size < size:
        try:
            count = arrival.take(connection, size - arrival.size)
        except OSError as error:
            why = f"{reason(error)}, after {arrival.size} of {size} bytes"
            raise CutShort(f"cut short: {why}") from error
        if count == 0:
            raise CutShort(f"cut short after {arrival.size} of {size} bytes")
        manner.watch(arrival.size)
        if time.monotonic() >= due:
            if arrival.size < min(goal, size):
                raise CutShort(f"stalls: less than {LEAST_RATE} bytes a second")
            goal, due = arrival.size + least, time.monotonic() + manner.patience


def _ask_digest(connection: socket.socket) -> str | None:
    """The digest the holder names, or None when it is one that does not know the question."""
    received = b""
    try:
        connection.sendall(b"SHA256")
        connection.settimeout(PROOF_SECONDS)
        while len(received) < 64 and (piece := connection.recv(64 - len(received))):
            received += piece
    except OSError:
        return None
    return received.decode() if re.fullmatch(rb"[0-9a-f]{64}", received) else None


def _verify(file: File, arrival: Arrival, digest: str | None) -> list[str]:
    proofs = ["size"]
    right = head_is_right(file.md5, arrival.head)
    if right is False:
        raise WrongBytes(f"wrong bytes: the directory knows MD5 {file.md5}")
    if right:
        proofs.append("md5")
    if digest is not None:
        if digest != arrival.sha256:
            raise WrongBytes(f"wrong bytes: the holder has SHA-256 {digest}, here it is another")
        proofs.append("sha256")
    return proofs


def head_is_right(md5: str, head: bytes | bytearray) -> bool | None:
    """Whether a file that begins with `head` can be the one of which the directory knows that
    checksum; None when it knows none."""
    wanted = md5[:32].lower()
    if not re.fullmatch(r"[0-9a-f]{32}", wanted) or wanted == "0" * 32:
        return None
    heads = [hashlib.md5(head[:most], usedforsecurity=False).hexdigest() for most in HEADS]
    return wanted in heads
