#!/usr/bin/python3
"""A directory with one mistake: it keeps the files of peers that have left.

So it names holders that are not there, and its table only grows.
"""

import sys

sys.path.insert(0, "/opt/netprog")

from command import run, say
from directory_loop import Directory
from sockets import listen_on
from table import Table


def leave(table: Table, nick: str) -> None:
    table._users.pop(nick.lower())


def main() -> None:
    Table.leave = leave  # type: ignore[method-assign, assignment]
    listener = listen_on("0.0.0.0", int(sys.argv[1]), 128)
    say(f"listening on port {sys.argv[1]}")
    Directory(listener, 1000, 30, 10).run()


if __name__ == "__main__":
    run(main, ended=0)
