#!/usr/bin/python3
"""Napster's central directory: it knows who has which file, and never touches a file.

`directory serve` is one process with one event loop (directory_loop.py). What is answered to
each message is decided in dialogue.py; the table is in table.py.

`directory table` shows the live table of a directory on the same host (directory_readers.py).
"""

import argparse
import gc
import json
import resource
import socket
import sys

from command import (
    Failure,
    endpoint,
    host_name,
    port_number,
    positive,
    printable,
    reason,
    run,
    say,
    seconds,
)
from directory_loop import Directory
from directory_readers import control_address
from directory_table import table_object, table_text
from sockets import listen_on

SPARE = 64
"""Descriptors kept for other things than clients."""


def serve(options: argparse.Namespace) -> None:
    most = min(options.clients, descriptors() - SPARE)
    listener = listen_on(options.host, options.port, 1024)
    directory = Directory(listener, most, options.patience, options.login)
    # What the table consists of is freed when it is taken out; to search a million files for
    # cycles again and again would make everybody wait.
    gc.disable()
    say(f"listening on {endpoint(listener.getsockname())}")
    directory.run()


def descriptors() -> int:
    """How many descriptors this process may have, raised as far as it may be (setrlimit(2))."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        most = 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def show_table(options: argparse.Namespace) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(control_address(options.port))
        except OSError as error:
            raise Failure(
                f"no directory on port {options.port} of this host: {reason(error)}"
            ) from error
        try:
            with sock.makefile(encoding="utf-8", errors="surrogateescape") as lines:
                if options.json:
                    say(json.dumps(table_object(lines)))
                else:
                    for line in table_text(lines):
                        print(printable(line))
        except (OSError, ValueError) as error:
            raise Failure("the directory has broken off its table") from error


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Napster's central directory.")
    commands = parser.add_subparsers(required=True)
    server = commands.add_parser("serve", help="be the directory (the default command)")
    server.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    server.add_argument("--port", type=port_number, default=8888, help="port (0: any free)")
    server.add_argument(
        "--clients", type=positive, default=20_000, help="connections at once, at most"
    )
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
