"""The directory's event loop: the traffic of all clients, in one process without blocking.

No client can harm the others: it gets some seconds to log in; what it sends is taken in
pieces and worked on for a few milliseconds a turn; while its replies pile up nothing more is
read from it, and when it does not take them for some seconds it is dropped.
"""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from command import reason, say
from conversation import Answer, answer
from dialogue import Dialogue
from directory_readers import Readers
from napster import Decoder, Kind
from sockets import notice_silence

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

TURN_SECONDS = 0.005
"""How long one client's messages may keep the loop busy before the others get their turn; and how
long all those together that did not get done in theirs."""

SWEEP_SECONDS = 0.25
"""How often it is looked whether somebody is late."""

MOST_IN = 128 * 1024
MOST_OUT = 256 * 1024
"""Bytes of replies from which on nothing more is read from a client; at four times as many
(others can cause them too) it is dropped."""

TIDIED_AT_ONCE = 20
"""Files taken out between two looks at the clock."""

MOST_ACCEPTED = 64
"""Connections taken in one turn."""


@dataclass(eq=False, slots=True)
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
    events: int = READ
    """What the selector watches for."""


class Directory:
    """The event loop. `run` returns only by an exception (the one SIGTERM raises)."""

    def __init__(self, listener: socket.socket, most: int, patience: float, login: float) -> None:
        self._most = most
        self._patience = patience
        self._login = login
        self._dialogue = Dialogue(say, time.time() - time.monotonic())
        self._clients: dict[int, Client] = {}
        self._next = 0
        self._unfinished: dict[Client, None] = {}
        self._watched: set[Client] = set()
        """Those who may come to be late: with something to send, or not logged in yet."""
        self._touched: dict[Client, None] = {}
        """Those for whom there is something new to send."""
        self._sweep_at = 0.0
        self._selector = selectors.DefaultSelector()
        self._listener = listener
        self._accepting = False
        self._accept_again()
        self._readers = Readers(self._dialogue.table, listener.getsockname())
        self._selector.register(self._readers.listener, READ, lambda _events: self._readers.serve())

    def run(self) -> None:
        while True:
            for key, events in self._selector.select(self._pause()):
                work: Callable[[int], None] = key.data
                work(events)
            self._go_on()
            self._flush()
            self._tidy()
            now = time.monotonic()
            if now >= self._sweep_at:
                self._sweep(now)

    def _go_on(self) -> None:
        """Work on what is left over, of one client after another, for one turn: however many
        flood the directory, together they take as much time as one of them."""
        end = time.monotonic() + TURN_SECONDS
        for client in list(self._unfinished):
            self._work_on(client)
            if time.monotonic() > end:
                break

    def _tidy(self) -> None:
        """Take out files of users who have left, for one turn."""
        end = time.monotonic() + TURN_SECONDS
        while self._dialogue.table.untidy and time.monotonic() < end:
            self._dialogue.table.tidy(TIDIED_AT_ONCE)

    def _pause(self) -> float | None:
        """How long to wait: not at all with work left over, for ever with nobody to watch."""
        if self._unfinished or self._dialogue.table.untidy:
            return 0
        watched = self._watched or self._dialogue.waiting or not self._accepting
        return min(SWEEP_SECONDS, self._patience, self._login) if watched else None

    def _accept_again(self) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, READ, lambda _events: self._accept())
        self._accepting = True

    def _accept(self) -> None:
        for _ in range(MOST_ACCEPTED):
            try:
                sock, (ip, _port) = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # Out of descriptors: the connections wait in the backlog until some come free.
                say(f"accept: {reason(error)}")
                self._selector.unregister(self._listener)
                self._accepting = False
                return
            try:
                sock.setblocking(False)
                notice_silence(sock)
            except OSError:
                sock.close()
                continue
            client = self._admit(sock, ip)
            if len(self._clients) > self._most:
                self._deliver([answer(client.number, Kind.LOGIN_ERROR, "the directory is full")])
                client.leaving = True

    def _admit(self, sock: socket.socket, ip: str) -> Client:
        now = time.monotonic()
        client = Client(self._next, sock, now, now)
        self._next += 1
        self._clients[client.number] = client
        self._watched.add(client)
        self._dialogue.arrive(client.number, ip)
        self._selector.register(sock, READ, lambda events: self._ready(client, events))
        return client

    def _ready(self, client: Client, events: int) -> None:
        if client.number not in self._clients:
            return
        if events & WRITE:
            self._touched[client] = None
        if not events & READ or client.decoder.pending >= MOST_IN:
            return
        try:
            piece = client.sock.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(client)
            return
        client.decoder.feed(piece)
        if client not in self._unfinished:
            self._work_on(client)

    def _work_on(self, client: Client) -> None:
        """Answer the client's messages until none is left or its turn is over."""
        began = now = time.monotonic()
        self._unfinished.pop(client, None)
        while not client.leaving and len(client.out) < MOST_OUT:
            message = client.decoder.next()
            if message is None:
                break
            self._deliver(self._dialogue.receive(client.number, message, now))
            now = time.monotonic()
            if now - began > TURN_SECONDS:
                self._unfinished[client] = None
                break

    def _deliver(self, answers: list[Answer]) -> None:
        for number, frames in answers:
            client = self._clients[number]
            self._touched[client] = None
            if frames is None:
                client.leaving = True
            else:
                if not client.out:
                    client.moved = time.monotonic()
                client.out += frames

    def _flush(self) -> None:
        """Send what can be sent; what is left goes when the kernel has room again."""
        while self._touched:
            client = next(iter(self._touched))
            del self._touched[client]
            if client.number in self._clients:
                self._send(client)

    def _send(self, client: Client) -> None:
        full = len(client.out) >= MOST_OUT
        try:
            if client.out:
                sent = client.sock.send(client.out)
                del client.out[:sent]
                client.moved = time.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        if client.leaving and not client.out:
            self._drop(client)
            return
        if full and len(client.out) < MOST_OUT:
            # Messages may be waiting that were not read on for want of room.
            self._unfinished[client] = None
        self._watch(client)

    def _watch(self, client: Client) -> None:
        """Tell the selector what the client is ready to do."""
        events = WRITE if client.out else 0
        if not events or (not client.leaving and len(client.out) < MOST_OUT):
            events |= READ
        if client.out:
            self._watched.add(client)
        if client.events != events:
            client.events = events
            self._selector.modify(client.sock, events, self._selector.get_key(client.sock).data)

    def _drop(self, client: Client) -> None:
        """The connection is over; the table forgets its user at once."""
        del self._clients[client.number]
        self._unfinished.pop(client, None)
        self._watched.discard(client)
        self._selector.unregister(client.sock)
        client.sock.close()
        self._deliver(self._dialogue.leave(client.number, time.monotonic()))

    def _sweep(self, now: float) -> None:
        """Drop who does not log in, does not read, or lets too much pile up."""
        self._sweep_at = now + min(SWEEP_SECONDS, self._patience, self._login)
        for client in list(self._watched):
            stalled = client.out and now - client.moved > self._patience
            strange = not self._dialogue.logged_in(client.number)
            late = strange and now - client.arrived > self._login
            if stalled or late or len(client.out) > 4 * MOST_OUT:
                self._drop(client)
            elif not client.out and not strange:
                self._watched.discard(client)
        self._deliver(self._dialogue.tick(now))
        self._flush()
        self._readers.reap()
        if not self._accepting:
            self._accept_again()
