"""The event loop of a peer's swarms: all connections of all files, in one thread."""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from command import endpoint, reason, say
from exchange import Exchange, Lied
from napster import Malformed
from swarm_line import MOST_READ, Line
from swarm_wire import GREETING, Frame, Hello

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

TICK_SECONDS = 0.05
"""How often is done what depends on the time alone."""

JOIN_SECONDS = 30.0
"""How long a connection may last that has to do with no file."""

STUCK_SECONDS = 30.0
"""How long somebody may take nothing of what is sent to it."""

MOST_LINES = 200
MOST_OUT = 4 << 20
"""Bytes that may wait for a peer that does not take them; with more it is hung up on."""

Address = tuple[str, int]


class Desk(Protocol):
    """Receives those who have not joined an exchange yet."""

    def take(self, line: Line, message: Frame) -> Exchange | None:
        """One frame; returns the exchange that the peer joins with it. Raises Malformed, which
        ends the connection, and OSError."""


class Loop:
    """Runs in the thread that calls `turn` again and again; other threads use `later`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._selector = selectors.DefaultSelector()
        self._lines: dict[Line, Exchange | None] = {}
        self._banned: set[Address] = set()
        self._buffer = memoryview(bytearray(MOST_READ))
        self._todo: deque[Callable[[], None]] = deque()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._lock = threading.Lock()
        self._selector.register(self._woken, READ, self._wake_up)
        self._tick_at = 0.0
        self._port = 0

    def later(self, work: Callable[[], None]) -> None:
        """Have the loop's thread do this; may be called from any thread."""
        with self._lock:
            self._todo.append(work)
        with contextlib.suppress(BlockingIOError):
            self._wake.send(b"x")

    def call(self, address: Address, hello: Hello) -> None:
        """Connect to a peer, unless it lied before or is connected already."""
        here = {line.identity for line in self._lines} | self._banned
        if address in here or len(self._lines) >= MOST_LINES:
            return
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:  # no descriptor is left; in a while there may be
            say(f"{endpoint(address)}: {reason(error)}")
            return
        line = Line(sock, address, called=True, expects={b"1": b""})
        line.put(GREETING + hello.frame())
        try:
            sock.connect(address)
        except BlockingIOError:
            pass
        except OSError as error:
            sock.close()
            say(f"{endpoint(address)}: {reason(error)}")
            return
        self._add(line)

    def admit(self, sock: socket.socket, address: Address, begun: bytes) -> None:
        """Take over a connection whose peer has sent GREETING, and `begun` behind it."""
        line = Line(sock, address, called=False, expects={})
        line.decoder.feed(begun)
        self._add(line)
        self._ready(line, READ)

    def listen(self, listener: socket.socket, callers: Mapping[bytes, bytes]) -> None:
        """Accept connections for swarms, and those who say one of the words of `callers`: they
        are answered as it is there."""
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        expects = {GREETING: b"", **callers}
        self._selector.register(listener, READ, lambda _events: self._accept(listener, expects))

    def _accept(self, listener: socket.socket, expects: Mapping[bytes, bytes]) -> None:
        try:
            sock, address = listener.accept()
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                say(f"accept: {reason(error)}")
                time.sleep(TICK_SECONDS)
            return
        line = Line(sock, address, called=False, expects=expects)
        line.put(b"1")
        self._add(line)

    def _add(self, line: Line) -> None:
        if len(self._lines) >= MOST_LINES:
            line.sock.close()
            return
        line.since = time.monotonic()
        line.events = READ | WRITE
        self._lines[line] = None
        self._selector.register(line.sock, line.events, lambda events: self._ready(line, events))

    def turn(self, most: float | None = None) -> None:
        """Wait for something to do and do it. With nobody connected the wait is `most` seconds
        (None: for ever), otherwise at most a tick."""
        pause = max(self._tick_at - time.monotonic(), 0) if self._lines else most
        for key, events in self._selector.select(pause):
            work: Callable[[int], None] = key.data
            work(events)
        now = time.monotonic()
        exchanges = {exchange for exchange in self._lines.values() if exchange is not None}
        if now >= self._tick_at:
            self._tick_at = now + TICK_SECONDS
            self._tick(exchanges, now)
        for exchange in exchanges:
            exchange.ask(now)
            self._give(exchange, now)
        for line in list(self._lines):
            self._watch(line)

    def _wake_up(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while True:
            with self._lock:
                if not self._todo:
                    return
                work = self._todo.popleft()
            work()

    def _ready(self, line: Line, events: int) -> None:
        if line not in self._lines:
            return
        try:
            if events & WRITE:
                line.push()
            if events & READ:
                line.pull(self._buffer)
                while line in self._lines and (message := line.decoder.next()) is not None:
                    self._take(line, message)
                if line in self._lines:
                    line.rest()
        except Lied as lie:
            say(f"{endpoint(line.remote)}: {lie}")
            line.lied = True
            if line.identity:
                self._banned.add(line.identity)
            self.drop(line)
        except Malformed as error:
            say(f"{endpoint(line.remote)}: {error}")
            self.drop(line)
        except OSError:
            self.drop(line)

    def _take(self, line: Line, message: Frame) -> None:
        exchange = self._lines[line]
        if exchange is not None:
            exchange.take(line, message)
            return
        joined = self._desk.take(line, message)
        if joined is not None:
            self.join(line, joined)

    def join(self, line: Line, exchange: Exchange) -> None:
        """The peer takes part in the exchange from now on."""
        if line not in self._lines or self._twice(line, exchange):
            self.drop(line)
        else:
            self._lines[line] = exchange
            exchange.join(line)

    def _twice(self, line: Line, exchange: Exchange) -> bool:
        """Whether the same peer is connected already. Where both have called each other, the
        call of the one with the lower address stays: so both sides keep the same one."""
        for other in list(exchange.lines):
            if line.identity is None or other.identity != line.identity:
                continue
            mine = line.sock.getsockname()[0], self._port
            if line.called == other.called or line.called != (mine < line.identity):
                return True
            self.drop(other)
        return False

    def drop(self, line: Line) -> None:
        """Hang up."""
        if line not in self._lines:
            return
        exchange = self._lines.pop(line)
        self._selector.unregister(line.sock)
        line.sock.close()
        if exchange is not None:
            exchange.leave(line)

    def close(self) -> None:
        """Hang up on everybody."""
        for line in list(self._lines):
            self.drop(line)
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def _tick(self, exchanges: set[Exchange], now: float) -> None:
        for exchange in exchanges:
            exchange.tell(now)
            for line in exchange.silent(now):
                say(f"{endpoint(line.remote)}: has fallen silent")
                self.drop(line)
        for line, joined in list(self._lines.items()):
            strange = joined is None and now - line.since > JOIN_SECONDS
            stuck = line.waiting and now - line.moved > STUCK_SECONDS
            if strange or stuck or line.waiting > MOST_OUT:
                self.drop(line)

    def _give(self, exchange: Exchange, now: float) -> None:
        try:
            exchange.give(now)
        except OSError as error:
            say(f"no longer given away: {reason(error)}")
            for line in list(exchange.lines):
                self.drop(line)

    def _watch(self, line: Line) -> None:
        """Send what has just been put; be told when the kernel takes what is left."""
        if line.waiting and not line.events & WRITE:
            try:
                line.push()
            except OSError:
                self.drop(line)
                return
        events = READ | (WRITE if line.waiting else 0)
        if line.events != events:
            line.events = events
            self._selector.modify(line.sock, events, self._selector.get_key(line.sock).data)
