"""A connection to another peer of a swarm: bytes in and out, without blocking."""

import contextlib
import socket
import time
from collections.abc import Mapping

from swarm_wire import Decoder, Hello

UNSENT = 64 * 1024
"""Bytes that the kernel takes before the network does: few, so that what is decided next goes
out next, and several connections do not fill the uplink's queue (tcp(7), TCP_NOTSENT_LOWAT);
but enough for the time that this process may have to wait for a processor."""

TCP_NOTSENT_LOWAT = 25

CONGESTION = b"reno"
"""Many short bursts on one uplink: with bbr, each connection would have to measure the uplink
anew among the others, and send by a timer. Reno every user may choose (tcp(7))."""

MOST_READ = 256 * 1024

LONG = 8 * 1024
"""Of a frame that lacks so many bytes, we are not woken before they are here."""


class Line:
    """One connection. `remote` is who is there; `called` tells that this side has called, or
    has said HELLO as if it had.

    `expects` is what the other side may send before its first frame, and what is answered to
    each; with an answer that is not empty, it is this side that says HELLO first.
    """

    def __init__(
        self,
        sock: socket.socket,
        remote: tuple[str, int],
        *,
        called: bool,
        expects: Mapping[bytes, bytes],
    ) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION)
        self.sock = sock
        self.remote = remote
        self.called = called
        self.hello: Hello | None = None
        self.lied = False
        self.since = 0.0
        """When it was made, by time.monotonic()."""
        self.moved = 0.0
        """When the other side last took something, or there was nothing to take, likewise."""
        self.events = 0
        """What is watched for."""
        self.decoder = Decoder()
        self._expects = expects
        self._begun = b""
        self._out = bytearray()
        self._low_water = 1

    @property
    def identity(self) -> tuple[str, int] | None:
        """The address at which the other side takes calls, None when it takes none."""
        if self.hello is None:
            return self.remote if self.called else None
        return (self.remote[0], self.hello.port) if self.hello.port else None

    @property
    def waiting(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return len(self._out)

    def put(self, data: bytes) -> None:
        """Send this when the kernel takes it."""
        if not self._out:
            self.moved = time.monotonic()
        self._out += data

    def push(self) -> int:
        """Give the kernel what it takes; returns how many bytes. Raises OSError."""
        try:
            count = self.sock.send(self._out)
        except BlockingIOError:
            return 0
        del self._out[:count]
        self.moved = time.monotonic()
        return count

    def pull(self, buffer: memoryview) -> None:
        """Take what has come into the decoder.

        Raises OSError; that the other side has closed, or is none of a swarm, as
        ConnectionResetError.
        """
        try:
            count = self.sock.recv_into(buffer)
        except BlockingIOError:
            return
        if count == 0:
            raise ConnectionResetError("closed by the other peer")
        if self._expects:
            self._begin(bytes(buffer[:count]))
        else:
            self.decoder.feed(buffer[:count])

    def _begin(self, data: bytes) -> None:
        self._begun += data
        for word, answer in self._expects.items():
            if self._begun.startswith(word):
                self._expects = {}
                self.decoder.feed(self._begun[len(word) :])
                if answer:
                    self.called = True
                    self.put(answer)
                return
        if not any(word.startswith(self._begun) for word in self._expects):
            raise ConnectionResetError("no peer of a swarm")

    def rest(self) -> None:
        """Nothing more can be decoded: be woken when the frame that has begun is whole (socket(7),
        SO_RCVLOWAT), or a quarter of the buffer is full.

        With more, the kernel would offer the other side no larger window than that, ever
        (tcp_set_rcvlowat), and on a long way a piece would take a round trip.
        """
        missing = self.decoder.missing
        low_water = 1
        if missing >= LONG:
            room = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            low_water = min(missing, MOST_READ, room // 4)
        if low_water != self._low_water:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, low_water)
            self._low_water = low_water
