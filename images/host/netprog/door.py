"""Where a peer that cannot be connected to brings a file: a data port, opened when needed.

The holder connects and is sent `1`; it sends `SEND` and `nick "name" size`. What follows is in
downloader.py.
"""

import os
import re
import socket
import time
from contextlib import suppress

from messages import MOST_NAME, File
from sockets import listen_on, set_timeouts

GREETING_SECONDS = 2.0
"""How long one who connects may take to say what it brings."""

MOST_GREETING = MOST_NAME + 128
SEND = re.compile(rb'SEND ?([^\s"]{1,64}) "([^"]+)" (\d{1,19})')


class Door:
    """A socket that listens on any free port. Close it."""

    def __init__(self) -> None:
        self._listener = listen_on("0.0.0.0", 0, 8)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]

    def fileno(self) -> int:
        """Readable when somebody knocks."""
        return self._listener.fileno()

    def close(self) -> None:
        self._listener.close()

    def answer(self, nick: str, file: File) -> socket.socket | None:
        """Let in who knocks: the connection if `nick` brings `file`, otherwise None."""
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return None
        with suppress(OSError):
            connection.setblocking(True)
            set_timeouts(connection, GREETING_SECONDS)
            connection.sendall(b"1")
            if _brings(connection, nick, file):
                return connection
        connection.close()
        return None


def _brings(connection: socket.socket, nick: str, file: File) -> bool:
    """Whether the caller says that it is `nick` with that file. Raises OSError.

    Nothing marks the end of the size, so it must be the one that the directory gave.
    """
    size = str(file.size).encode()
    deadline = time.monotonic() + GREETING_SECONDS
    received = b""
    while len(received) < MOST_GREETING and time.monotonic() < deadline:
        match = SEND.match(received)
        if match is not None and len(match[3]) >= len(size):
            told = os.fsdecode(match[1]).lower(), os.fsdecode(match[2]), match[3]
            return told == (nick.lower(), file.name, size)
        piece = connection.recv(MOST_GREETING - len(received))
        if not piece:
            return False
        received += piece
    return False
