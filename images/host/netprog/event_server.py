#!/usr/bin/python3 -S
"""A concurrent server with an event loop: one process and one thread for all clients.

No call may wait for one client, as all others would wait too. So the sockets are non-blocking,
and the one call that waits is epoll_wait, for all of them at once: it tells which can be read or
written now. What recv has brought and send does not take is kept until it does; meanwhile that
client is not read from.
"""

import time
from _socket import socket
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from options import Options, read_options
from saying import endpoint, reason, say
from serving import PAUSE, PIECE, Address, adopt, listen_on, run

LOOK = 1.0
"""Seconds between two looks for clients that have been silent for too long."""


class Client:
    """A connection, the bytes that still have to go back on it, and when it last did something."""

    def __init__(self, connection: socket, address: Address) -> None:
        self.connection = connection
        self.address = address
        self.rest = b""
        self.active = time.monotonic()


class Server:
    """The event loop."""

    def __init__(self, options: Options) -> None:
        self.timeout = options.timeout
        self.clients: set[Client] = set()
        self.selector = DefaultSelector()
        self.listener = listen_on(options)  # socket, bind, listen
        self.listener.setblocking(False)
        self.selector.register(self.listener, EVENT_READ, None)
        self.paused = False
        self.said = ""
        self.next_look = time.monotonic()

    def loop(self) -> None:
        """Wait until something can be done, do it, and wait again."""
        while True:
            patience = PAUSE if self.paused else LOOK if self.clients else None
            for key, events in self.selector.select(patience):
                if key.data is None:
                    self.accept()
                else:
                    self.go_on(key.data, events)
            if time.monotonic() >= self.next_look:
                self.look_after()

    def accept(self) -> None:
        """Take in a client. Without a descriptor for it, new ones wait in the backlog."""
        try:
            number, address = self.listener._accept()  # type: ignore[attr-defined]
        except BlockingIOError:
            return
        except OSError as error:
            if error.strerror != self.said:
                self.said = error.strerror or ""
                say(f"accept: {self.said}: new clients have to wait")
            self.selector.unregister(self.listener)
            self.paused = True
            self.next_look = time.monotonic() + PAUSE
            return
        if self.said:
            say("accept: new clients are served again")
            self.said = ""
        client = Client(adopt(number), address)
        client.connection.setblocking(False)
        self.clients.add(client)
        self.selector.register(client.connection, EVENT_READ, client)

    def go_on(self, client: Client, events: int) -> None:
        """Do for a client what can be done without waiting."""
        client.active = time.monotonic()
        try:
            if events & EVENT_READ:
                client.rest = client.connection.recv(PIECE)
                if not client.rest:
                    self.drop(client)
                    return
            client.rest = client.rest[client.connection.send(client.rest) :]
            wanted = EVENT_WRITE if client.rest else EVENT_READ
        except BlockingIOError:
            wanted = EVENT_WRITE
        except OSError as error:
            self.drop(client, reason(error))
            return
        if wanted != events:
            self.selector.modify(client.connection, wanted, client)

    def drop(self, client: Client, why: str = "") -> None:
        """Close a connection; say so where the client was lost."""
        if why:
            say(f"{endpoint(client.address)} lost: {why}")
        self.clients.discard(client)
        self.selector.unregister(client.connection)
        client.connection.close()

    def look_after(self) -> None:
        """Drop clients that have been silent for too long, and try to accept again."""
        now = time.monotonic()
        for client in [one for one in self.clients if now - one.active >= self.timeout]:
            self.drop(client, "no answer in time")
        if self.paused:
            self.selector.register(self.listener, EVENT_READ, None)
            self.paused = False
        self.next_look = now + LOOK


def main() -> None:
    Server(read_options(__doc__)).loop()


if __name__ == "__main__":
    run(main)
