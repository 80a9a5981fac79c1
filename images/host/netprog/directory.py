#!/usr/bin/python3
"""Napster's central directory: it knows who has which file, and never touches a file.

`directory serve` is one process with one event loop (directory_loop.py). What is answered to
each message is decided in dialogue.py; the table is in table.py.

`directory table` shows the live table of a directory on the same host. It asks over a Unix
socket in the abstract namespace (unix(7)): that name exists only in this host's network
namespace and vanishes with the process.
"""

import argparse
import json
import socket
import sys

from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from directory_loop import Directory, control_address
from directory_table import table_lines
from sockets import listen_on


def serve(options: argparse.Namespace) -> None:
    listener = listen_on(options.host, options.port, 128)
    directory = Directory(listener, options.patience, options.login)
    say(f"listening on {endpoint(listener.getsockname())}")
    directory.run()


def show_table(options: argparse.Namespace) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(control_address(options.port))
            received = b"".join(iter(lambda: sock.recv(1 << 16), b""))
        except OSError as error:
            raise Failure(
                f"no directory on port {options.port} of this host: {reason(error)}"
            ) from error
    table = json.loads(received)
    for line in [json.dumps(table)] if options.json else table_lines(table):
        say(line)


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Napster's central directory.")
    commands = parser.add_subparsers(required=True)
    server = commands.add_parser("serve", help="be the directory (the default command)")
    server.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    server.add_argument("--port", type=port_number, default=8888, help="port (0: any free)")
    server.add_argument("--patience", type=seconds, default=30, help="seconds to take replies")
    server.add_argument("--login", type=seconds, default=10, help="seconds to log in")
    server.set_defaults(program=serve)
    table = commands.add_parser("table", help="show the table of a directory on this host")
    table.add_argument("--port", type=port_number, default=8888)
    table.add_argument("--json", action="store_true", help="as one JSON object")
    table.set_defaults(program=show_table)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["serve", *words]
    return parser.parse_args(words)


if __name__ == "__main__":
    chosen = arguments(sys.argv[1:])
    run(lambda: chosen.program(chosen), ended=0)
