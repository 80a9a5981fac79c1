#!/usr/bin/python3
"""Many clients of a media server in one process: at growing rates each fetches the same file,
on a connection of its own, and what came of each rate is told.

    audience server song.mp3 --rates 5,10,20

The conversation is tcp_server.py's. A file counts as delivered when all its bytes have come.
"""

import argparse
import errno
import json
import random
import re
import selectors
import socket
import time

from command import Failure, endpoint, host_name, port_number, positive, reason, run, say, seconds
from crowd import HALF, SPARE, require_descriptors
from offered import Offered, due_times, heading, line, rates

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
DIGEST = len(b"SHA256 \n") + 64
"""Bytes that follow the file."""

MOST_AT_ONCE = 1000
"""Connections; a client for whom there is no room goes without an answer."""


class Client:
    """One download: when it was due, and how many bytes are still to come."""

    def __init__(self, sock: socket.socket, due: float) -> None:
        self.sock = sock
        self.due = due
        self.head = b""
        self.left: int | None = None
        """None until the server has told the size."""

    def take(self, piece: bytes) -> None:
        """Count what has come. Raises Failure when the server has not got the file."""
        if self.left is None:
            self.head += piece
            if b"\n" not in self.head:
                return
            told = re.match(rb"OK (\d+)\n", self.head)
            if told is None:
                raise Failure(
                    f"the server answers: {self.head[:80].decode(errors='replace').strip()}"
                )
            self.left = int(told[1]) + DIGEST - (len(self.head) - told.end())
        else:
            self.left -= len(piece)


class Audience:
    """All clients of one server."""

    def __init__(self, address: tuple[str, int], name: str, seed: int) -> None:
        self._address = address
        self._request = b"GET %s\n" % name.encode()
        self._selector = selectors.DefaultSelector()
        self._chance = random.Random(seed)

    def play(self, load: float, length: float, patience: float) -> Offered:
        """Let `load` clients a second come for `length` seconds, then wait for `patience` more."""
        offered = Offered(load, length, patience)
        began = time.monotonic()
        dues = due_times(load, length, self._chance)
        due = next(dues, None)
        clients: set[Client] = set()
        while due is not None or clients:
            now = time.monotonic() - began
            while due is not None and due <= now:
                offered.asked += 1
                if len(clients) < MOST_AT_ONCE:
                    clients.add(self._come(due))
                due = next(dues, None)
            if now > length + patience:
                break
            for key, _ in self._selector.select(0.1 if due is None else max(due - now, 0)):
                client: Client = key.data
                if self._hear(client, offered):
                    continue
                self._go(client)
                clients.discard(client)
                if client.left == 0:
                    offered.answered(client.due, time.monotonic() - began)
        for client in clients:
            self._go(client)
        return offered

    def _come(self, due: float) -> Client:
        client = Client(socket.socket(socket.AF_INET, socket.SOCK_STREAM), due)
        client.sock.setblocking(False)
        code = client.sock.connect_ex(self._address)
        if code not in (0, errno.EINPROGRESS):
            raise Failure(f"cannot connect to {endpoint(self._address)}: {errno.errorcode[code]}")
        self._selector.register(client.sock, WRITE, client)
        return client

    def _hear(self, client: Client, offered: Offered) -> bool:
        """Send the request, or take what has come; whether there is more to do."""
        try:
            if self._selector.get_key(client.sock).events == WRITE:
                client.sock.send(self._request)
                self._selector.modify(client.sock, READ, client)
                return True
            piece = client.sock.recv(1 << 18)
        except BlockingIOError:
            return True
        except ConnectionRefusedError as error:
            raise Failure(f"no server at {endpoint(self._address)}: {reason(error)}") from error
        except OSError:
            return False
        offered.received += len(piece)
        client.take(piece)
        return bool(piece) and client.left != 0

    def _go(self, client: Client) -> None:
        self._selector.unregister(client.sock)
        client.sock.close()


def main() -> None:
    options = arguments()
    require_descriptors(MOST_AT_ONCE + SPARE)
    audience = Audience((options.server, options.port), options.name, options.seed)
    title = f"clients fetch {options.name} from {options.server}"
    say(json.dumps({"title": title, "of": "downloads"}) if options.json else heading("downloads"))
    for load in options.rates:
        row = audience.play(load, options.seconds, options.patience).row()
        say(json.dumps(row) if options.json else line(row))
        if not row["answered"]:
            raise Failure("no download ends any more")
        if row["per_second"] < HALF * load:
            break


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Many clients of a media server.")
    parser.add_argument("server", type=host_name)
    parser.add_argument("name", help="of the file that all of them fetch")
    parser.add_argument("--port", type=port_number, default=8080)
    parser.add_argument("--rates", type=rates, default=[5.0, 10.0, 20.0], help="downloads a second")
    parser.add_argument("--seconds", type=seconds, default=5, help="how long each rate lasts")
    parser.add_argument(
        "--patience", type=seconds, default=10, help="seconds that a download may take"
    )
    parser.add_argument("--seed", type=positive, default=1, help="chooses when clients come")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    options = parser.parse_args()
    if options.seconds <= 0:
        parser.error("--seconds: more than 0")
    return options


if __name__ == "__main__":
    run(main)
