#!/usr/bin/python3
"""A TCP server that stops reading: socket, bind, listen, accept, recv, and then no recv.

It reads what a client sends to its end, one client after another. But first, or after
--stop-after bytes, it stops for --pause seconds, or until SIGUSR1 says go on. What comes
meanwhile waits in the kernel's receive queue; when that is full the kernel closes the window,
and the other end's `send` blocks (see stream_sender.py).

It says how many bytes each recv returned, and of which letters: TCP carries a stream of bytes,
so a recv may return a part of what one send was given, or what several were.
"""

import argparse
import socket
import time

import chosen
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from lettered import shown
from pausing import Pause, words
from sockets import set_timeouts


def main() -> None:
    options = arguments()
    pause = Pause()
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # The sockets that accept returns inherit it.
        for line in chosen.choose(server, options):
            say(line)
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
            time.sleep(0.1)
            continue
        try:
            done = read_all(connection, options, pause)
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            connection.close()
        say(f"{endpoint(client)} {done}")


def read_all(connection: socket.socket, options: argparse.Namespace, pause: Pause) -> str:
    """Receive to the end, with one stop; return what was received, for the log."""
    set_timeouts(connection, options.timeout)
    total = calls = 0
    stopped = options.stop_after is None
    largest, smallest = 0, options.size
    while True:
        if not stopped and total >= options.stop_after:
            stopped = True
            pause.forget()
            say(f"stopped reading after {total} bytes, {words(options.pause)}")
            say(f"reading again after {pause.wait(options.pause):.2f} s")
        most = options.size
        if not stopped:
            most = min(most, options.stop_after - total)
        data = connection.recv(most)
        if data == b"":
            return f"end: {total} bytes in {calls} recv of {smallest} to {largest} bytes"
        total += len(data)
        calls += 1
        smallest, largest = min(smallest, len(data)), max(largest, len(data))
        if options.each:
            say(f"recv {calls}: {len(data)} of {most} bytes: {shown(data)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Receive all, but stop reading for a while.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=9100, help="its port (0: any free)")
    parser.add_argument("--stop-after", type=chosen.number, metavar="BYTES", help="stop here")
    parser.add_argument("--pause", type=seconds, help="stop for so long; else until SIGUSR1")
    parser.add_argument("--size", type=size, default=65536, help="bytes to ask a recv for")
    parser.add_argument("--each", action="store_true", help="say what each recv returned")
    parser.add_argument("--backlog", type=port_number, default=5, help="clients that may wait")
    parser.add_argument("--timeout", type=seconds, default=60, help="seconds of silence allowed")
    chosen.add_arguments(parser, "rcvbuf")
    return parser.parse_args()


def size(text: str) -> int:
    """An argument that is a buffer's length, 1 to 16 MiB. Raises ArgumentTypeError."""
    if not 1 <= chosen.number(text) <= 1 << 24:
        raise argparse.ArgumentTypeError(f"{text!r} is no length from 1 to {1 << 24}")
    return int(text)


if __name__ == "__main__":
    run(main, ended=0)
