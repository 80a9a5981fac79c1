"""A peer of a crowd that asks and asks, and reads no answer."""

import socket

from command import Failure, endpoint, reason
from crowd_line import greeting, search_frame
from sockets import connect_to

SMALL = 4096
"""Bytes of its receive buffer: it is full soon."""

MOST = 8 << 20
"""Bytes of questions, when the directory takes all it is sent."""


class Deaf:
    """Logs in, and asks for everything until the directory reads no more."""

    def __init__(self, address: tuple[str, int], nick: str) -> None:
        frames = search_frame(("mp3",)) * 1000
        try:
            self._sock = connect_to(*address, 10)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            self._sock.sendall(greeting(f"{nick}-deaf", 6699, []))
            self._sock.recv(1)
            self._sock.settimeout(0.5)
        except OSError as error:
            raise Failure(f"no directory at {endpoint(address)}: {reason(error)}") from error
        sent = 0
        try:
            while sent < MOST:
                sent += self._sock.send(frames)
        except OSError:
            pass  # the directory has enough of it, or has hung up
