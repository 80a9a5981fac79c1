#!/usr/bin/python3
"""A media server: gives the files of one folder to many clients at once.

The conversation is that of tcp_server.py, the shape that of figure 6-29: the main process
accepts, and a subordinate serves each client with what tcp_server does. All of them share the
host's uplink: twice as many clients, half as much for each.
"""

import argparse
import os
import socket
import time

from command import Failure, endpoint, port_number, reason, run, say, seconds, undisturbed
from folder import NotShared, is_readable
from forking import end_with_main, let_kernel_reap
from sending import Digests
from sockets import listen_on
from tcp_server import Refused, serve


def main() -> None:
    options = arguments()
    if not is_readable(options.root):
        raise Failure(f"{options.root}: not a folder that can be read")
    listener = listen_on("0.0.0.0", options.port, options.backlog)
    say(f"listening on {endpoint(listener.getsockname())}")
    let_kernel_reap()
    main_process = os.getpid()
    while True:
        try:
            connection, client = listener.accept()
        except OSError as error:
            # Of descriptors or memory there are enough again when a client has left.
            say(f"accept: {reason(error)}")
            time.sleep(0.1)
            continue
        try:
            with undisturbed():
                forked = os.fork()
        except OSError as error:
            say(f"fork: {reason(error)}: {endpoint(client)} is refused")
            connection.close()
            continue
        if forked == 0:
            subordinate(main_process, listener, connection, client, options)
        connection.close()


def subordinate(
    main_process: int,
    listener: socket.socket,
    connection: socket.socket,
    client: tuple[str, int],
    options: argparse.Namespace,
) -> None:
    """Serve one client and end."""
    try:
        end_with_main(main_process)
        listener.close()
        started = time.monotonic()
        try:
            done = serve(connection, options.root, options.timeout, Digests())
        except (NotShared, Refused) as refusal:
            done = f"ERR {refusal}"
        except OSError as error:
            done = f"lost: {reason(error)}"
        connection.close()
        say(f"{endpoint(client)} {done} {time.monotonic() - started:.2f} s")
    finally:
        os._exit(0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve the files of a folder to many at once.")
    parser.add_argument("--port", type=port_number, default=8080, help="its port (0: any free)")
    parser.add_argument("--root", default="/srv/files", help="the folder whose files are served")
    parser.add_argument("--backlog", type=port_number, default=128, help="clients that may wait")
    parser.add_argument("--timeout", type=seconds, default=5, help="seconds for a whole request")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
