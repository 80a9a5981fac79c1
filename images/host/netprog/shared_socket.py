#!/usr/bin/python3
"""A TCP server that lets two descriptors, and then two processes, stand for one connection:
socket, bind, listen, accept, dup, fork (figure 6-28).

A descriptor is only a number in a process's table: it stands for a socket in the kernel.
dup(2) makes a second number for the same socket; fork(2) copies the whole table, so that
child and parent stand for the same sockets. `close` takes one number out of one table. The
kernel ends the connection, and takes the socket away, when the last of them is closed.

The child serves the client, the parent closes its own numbers and waits for the child. One
client at a time: the next one waits in the backlog.

The conversation is that of tcp_server.py; whatever name a client asks for, it is given one
line, that tells which process serves it:

    client:  GET <name>\\n
    server:  OK <size>\\n  <size bytes>  SHA256 <64 hex digits>\\n      or     ERR <reason>\\n
"""

import argparse
import contextlib
import hashlib
import os
import signal
import socket
import time

from command import (
    Failure,
    endpoint,
    host_name,
    port_number,
    reason,
    run,
    say,
    seconds,
    undisturbed,
)
from sockets import set_timeouts

MOST_REQUEST = 1024


def main() -> None:
    options = arguments()
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((options.host, options.port))
        server.listen(options.backlog)
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"cannot listen on {at}: {reason(error)}") from error
    say(f"listening on {endpoint(server.getsockname())}")

    while True:
        try:
            connection, client = server.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            time.sleep(0.1)  # with no descriptor left, it would be the same at once
            continue
        try:
            serve(server, connection, options.timeout)
            say(f"{endpoint(client)} was served")
        except OSError as error:
            say(f"{endpoint(client)} refused: {reason(error)}")
        finally:
            connection.close()


def serve(server: socket.socket, connection: socket.socket, timeout: float) -> None:
    """Serve one client in a child process, and wait until it has ended.

    Raises OSError where there is no descriptor (EMFILE) or process (EAGAIN) left for it.
    """
    second = os.dup(connection.fileno())
    child = 0
    try:
        # A SIGTERM before its number is known would leave the child behind; and Python forgets one
        # that a child is sent before it has run at all.
        with undisturbed():
            try:
                child = os.fork()
                if child == 0:
                    as_child(server, connection, second, timeout)
            finally:
                os.close(second)
        connection.close()
        os.waitpid(child, 0)
    except SystemExit:
        if child:
            with contextlib.suppress(ProcessLookupError):  # it may just have ended by itself
                os.kill(child, signal.SIGTERM)
                os.waitpid(child, 0)
        raise


def as_child(server: socket.socket, connection: socket.socket, second: int, timeout: float) -> None:
    """Answer the client through the one number, and close both; the process ends here."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    server.close()
    try:
        set_timeouts(connection, timeout)
        answer(connection, time.monotonic() + timeout)
    except OSError as error:
        say(f"lost: {reason(error)}")
    connection.close()
    os.close(second)  # the last one: now the kernel sends FIN
    os._exit(0)


def answer(connection: socket.socket, deadline: float) -> None:
    """Receive a request, send the answer. Raises OSError when the client is lost."""
    request = b""
    while b"\n" not in request and len(request) < MOST_REQUEST:
        piece = connection.recv(MOST_REQUEST - len(request))
        if not piece or time.monotonic() > deadline:
            break
        request += piece
    if not (request.startswith(b"GET ") and request.endswith(b"\n")):
        connection.sendall(b"ERR bad request\n")
        return
    body = f"process {os.getpid()}, child of {os.getppid()}\n".encode()
    proof = hashlib.sha256(body).hexdigest()
    connection.sendall(b"OK %d\n%bSHA256 %b\n" % (len(body), body, proof.encode()))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve each client in a child process.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=8080, help="its port (0: any free)")
    parser.add_argument("--backlog", type=port_number, default=5, help="clients that may wait")
    parser.add_argument("--timeout", type=seconds, default=5, help="seconds for a whole request")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
