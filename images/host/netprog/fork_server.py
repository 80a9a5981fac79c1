#!/usr/bin/python3 -S
"""A concurrent server as in figure 6-29: a subordinate process for each client.

The main process M does nothing but accept. For each connection it forks a subordinate (S1, S2,
...), which serves the client, closes the connection and ends, while M is back at accept.

After the fork both processes have both sockets, and each closes the one that it does not need:
M the connection, or the client would never see its end; the subordinate the listening socket.

Every page (4 KiB) that a subordinate, or M after it, writes to is copied, and Python writes to
all that it as much as looks at: each function called here costs a page or two at each fork.
"""

import os

from forking import PR_SET_PDEATHSIG, SIGKILL, let_kernel_reap, prctl
from options import read_options
from saying import endpoint, say
from serving import accept, echo, listen_on, run


def main() -> None:
    options = read_options(__doc__)
    listener = listen_on(options)  # socket, bind, listen
    let_kernel_reap()
    main_process = os.getpid()
    while True:
        connection, client = accept(listener)
        try:
            forked = os.fork()
        except OSError as error:
            say(f"fork: {error.strerror}: {endpoint(client)} is refused")
            connection.close()
            continue
        if forked == 0:
            try:
                prctl(PR_SET_PDEATHSIG, SIGKILL)  # end with M, however it ends
                if os.getppid() == main_process:  # or has M ended before that?
                    listener.close()
                    echo(connection, client)
            finally:
                os._exit(0)
        connection.close()


if __name__ == "__main__":
    run(main)
