#!/usr/bin/python3 -S
"""A concurrent server with a pool: subordinates are forked before there is any client.

Each of them waits in accept on the same listening socket, and the kernel gives each connection
to one. It serves the client and accepts again, so no client waits for a fork. But there are
never more clients served at once than there are workers; the next one waits in the backlog.

The main process does not accept. It waits for workers that end, and replaces them.
"""

import os
import time

from forking import end_with_main
from options import read_options
from saying import say
from serving import PAUSE, Connection, accept, echo, listen_on, run


def main() -> None:
    options = read_options(__doc__, "workers")
    listener = listen_on(options)  # socket, bind, listen
    main_process = os.getpid()
    workers: set[int] = set()
    refused = False
    while True:
        try:
            while len(workers) < options.workers:
                workers.add(fork_worker(listener, main_process))
            refused = False
        except OSError as error:
            if not refused:
                say(f"fork: {error.strerror}: {len(workers)} workers of {options.workers}")
            refused = True
            time.sleep(PAUSE)
        if workers:
            workers.discard(wait_for_one(os.WNOHANG if refused else 0))


def fork_worker(listener: Connection, main_process: int) -> int:
    """Its number. Raises OSError when the system has no room for it."""
    worker = os.fork()
    if worker:
        return worker
    try:
        end_with_main(main_process)
        while os.getppid() == main_process:
            connection, client = accept(listener)
            echo(connection, client)
    finally:
        os._exit(0)


def wait_for_one(options: int) -> int:
    """The number of a worker that has ended, and say so; 0 where none has."""
    worker, status = os.waitpid(-1, options)
    if worker:
        code = os.waitstatus_to_exitcode(status)
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        say(f"worker {worker} has ended {how}; another takes its place")
    return worker


if __name__ == "__main__":
    run(main)
