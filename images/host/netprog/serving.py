"""What the echo servers do alike: listen, accept, echo, and end.

The conversation of them all: what a client sends comes back, until it closes its side.

fork(2) copies the tables of the memory that the process has, and every page that is written to
afterwards. So here is what a server that forks for every client can afford: no `argparse`, no
`threading`, no `typing`, no `enum`, and sockets as C gives them to Python (`_socket`,
and `_signal` likewise), without the class around them.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
import time
from _signal import (  # type: ignore[import-not-found]
    ITIMER_REAL,
    SIGALRM,
    SIGINT,
    SIGTERM,
    setitimer,
    signal,
)
from _socket import AF_INET, SO_RCVTIMEO, SO_REUSEADDR, SO_SNDTIMEO, SOCK_STREAM, SOL_SOCKET, socket

from options import Options
from saying import Failure, endpoint, printable, reason, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

Address = tuple[str, int]
Connection = socket

PIECE = 448
"""Bytes that one recv may return. More than these come from malloc, and in every process that
forks take four more pages."""

PAUSE = 0.1
"""Seconds between two tries to accept while the system lacks what a new client needs."""

AGAIN = 5
"""Seconds after which a blocked call is interrupted; see `run`."""


def bind_to(options: Options) -> socket:
    """A TCP socket with the address that the options say: socket, bind.

    Raises Failure when the port is taken, not permitted, or the address is not this host's.
    """
    bound = socket(AF_INET, SOCK_STREAM)
    try:
        # Without this, connections of an earlier run in TIME_WAIT would hold the port.
        bound.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        # Connections inherit these from the socket that listens; accept itself obeys the first.
        bound.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval(options.timeout))
        bound.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval(options.timeout))
        bound.bind((options.host, options.port))
    except OSError as error:
        raise cannot_listen(options, error) from error
    return bound


def listen_on(options: Options) -> socket:
    """A TCP socket that listens as the options say: socket, bind, listen. Raises Failure."""
    listener = bind_to(options)
    try:
        listener.listen(options.backlog)
    except OSError as error:  # two may bind to a port with SO_REUSEADDR, but one listens
        raise cannot_listen(options, error) from error
    say(f"listening on {endpoint(listener.getsockname())}")
    return listener


def cannot_listen(options: Options, error: OSError) -> Failure:
    return Failure(f"cannot listen on {endpoint((options.host, options.port))}: {reason(error)}")


def accept(listener: socket) -> tuple[socket, Address]:
    """Wait for the next client: its connection and its address.

    Where the system lacks what a connection needs (EMFILE, ENFILE, ENOMEM), new clients wait in
    the backlog, those there are go on, and it says why, once.
    """
    said = 0
    while True:
        try:
            number, client = listener._accept()  # type: ignore[attr-defined]
        except BlockingIOError:  # nobody came within --timeout
            continue
        except OSError as error:
            if error.errno not in (said, errno.ECONNABORTED):
                said = error.errno or 0
                say(f"accept: {error.strerror}: new clients have to wait")
            time.sleep(PAUSE)
            continue
        if said:
            say("accept: new clients are served again")
        return socket(AF_INET, SOCK_STREAM, 0, number), client


def adopt(number: int) -> socket:
    """The object for the TCP socket behind a descriptor."""
    return socket(AF_INET, SOCK_STREAM, 0, number)


def echo(connection: socket, client: Address) -> None:
    """Send back what the client sends, until it closes its side; then close.

    A client is dropped that says nothing, or takes nothing, for as long as --timeout says.
    """
    try:
        while data := connection.recv(PIECE):
            connection.sendall(data)
    except OSError as error:
        say(f"{endpoint(client)} lost: {reason(error)}")
    connection.close()


def timeval(seconds: float) -> bytes:
    """A time as SO_RCVTIMEO and SO_SNDTIMEO take it (socket(7)): seconds and microseconds."""
    return struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))


def run(program: Callable[[], None]) -> NoReturn:
    """Call `program` and end the process: 0 at SIGTERM, 1 after a `Failure`, 130 at Ctrl-C.

    Python handles a signal between two of its own instructions, or when it interrupts a call.
    One that comes just before accept blocks would have to wait for the next client: hence the
    timer, which interrupts whatever blocks. (A thread for this, as in command.py, has no place
    in a process that forks.)
    """
    signal(SIGTERM, lambda _number, _frame: sys.exit(0))
    signal(SIGALRM, lambda _number, _frame: None)
    setitimer(ITIMER_REAL, AGAIN, AGAIN)
    try:
        program()
    except Failure as failure:
        name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib is not small
        sys.stderr.write(f"{name}: {printable(str(failure))}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)  # Nobody reads the output any more.
    except KeyboardInterrupt:
        sys.exit(128 + SIGINT)
    sys.exit(0)
