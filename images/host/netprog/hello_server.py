#!/usr/bin/python3
"""A TCP server that greets whoever calls: socket, bind, listen, accept, send, recv, close.

The conversation, one line a connection:

    server:  hello <address>:<port>, this is <name>\\n

Who closes first keeps the connection in TIME-WAIT. With `--close first` (the default) that is
the server; with `--close last` it receives until the client has closed. With `--mute` it does so
too, and says nothing. With `--late` it listens at once, but calls `accept` only after a SIGUSR1
has come: until then the kernel alone answers.
"""

import argparse
import socket
import time

from command import Failure, endpoint, host_name, port_number, printable, reason, run, say, seconds
from pausing import Pause
from sockets import set_timeouts

OPTIONS = {"none": None, "addr": socket.SO_REUSEADDR, "port": socket.SO_REUSEPORT}
"""What `--reuse` sets before bind (socket(7))."""


def main() -> None:
    options = arguments()
    pause = Pause()
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        option = OPTIONS[options.reuse]
        if option is not None:
            server.setsockopt(socket.SOL_SOCKET, option, 1)
        server.bind((options.host, options.port))
        server.listen(options.backlog)
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"cannot listen on {at}: {reason(error)}") from error
    say(f"listening on {endpoint(server.getsockname())}")

    if options.late:
        pause.wait(None)
        say("accepting")
    served = 0
    while served < options.clients or not options.clients:
        try:
            connection, client = server.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            time.sleep(0.1)
            continue
        served += 1
        try:
            done = greet(connection, client, options)
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            connection.close()
        say(f"{endpoint(client)} {done}")
    server.close()


def greet(connection: socket.socket, client: tuple[str, int], options: argparse.Namespace) -> str:
    """Send the line; returns what was done. Raises OSError when the client is lost."""
    set_timeouts(connection, options.timeout)
    if not options.mute:
        connection.sendall(f"hello {endpoint(client)}, this is {options.name}\n".encode())
        if options.close == "first":
            return "greeted"
    deadline = time.monotonic() + options.timeout
    while connection.recv(4096):
        if time.monotonic() > deadline:
            return "closed although it went on talking"
    return "closed first"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Greet each client with one line.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=7000, help="its port (0: any free)")
    parser.add_argument("--name", type=printable, default="server", help="how it calls itself")
    parser.add_argument("--backlog", type=port_number, default=16, help="clients that may wait")
    parser.add_argument("--reuse", choices=OPTIONS, default="addr", help="SO_REUSE... to set")
    parser.add_argument("--close", choices=("first", "last"), default="first", help="who closes")
    parser.add_argument("--mute", action="store_true", help="say nothing, wait for its close")
    parser.add_argument("--late", action="store_true", help="accept only once SIGUSR1 has come")
    parser.add_argument("--clients", type=port_number, default=0, help="end after so many")
    parser.add_argument("--timeout", type=seconds, default=30, help="seconds for one client")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
