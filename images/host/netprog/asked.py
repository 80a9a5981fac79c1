"""What a downloader asks of a holder. Nothing marks the end of a request or an offset."""

import os
import re
import select
import socket
import time
from dataclasses import dataclass

from messages import MOST_NAME
from swarm_wire import GREETING

REQUEST_SECONDS = 5.0
MOST_REQUEST = MOST_NAME + 128
PAUSE_SECONDS = 0.1
"""When nothing has followed a digit for so long, it was the last one."""

REQUEST = re.compile(rb'GET ?([^\s"]{1,64}) "([^"]+)" (\d{1,18})')
OFFSET = re.compile(rb"(\d{1,18})")


class Swarmed(Exception):
    """The connection is for a swarm; `begun` are the bytes that came behind the greeting."""

    def __init__(self, begun: bytes) -> None:
        super().__init__()
        self.begun = begun


class BadRequest(Exception):
    """What came is no download request. `silent`: nothing at all came."""

    def __init__(self, *, silent: bool = False) -> None:
        super().__init__()
        self.silent = silent


@dataclass(frozen=True)
class Request:
    """A download request: who asks, for what, from which byte on."""

    nick: str
    name: str
    offset: int


def receive_request(connection: socket.socket) -> Request:
    """The request, in however many pieces it comes. Raises BadRequest, Swarmed."""
    deadline = time.monotonic() + REQUEST_SECONDS
    received = b""
    while True:
        match = REQUEST.match(received)
        if match is not None and _complete(connection, received, match):
            return Request(os.fsdecode(match[1]), os.fsdecode(match[2]), int(match[3]))
        if received.startswith(GREETING):
            raise Swarmed(received[len(GREETING) :])
        begins = any(word.startswith(received[: len(word)]) for word in (b"GET", GREETING))
        if len(received) >= MOST_REQUEST or not begins:
            raise BadRequest
        received += _piece(connection, received, MOST_REQUEST, deadline, match is not None)


def receive_offset(connection: socket.socket) -> int:
    """What a downloader answers to a SEND: the digits of an offset. Raises BadRequest, Swarmed."""
    deadline = time.monotonic() + REQUEST_SECONDS
    received = b""
    while True:
        match = OFFSET.match(received)
        if match is not None and _complete(connection, received, match):
            return int(match[1])
        if received.startswith(GREETING):
            raise Swarmed(received[len(GREETING) :])
        if match is None and not GREETING.startswith(received):
            raise BadRequest
        received += _piece(connection, received, MOST_REQUEST, deadline, match is not None)


def _complete(connection: socket.socket, received: bytes, match: re.Match[bytes]) -> bool:
    """Whether no further digit comes. An offset of 0 is complete as it stands."""
    digits = match[match.re.groups]
    if match.end() < len(received) or digits == b"0":
        return True
    watched = select.poll()
    watched.register(connection, select.POLLIN)
    return not watched.poll(PAUSE_SECONDS * 1000)


def _piece(
    connection: socket.socket, received: bytes, most: int, deadline: float, matched: bool
) -> bytes:
    if len(received) >= most:
        raise BadRequest
    try:
        piece = connection.recv(most - len(received))
    except BlockingIOError as error:
        raise BadRequest(silent=not received) from error
    if time.monotonic() > deadline or (not piece and not matched):
        raise BadRequest(silent=not received and not piece)
    # The end of the stream ends the digits, as a space would.
    return piece or b" "


def wants_digest(connection: socket.socket) -> bool:
    """Whether the downloader asks for the digest before it closes."""
    received = b""
    while len(received) < len(b"SHA256"):
        try:
            piece = connection.recv(len(b"SHA256") - len(received))
        except BlockingIOError:
            return False
        if not piece:
            return False
        received += piece
    return received == b"SHA256"
