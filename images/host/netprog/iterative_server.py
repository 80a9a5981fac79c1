#!/usr/bin/python3 -S
"""An iterative server: one client after the other. The contrast to the concurrent ones.

It serves a client to its end before it accepts the next one, which waits in the backlog.
"""

from options import read_options
from serving import accept, echo, listen_on, run


def main() -> None:
    options = read_options(__doc__)
    listener = listen_on(options)  # socket, bind, listen
    while True:
        connection, client = accept(listener)
        echo(connection, client)


if __name__ == "__main__":
    run(main)
