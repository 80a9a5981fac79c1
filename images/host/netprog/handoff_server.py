#!/usr/bin/python3 -S
"""A concurrent server as in figure 6-29, but with subordinates that are forked beforehand.

The main process M accepts, and hands each connection to a subordinate that has nothing to do:
the descriptor goes over a Unix socket as SCM_RIGHTS (unix(7)), and the kernel enters the
connection into the subordinate's descriptor table. Then M closes its own descriptor and is back
at accept. When the subordinate is done it says so with a byte, and waits for the next client.

Where none is free M forks another: there is one for each live connection, and some spare.
"""

import os
from select import POLLIN, poll
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair

from forking import end_with_main, let_kernel_reap
from options import read_options
from saying import endpoint, say
from serving import Address, Connection, accept, adopt, echo, listen_on, run


class Pool:
    """The subordinates: M's end of the socket pair to each, of those free and of those busy."""

    def __init__(self, listener: Connection) -> None:
        self.listener = listener
        self.free: list[socket] = []
        self.busy: dict[int, socket] = {}
        self.said = poll()

    def fork(self, *accepted: Connection) -> None:
        """Add a subordinate. Raises OSError when the system has no room for it.

        It closes all that it inherits: else a connection would outlast its subordinate's close.
        """
        here, there = socketpair(AF_UNIX, SOCK_SEQPACKET)
        main_process = os.getpid()
        try:
            forked = os.fork()
        except OSError:
            here.close()
            there.close()
            raise
        if forked == 0:
            try:
                end_with_main(main_process)
                for other in (self.listener, *accepted, here, *self.free, *self.busy.values()):
                    other.close()
                serve(there)
            finally:
                os._exit(0)
        there.close()
        self.free.append(here)

    def collect(self) -> None:
        """Find those that have become free, or have ended, since the last time."""
        for number, _ in self.said.poll(0):
            way = self.busy.pop(number)
            self.said.unregister(number)
            if is_done(way):
                self.free.append(way)
            else:
                way.close()

    def hand_over(self, connection: Connection, client: Address) -> None:
        """Give a connection to a subordinate. Raises OSError when there is none to be had."""
        while True:
            if not self.free:
                self.collect()
            if not self.free:
                self.fork(connection)
            way = self.free.pop()
            try:
                send_fds(way, [endpoint(client).encode()], [connection.fileno()])
            except ConnectionError:  # that subordinate has ended
                way.close()
                continue
            self.busy[way.fileno()] = way
            self.said.register(way, POLLIN)
            return


def is_done(way: socket) -> bool:
    """Whether a subordinate that has something to say is free; or else it has ended."""
    try:
        return bool(way.recv(1))
    except ConnectionError:
        return False


def serve(way: socket) -> None:
    """What a subordinate does: serve each connection that comes, until M has ended."""
    while True:
        message, descriptors, _, _ = recv_fds(way, 64, 1)
        if not descriptors:
            return
        host, _, port = message.decode().partition(":")
        echo(adopt(descriptors[0]), (host, int(port)))
        way.send(b"!")


def main() -> None:
    options = read_options(__doc__, "workers")
    listener = listen_on(options)  # socket, bind, listen
    let_kernel_reap()
    pool = Pool(listener)
    try:
        for _ in range(options.workers):
            pool.fork()
    except OSError as error:
        say(f"fork: {error.strerror}: {len(pool.free)} subordinates of {options.workers}")
    while True:
        connection, client = accept(listener)
        try:
            pool.hand_over(connection, client)
        except OSError as error:
            say(f"{error.strerror}: {endpoint(client)} is refused")
        connection.close()


if __name__ == "__main__":
    run(main)
