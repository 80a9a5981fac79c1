#!/usr/bin/python3
"""A concurrent server with threads: one for each client, all in one process.

All threads have one descriptor table, so nobody has to close a copy, and a thread costs less
than a process. But one that goes wrong may take all others with it.
"""

import threading

from command import run
from options import read_options
from saying import endpoint, say
from serving import accept, echo, listen_on


def main() -> None:
    options = read_options(__doc__)
    # A thread gets address space for its stack; what it does not touch costs no memory.
    threading.stack_size(256 * 1024)
    listener = listen_on(options)  # socket, bind, listen
    while True:
        connection, client = accept(listener)
        work = (connection, client)
        try:
            # A daemon: the process does not wait for it when it ends.
            threading.Thread(target=echo, args=work, daemon=True).start()
        except RuntimeError as error:  # EAGAIN
            say(f"{error}: {endpoint(client)} is refused")
            connection.close()


if __name__ == "__main__":
    run(main, ended=0)
