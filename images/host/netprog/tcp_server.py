#!/usr/bin/python3
"""A TCP server that gives away the files of one folder: socket, bind, listen, accept,
recv, send, close, in that order (figure 6-30). One client at a time: the next one waits
in the backlog until this one is done.

The conversation, one file a connection:

    client:  GET <name>\\n
    server:  OK <size>\\n  <size bytes>  SHA256 <64 hex digits>\\n      or     ERR <reason>\\n
    server closes.

The digest comes after the bytes, so that nobody waits for it before the first byte: it is
worked out by a thread while the kernel sends the file, and remembered for the next client.

A client gets some seconds for its request and must then take the file at LEAST_RATE at least
(sending.py); otherwise it is dropped, because the next one waits.

A name is that of a regular file directly inside the folder; see folder.py for what is refused.
"""

import argparse
import os
import re
import socket
import time

from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from folder import NotShared, is_readable, open_shared
from sending import Digests, send_file, set_congestion
from sockets import set_timeouts

MOST_REQUEST = 1024
"""Bytes a request may have: GET, a space, a name (at most 255 on Linux), a newline."""

REQUEST = re.compile(rb"GET ([^\r\n]+)\r?\n")


class Refused(Exception):
    """The request is none that can be served; the text goes to the client after ERR."""


def main() -> None:
    options = arguments()
    if not is_readable(options.root):
        raise Failure(f"{options.root}: not a folder that can be read")

    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Without this, connections of an earlier run in TIME_WAIT would hold the port.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.congestion:
            # Each connection that it accepts has the same.
            set_congestion(server, options.congestion)
        server.bind((options.host, options.port))
        server.listen(options.backlog)
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"cannot listen on {at}: {reason(error)}") from error
    say(f"listening on {endpoint(server.getsockname())}")

    digests = Digests()
    while True:
        try:
            connection, client = server.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            continue
        started = time.monotonic()
        try:
            done = serve(connection, options.root, options.timeout, digests)
        except (NotShared, Refused) as refusal:
            done = f"ERR {refusal}"
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            connection.close()
        say(f"{endpoint(client)} {done} {time.monotonic() - started:.2f} s")


def serve(connection: socket.socket, root: str, timeout: float, digests: Digests) -> str:
    """Receive one request, send the answer; returns what was done, for the log.

    Raises NotShared and Refused (after telling the client) and OSError when the client is lost.
    """
    try:
        set_timeouts(connection, timeout)
        name = receive_request(connection, time.monotonic() + timeout)
        file = open_shared(root, name)
    except (NotShared, Refused) as refusal:
        connection.sendall(f"ERR {refusal}\n".encode())
        raise
    with file:
        set_timeouts(connection, max(timeout, 30))
        size = os.fstat(file.fileno()).st_size
        digest = digests.begin(file)
        # MSG_MORE: the kernel puts this line and the file's first bytes into one segment.
        connection.sendall(f"OK {size}\n".encode(), socket.MSG_MORE)
        send_file(connection, file, 0, size)
        connection.sendall(f"SHA256 {digest.result()}\n".encode())
    return f"GET {name} {size} bytes"


def receive_request(connection: socket.socket, deadline: float) -> str:
    """The name in the client's request. A request may come in any number of pieces."""
    request = b""
    while b"\n" not in request:
        if len(request) >= MOST_REQUEST:
            raise Refused("request too long")
        try:
            piece = connection.recv(MOST_REQUEST - len(request))
        except BlockingIOError as error:
            raise Refused("no request in time") from error
        if not piece:
            raise Refused("no whole request")
        if time.monotonic() > deadline:
            raise Refused("no request in time")
        request += piece
    match = REQUEST.fullmatch(request)
    if match is None:
        raise Refused("bad request")
    return os.fsdecode(match[1])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve the files of one folder, one by one.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=8080, help="its port (0: any free)")
    parser.add_argument("--root", default="/srv/files", help="the folder whose files are served")
    parser.add_argument("--backlog", type=port_number, default=5, help="clients that may wait")
    parser.add_argument("--congestion", help="how to avoid congestion: reno, cubic, bbr, ...")
    parser.add_argument("--timeout", type=seconds, default=5, help="seconds for a whole request")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
