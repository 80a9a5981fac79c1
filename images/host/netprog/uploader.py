"""The serving half of a peer: gives shared files to whoever connects to its data port.

The conversation (napster.txt, "client-client protocol"): the uploader sends `1`; the
downloader sends `GET` and `nick "name" offset`; the uploader answers with the file's size in
digits and, right behind them, the bytes from `offset` on; or with a text of why not.

One thing is ours: when the downloader sends `SHA256` after the last byte, the answer is the
64 hex digits of the whole file's digest. An old downloader never sends it, and an old
uploader has closed by then, so each works with the other.

A downloader that is too slow is dropped (sending.py says when): it would keep one of the
MOST_AT_ONCE places from the others.
"""

import os
import re
import select
import socket
import threading
import time
from dataclasses import dataclass

from command import endpoint, reason, say
from folder import NotShared, open_shared
from messages import MOST_NAME
from sending import Digests, send_file
from sockets import set_timeouts

MOST_AT_ONCE = 64
"""Downloads served at the same time; more wait in the backlog."""

REQUEST_SECONDS = 5.0
MOST_REQUEST = MOST_NAME + 128

REQUEST = re.compile(rb'GET ?([^\s"]{1,64}) "([^"]+)" (\d{1,18})')


class BadRequest(Exception):
    """What came is no download request."""


@dataclass(frozen=True)
class Request:
    """A download request: who asks, for what, from which byte on."""

    nick: str
    name: str
    offset: int


class Uploader:
    """Serves the files of `folder` on a socket that listens, a thread a download."""

    def __init__(self, listener: socket.socket, folder: str) -> None:
        self._listener = listener
        self._folder = folder
        self._digests = Digests()
        self._free = threading.Semaphore(MOST_AT_ONCE)

    def start(self) -> None:
        """Serve until the process ends."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            self._free.acquire()
            try:
                connection, address = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(connection, address), daemon=True
                ).start()
            except (OSError, RuntimeError) as error:
                # Out of descriptors or threads: those in use come free again.
                self._free.release()
                say(f"accept: {error}")
                time.sleep(0.1)

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            with connection:
                done = self._answer(connection)
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            self._free.release()
        say(f"{endpoint(address)} {done}")

    def _answer(self, connection: socket.socket) -> str:
        set_timeouts(connection, REQUEST_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"1")
        try:
            request = receive_request(connection)
            file = open_shared(self._folder, request.name)
        except BadRequest:
            connection.sendall(b"INVALID REQUEST")
            return "INVALID REQUEST"
        except NotShared:
            connection.sendall(b"FILE NOT SHARED")
            return f"FILE NOT SHARED {request.name}"
        with file:
            size = os.fstat(file.fileno()).st_size
            if request.offset > size:
                connection.sendall(b"INVALID REQUEST")
                return f"INVALID REQUEST: offset {request.offset} of {size} bytes"
            digest = self._digests.begin(file)
            more = socket.MSG_MORE if request.offset < size else 0
            connection.sendall(str(size).encode(), more)
            send_file(connection, file, request.offset, size)
            if wants_digest(connection):
                connection.sendall(digest.result().encode())
        return f"GET {request.name} {size - request.offset} bytes for {request.nick}"


def receive_request(connection: socket.socket) -> Request:
    """The request, in however many pieces it comes. Raises BadRequest.

    Nothing marks its end. An offset of 0 is complete as it stands; after any other digit more
    could follow, so it is complete when nothing has followed for 0.1 s.
    """
    deadline = time.monotonic() + REQUEST_SECONDS
    received = b""
    while True:
        match = REQUEST.match(received)
        if match is not None:
            end = match.end() < len(received) or match[3] == b"0"
            if end or not select.select([connection], [], [], 0.1)[0]:
                return Request(os.fsdecode(match[1]), os.fsdecode(match[2]), int(match[3]))
        if len(received) >= MOST_REQUEST or not b"GET".startswith(received[:3]):
            raise BadRequest
        try:
            piece = connection.recv(MOST_REQUEST - len(received))
        except BlockingIOError as error:
            raise BadRequest from error
        if time.monotonic() > deadline or (not piece and match is None):
            raise BadRequest
        # The end of the stream ends the digits, as a space would.
        received += piece or b" "


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
