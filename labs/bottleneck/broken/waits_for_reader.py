#!/usr/bin/python3
"""A directory with one mistake: it sends each answer to its end before it does anything else.

So one peer that does not read its answers makes everybody wait.
"""

import socket
import sys

sys.path.insert(0, "/opt/netprog")

import directory_loop
from command import run, say
from directory_loop import Client, Directory
from sockets import listen_on


class WaitsForReader(Directory):
    def _send(self, client: Client) -> None:
        try:
            # Longer than any other peer has patience, however busy the machine is.
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
            client.sock.setblocking(True)
            client.sock.sendall(client.out)
            client.sock.setblocking(False)
        except OSError:
            self._drop(client)
            return
        client.out.clear()
        super()._send(client)


def main() -> None:
    directory_loop.MOST_OUT = 1 << 40
    listener = listen_on("0.0.0.0", int(sys.argv[1]), 128)
    say(f"listening on port {sys.argv[1]}")
    WaitsForReader(listener, 1000, 30, 10).run()


if __name__ == "__main__":
    run(main, ended=0)
