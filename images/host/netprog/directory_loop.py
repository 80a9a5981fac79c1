"""The directory's event loop: the traffic of all clients, in one process without blocking.

No client can harm the others: it gets some seconds to log in; what it sends is taken in
pieces and worked on for a few milliseconds a turn; while its replies pile up nothing more is
read from it, and when it does not take them for some seconds it is dropped.
"""

import json
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from command import Failure, reason, say
from dialogue import Answer, Dialogue
from directory_table import table_object
from napster import Decoder, encode
from sockets import notice_silence

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

TURN_SECONDS = 0.01
"""How long one client's messages may keep the loop busy before the others get their turn."""

MOST_IN = 128 * 1024
MOST_OUT = 256 * 1024
"""Bytes of replies from which on nothing more is read from a client; at four times as many
(others can cause them too) it is dropped."""

MOST_CLIENTS = 900
"""Below the usual 1024 descriptors of a process."""


@dataclass
class Client:
    """One connection and what waits to be worked on or to be sent."""

    number: int
    sock: socket.socket
    arrived: float
    moved: float
    """When bytes last went out, or when the first of those that wait was put there."""
    decoder: Decoder = field(default_factory=Decoder)
    out: bytearray = field(default_factory=bytearray)
    leaving: bool = False
    """To be dropped when everything in `out` is sent."""
    dialogue: bool = True
    """False for a reader of the table, who only takes what is in `out`."""


class Directory:
    """The event loop. `run` returns only by an exception (the one SIGTERM raises)."""

    def __init__(self, listener: socket.socket, patience: float, login: float) -> None:
        self._address: tuple[str, int] = listener.getsockname()
        self._patience = patience
        self._login = login
        self._dialogue = Dialogue(say)
        self._clients: dict[int, Client] = {}
        self._next = 0
        self._unfinished: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._listen(listener, self._accept)
        self._listen(open_control(self._address[1]), self._accept_reader)

    def run(self) -> None:
        while True:
            for key, events in self._selector.select(self._pause()):
                work: Callable[[int], None] = key.data
                work(events)
            for number in list(self._unfinished):
                self._work_on(self._clients[number])
            self._sweep(time.monotonic())

    def _pause(self) -> float | None:
        """How long to wait: not at all with work left over, for ever with nobody to watch."""
        if self._unfinished:
            return 0
        watched = self._dialogue.waiting or any(
            client.out or not client.dialogue or not self._dialogue.logged_in(client.number)
            for client in self._clients.values()
        )
        return min(0.25, self._patience, self._login) if watched else None

    def _listen(self, sock: socket.socket, accept: Callable[[socket.socket], None]) -> None:
        sock.setblocking(False)
        self._selector.register(sock, READ, lambda _events: accept(sock))

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, (ip, _port) = listener.accept()
            if len(self._clients) >= MOST_CLIENTS:
                sock.close()
                return
            notice_silence(sock)
        except OSError as error:
            say(f"accept: {reason(error)}")
            return
        client = self._admit(sock)
        self._dialogue.arrive(client.number, ip)

    def _accept_reader(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            return
        client = self._admit(sock)
        client.dialogue, client.leaving = False, True
        client.out += json.dumps(table_object(self._dialogue.table, self._address)).encode()
        self._watch(client)

    def _admit(self, sock: socket.socket) -> Client:
        sock.setblocking(False)
        now = time.monotonic()
        client = Client(self._next, sock, now, now)
        self._next += 1
        self._clients[client.number] = client
        self._selector.register(sock, READ, lambda events: self._ready(client, events))
        return client

    def _ready(self, client: Client, events: int) -> None:
        try:
            if events & WRITE:
                sent = client.sock.send(client.out)
                del client.out[:sent]
                client.moved = time.monotonic()
            if events & READ and client.decoder.pending < MOST_IN:
                piece = client.sock.recv(16 * 1024)
                if not piece:
                    raise ConnectionResetError
                client.decoder.feed(piece)
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)
            return
        self._work_on(client)

    def _work_on(self, client: Client) -> None:
        """Answer the client's messages until none is left or its turn is over."""
        end = time.monotonic() + TURN_SECONDS
        self._unfinished.discard(client.number)
        while client.dialogue and not client.leaving and len(client.out) < MOST_OUT:
            message = client.decoder.next()
            if message is None:
                break
            now = time.monotonic()
            self._deliver(self._dialogue.receive(client.number, message, now))
            if now > end:
                self._unfinished.add(client.number)
                break
        if client.leaving and not client.out:
            self._drop(client)
        else:
            self._watch(client)

    def _deliver(self, answers: list[Answer]) -> None:
        for number, message in answers:
            client = self._clients[number]
            if message is None:
                client.leaving = True
            else:
                if not client.out:
                    client.moved = time.monotonic()
                client.out += encode(message)
                self._watch(client)

    def _watch(self, client: Client) -> None:
        """Tell the selector what the client is ready to do."""
        events = WRITE if client.out else 0
        if not events or (not client.leaving and len(client.out) < MOST_OUT):
            events |= READ
        key = self._selector.get_key(client.sock)
        if key.events != events:
            self._selector.modify(client.sock, events, key.data)

    def _drop(self, client: Client) -> None:
        """The connection is over; the table forgets its user at once."""
        del self._clients[client.number]
        self._unfinished.discard(client.number)
        self._selector.unregister(client.sock)
        client.sock.close()
        if client.dialogue:
            self._deliver(self._dialogue.leave(client.number))

    def _sweep(self, now: float) -> None:
        """Drop who does not log in, does not read, or lets too much pile up."""
        for client in list(self._clients.values()):
            stalled = client.out and now - client.moved > self._patience
            strange = client.dialogue and not self._dialogue.logged_in(client.number)
            late = strange and now - client.arrived > self._login
            if stalled or late or (client.dialogue and len(client.out) > 4 * MOST_OUT):
                self._drop(client)
        self._deliver(self._dialogue.tick(now))


def control_address(port: int) -> str:
    """The abstract Unix socket on which the directory of `port` shows its table."""
    return f"\0directory:{port}"


def open_control(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(control_address(port))
        sock.listen(8)
    except OSError as error:
        sock.close()
        raise Failure(f"cannot listen for `directory table`: {reason(error)}") from error
    return sock
