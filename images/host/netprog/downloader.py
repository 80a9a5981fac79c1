"""The fetching half of a peer: one file from one holder's data port.

The conversation is written down in uploader.py. A file counts as whole when it has the size
the directory gave, its beginning has the MD5 the directory gave, and the holder, if it is one
that answers `SHA256`, names the digest of the bytes that arrived.
"""

import hashlib
import os
import re
import socket
import time
from dataclasses import dataclass, field

from command import Failure, endpoint
from messages import File, GoAhead
from receiving import BUFFER, Arrival
from sockets import connect_to

STALL_SECONDS = 30.0
PROOF_SECONDS = 15.0
"""How long the holder may take for the digest: it began on it when the download began."""

HEADS = (299_008, 300_000)
"""How much of a file's beginning the old clients put into the MD5."""


class CutShort(Failure):
    """The connection ended in the middle of the file; the bytes so far are good."""


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


def download(where: GoAhead, file: File, nick: str, arrival: Arrival) -> Download:
    """Fetch what `arrival` does not have of `file` yet from the holder at `where`.

    Raises CutShort (call again to go on), Failure when the holder refuses or what came is not
    the file, OSError when the holder cannot be reached or falls silent.
    """
    connection = connect_to(where.ip, where.port, STALL_SECONDS)
    with connection:
        # The request goes out in two small sends; Nagle's algorithm would hold the second.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        done = Download(connection.getsockname(), connection.getpeername())
        started = time.monotonic()
        if connection.recv(1) != b"1":
            raise Failure(f"{endpoint(done.remote)} is no Napster peer")
        request = os.fsencode(f'{nick} "{where.name}" {arrival.size}')
        connection.sendall(b"GET")
        connection.sendall(request)
        _receive_size(connection, file.size)
        done.asked = len(b"GET") + len(request), time.monotonic() - started
        done.bytes = file.size - arrival.size
        started = time.monotonic()
        _receive_data(connection, file.size, arrival)
        done.seconds = time.monotonic() - started
        digest = _ask_digest(connection)
    done.proofs = _verify(file, arrival, digest)
    return done


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


def _receive_data(connection: socket.socket, size: int, arrival: Arrival) -> None:
    buffer = memoryview(bytearray(BUFFER))
    while arrival.size < size:
        try:
            count = connection.recv_into(buffer[: size - arrival.size])
        except OSError as error:
            raise CutShort(f"cut short after {arrival.size} of {size} bytes") from error
        if count == 0:
            raise CutShort(f"cut short after {arrival.size} of {size} bytes")
        arrival.write(buffer[:count])


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
    md5 = file.md5[:32].lower()
    if re.fullmatch(r"[0-9a-f]{32}", md5) and md5 != "0" * 32:
        heads = [hashlib.md5(arrival.head[:most], usedforsecurity=False) for most in HEADS]
        if md5 not in [head.hexdigest() for head in heads]:
            raise Failure(f"wrong bytes: the directory knows MD5 {md5}")
        proofs.append("md5")
    if digest is not None:
        if digest != arrival.sha256:
            raise Failure(f"wrong bytes: the holder has SHA-256 {digest}, here it is another")
        proofs.append("sha256")
    return proofs
