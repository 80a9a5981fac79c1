"""The serving half of a peer: gives shared files to whoever connects to its data port.

The conversation (napster.txt, "client-client protocol"): the uploader sends `1`; the
downloader sends `GET` and `nick "name" offset`; the uploader answers with the file's size in
digits and, right behind them, the bytes from `offset` on; or with a text of why not.

Push, where the uploader cannot be connected to: it connects to the downloader, which sends
`1`; the uploader sends `SEND` and `nick "name" size`; the downloader answers with the offset
in digits; the bytes follow.

One thing is ours: when the downloader sends `SHA256` after the last byte, the answer is the
64 hex digits of the whole file's digest. An old downloader never sends it, and an old
uploader has closed by then, so each works with the other.

A peer that sends `SWARM` instead of `GET`, or of the offset, wants pieces (swarm_wire.py): its
connection goes to the loop of the swarms.

So many as `uploads` says are served at once; more wait, first come, first served (turns.py).
A downloader that is too slow is dropped (sending.py says when).
"""

import io
import os
import socket
import threading
import time
from collections.abc import Callable

from asked import (
    REQUEST_SECONDS,
    BadRequest,
    Request,
    Swarmed,
    receive_offset,
    receive_request,
    wants_digest,
)
from command import endpoint, reason, say
from folder import NotShared, open_shared
from messages import GoAhead
from napster import Kind
from sending import Digests, send_file
from sockets import connect_to, notice_silence, set_timeouts
from turns import Turns

MOST_CONNECTIONS = 128
"""Connections that are served or wait in the queue; more wait in the backlog."""

SO_MAX_PACING_RATE = 47
"""Bytes a second at which the kernel sends, at most. (Python has no names for these two.)"""

TCP_NOTSENT_LOWAT = 25
UNSENT = 128 * 1024
"""Bytes that the kernel of a slow sender takes in advance; otherwise it would be megabytes."""

TakeOver = Callable[[socket.socket, tuple[str, int], bytes], None]
"""Is given a connection that has sent `SWARM`, its address, and the bytes behind that word."""


class Uploader:
    """Serves the files of `folder`, a thread a connection; `told` hears of each upload's
    beginning and end. `rate` (bytes a second, 0: any) bounds each upload by itself."""

    def __init__(
        self,
        folder: str,
        nick: str,
        take_over: TakeOver,
        *,
        uploads: int = 16,
        rate: int = 0,
        told: Callable[[Kind], None] = lambda _kind: None,
    ) -> None:
        self._folder = folder
        self._nick = nick
        self._take_over = take_over
        self._told = told
        self._rate = rate
        self._uploads = uploads
        self._digests = Digests()
        self._turns = Turns(uploads)
        self._free = threading.Semaphore(MOST_CONNECTIONS)

    def start(self, listener: socket.socket) -> None:
        """Serve whoever connects, until the process ends."""
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def push(self, where: GoAhead) -> None:
        """Connect out and bring a file to the one who waits at `where` (501)."""
        if not self._free.acquire(blocking=False):
            say(f"push {where.name} to {where.nick}: too many connections already")
            return
        try:
            threading.Thread(target=self._push, args=(where,), daemon=True).start()
        except RuntimeError as error:
            self._free.release()
            say(f"push {where.name} to {where.nick}: {error}")

    def _accept(self, listener: socket.socket) -> None:
        while True:
            self._free.acquire()
            try:
                connection, address = listener.accept()
            except OSError as error:
                self._refused(error)
                continue
            try:
                serve = threading.Thread(
                    target=self._serve, args=(connection, address), daemon=True
                )
                serve.start()
            except RuntimeError as error:
                connection.close()
                self._refused(error)

    def _refused(self, error: Exception) -> None:
        """Out of descriptors or threads: those in use come free again."""
        self._free.release()
        say(f"accept: {error}")
        time.sleep(0.1)

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            with connection:
                done = self._answer(connection, address)
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            self._free.release()
        if done is not None:
            say(f"{endpoint(address)} {done}")

    def _answer(self, connection: socket.socket, address: tuple[str, int]) -> str | None:
        """Serve one connection; returns what became of it, None for one that only knocked."""
        set_timeouts(connection, REQUEST_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"1")
        try:
            request = receive_request(connection)
            file = open_shared(self._folder, request.name)
        except Swarmed as swarmed:
            self._take_over(connection.dup(), address, swarmed.begun)
            return "SWARM"
        except BadRequest as bad:
            connection.sendall(b"INVALID REQUEST")
            return None if bad.silent else "INVALID REQUEST"
        except NotShared:
            connection.sendall(b"FILE NOT SHARED")
            return f"FILE NOT SHARED {request.name}"
        with file:
            size = os.fstat(file.fileno()).st_size
            if request.offset > size:
                connection.sendall(b"INVALID REQUEST")
                return f"INVALID REQUEST: offset {request.offset} of {size} bytes"
            self._give(connection, file, request, size, str(size))
        return f"GET {request.name} {size - request.offset} bytes for {request.nick}"

    def _push(self, where: GoAhead) -> None:
        try:
            done = self._bring(where)
        except Swarmed:
            done = "SWARM"
        except NotShared:
            done = "FILE NOT SHARED"
        except BadRequest:
            done = "INVALID REQUEST"
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            self._free.release()
        say(f"{endpoint((where.ip, where.port))} SEND {where.name} for {where.nick}: {done}")

    def _bring(self, where: GoAhead) -> str:
        with (
            open_shared(self._folder, where.name) as file,
            connect_to(where.ip, where.port, REQUEST_SECONDS) as connection,
        ):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if connection.recv(1) != b"1":
                raise BadRequest
            size = os.fstat(file.fileno()).st_size
            connection.sendall(b"SEND")
            connection.sendall(os.fsencode(f'{self._nick} "{where.name}" {size}'))
            try:
                offset = receive_offset(connection)
            except Swarmed as swarmed:
                self._take_over(connection.dup(), (where.ip, where.port), swarmed.begun)
                raise
            if offset > size:
                raise BadRequest
            self._give(connection, file, Request(where.nick, where.name, offset), size, "")
        return f"{size - offset} bytes"

    def _give(
        self, connection: socket.socket, file: io.FileIO, request: Request, size: int, before: str
    ) -> None:
        """Send the text `before` and the file from the offset on, when it is this one's turn."""
        notice_silence(connection)
        if self._rate:
            connection.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, self._rate)
            connection.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT)

        def waits(place: int) -> None:
            whom = f"{request.nick} waits for {request.name}"
            say(f"{whom}, place {place}: {self._uploads} uploads at once")

        digest = self._digests.begin(file)
        with self._turns.turn(connection, waits):
            self._told(Kind.UPLOAD_BEGUN)
            try:
                more = socket.MSG_MORE if request.offset < size else 0
                connection.sendall(before.encode(), more)
                send_file(connection, file, request.offset, size)
            finally:
                self._told(Kind.UPLOAD_ENDED)
        if wants_digest(connection):
            connection.sendall(digest.result().encode())
