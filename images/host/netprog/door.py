"""Where peers that cannot be connected to come to: a data port, opened when needed.

The holder connects and is sent `1`; it sends `SEND` and `nick "name" size`. What follows is in
downloader.py.
"""

import os
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from messages import MOST_NAME, File
from sockets import listen_on, set_timeouts

GREETING_SECONDS = 2.0
"""How long one who connects may take to say what it brings."""

MOST_GREETING = MOST_NAME + 128
SEND = re.compile(rb'SEND ?([^\s"]{1,64}) "([^"]+)" (\d{1,19})')

Awaited = Mapping[str, File]
"""The file that each one is to bring, by nicks in lower case."""


class Door:
    """A socket that listens on any free port. Close it."""

    def __init__(self) -> None:
        self.listener = listen_on("0.0.0.0", 0, 64)
        self.listener.setblocking(False)
        self.port: int = self.listener.getsockname()[1]

    def fileno(self) -> int:
        """Readable when somebody knocks."""
        return self.listener.fileno()

    def close(self) -> None:
        self.listener.close()

    def answer(self, awaited: Awaited) -> tuple[socket.socket, str] | None:
        """Let in who knocks: the connection, and who it is, if it is awaited with its file."""
        connection = self.accept()
        if connection is None:
            return None
        nick = greeted(connection, awaited)
        return None if nick is None else (connection, nick)

    def accept(self) -> socket.socket | None:
        """Who knocks, and is still to be `greeted`; None where nobody is there any more."""
        try:
            return self.listener.accept()[0]
        except OSError:
            return None


def greeted(connection: socket.socket, awaited: Awaited) -> str | None:
    """Who it is that has knocked; None where it is none of the awaited: it is hung up on."""
    with suppress(OSError):
        connection.setblocking(True)
        set_timeouts(connection, GREETING_SECONDS)
        connection.sendall(b"1")
        nick = _who_brings(connection, awaited)
        if nick is not None:
            return nick
    connection.close()
    return None


def _who_brings(connection: socket.socket, awaited: Awaited) -> str | None:
    """The nick, in lower case, of the caller that brings what is awaited of it. Raises OSError.

    Nothing marks the end of the size, so it must be the one that the directory gave.
    """
    deadline = time.monotonic() + GREETING_SECONDS
    received = b""
    while len(received) < MOST_GREETING and time.monotonic() < deadline:
        match = SEND.match(received)
        if match is not None:
            nick = os.fsdecode(match[1]).lower()
            file = awaited.get(nick)
            if file is None or file.name != os.fsdecode(match[2]):
                return None
            size = str(file.size).encode()
            if len(match[3]) >= len(size):
                return nick if match[3] == size else None
        piece = connection.recv(MOST_GREETING - len(received))
        if not piece:
            return None
        received += piece
    return None
