"""One connection of a crowd to a directory: what a peer says on it, and how it hears."""

import errno
import hashlib
import os
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from command import Failure, endpoint
from messages import File, Login
from napster import Decoder, Kind, Message, encode
from query import search_data
from sockets import notice_silence

CLIENT = "labctl crowd"
SIZE = 5_000_000
"""Bytes that each file is said to have; nobody ever fetches one."""


@dataclass(eq=False, slots=True)
class Question:
    """A search that is under way: when it was due, and from how many directories no answer
    has come yet."""

    words: tuple[str, ...]
    due: float
    member: int
    open: int
    right: bool = True


@dataclass(eq=False, slots=True)
class Line:
    """The connection of peer `member` to directory `place`."""

    member: int
    place: int
    address: tuple[str, int]
    greet: Callable[[], bytes]
    """Gives everything that the peer says to register."""
    sock: socket.socket | None = None
    decoder: Decoder = field(default_factory=Decoder)
    out: bytearray = field(default_factory=bytearray)
    open: deque[Question] = field(default_factory=deque)
    """Asked and not answered, in that order."""
    found: list[str] = field(default_factory=list)
    """Names in the answer that is on its way."""
    counted: int = 0
    """How often the directory has told its statistics: once after login, once after the files."""
    pause: float = 0.1

    @property
    def joined(self) -> bool:
        return self.sock is not None and self.counted >= 2

    def connect(self) -> socket.socket:
        """Begin to connect. Raises Failure when there is no descriptor or port left."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        notice_silence(sock)
        self.sock = sock
        self.decoder = Decoder()
        self.out = bytearray(self.greet())
        self.counted = 0
        code = sock.connect_ex(self.address)
        if code not in (0, errno.EINPROGRESS):
            raise Failure(f"cannot connect to {endpoint(self.address)}: {os.strerror(code)}")
        return sock

    def close(self) -> list[Question]:
        """Hang up, or take note that the directory has; what was asked in vain."""
        if self.sock is not None:
            self.sock.close()
        self.sock = None
        lost = list(self.open)
        self.open.clear()
        self.found.clear()
        return lost


def greeting(nick: str, port: int, names: list[str]) -> bytes:
    """Login, all files, and a question that is answered when they have been taken in."""
    said = [encode(Message(Kind.LOGIN, Login(nick, "-", port, CLIENT, 0).data()))]
    said += [encode(Message(Kind.SHARE, file(name).data())) for name in names]
    return b"".join([*said, encode(Message(Kind.STATISTICS))])


def file(name: str) -> File:
    """A file as the directory is told of it; it exists nowhere."""
    md5 = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return File(name, md5, SIZE, 128, 44_100, 240)


def search_frame(words: tuple[str, ...]) -> bytes:
    return encode(Message(Kind.SEARCH, search_data(" ".join(words))))
