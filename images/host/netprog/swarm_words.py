"""What one holder says of a file that a swarm is to bring: its root, and then its hashes."""

import queue
import socket
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from command import endpoint, reason
from messages import GoAhead
from napster import Malformed
from reception import Reception
from sockets import connect_to, set_timeouts
from swarm_callers import Callers
from swarm_wire import GREETING, Decoder, Frame, Hello, Kind

PATIENCE = 30.0
"""How long a holder may take: it may have to read and hash the file first."""

MOST_SECONDS = 60.0
"""How long what it is asked for may take as a whole, where something comes all the time."""

CALL_SECONDS = 10.0
"""How long a holder may take that was asked to call."""


class Word(NamedTuple):
    """What one holder says: the root of its file, or why there is none."""

    where: GoAhead
    root: str | None
    sock: socket.socket | None
    decoder: Decoder
    why: str = ""
    unreachable: bool = False


class Asking:
    """Asks holders what they have, each in a thread; `words` are their answers as they come."""

    def __init__(self, callers: Callers, nick: str, size: int) -> None:
        self.words: queue.Queue[Word] = queue.Queue()
        self._callers = callers
        self._nick = nick
        self._size = size
        self._reception: Reception | None = None

    def close(self) -> None:
        """Let nobody in any more."""
        if self._reception is not None:
            self._reception.close()

    def ask(self, where: GoAhead) -> None:
        """Call the holder, or have it call if it is one of the callers."""
        if where.nick not in self._callers:
            threading.Thread(target=self._call, args=(where,), daemon=True).start()
            return
        assert self._callers.door is not None
        if self._reception is None:
            self._reception = Reception(self._callers, self._callers.door)
        arguments = where, self._reception
        threading.Thread(target=self._called, args=arguments, daemon=True).start()
        self._callers.invite()

    def _call(self, where: GoAhead) -> None:
        try:
            sock = connect_to(where.ip, where.port, PATIENCE)
        except OSError as error:
            why = f"it cannot be reached ({reason(error)})"
            if self._callers.door is None:
                why += ", and neither can this peer: neither can connect to the other"
            self.words.put(Word(where, None, None, Decoder(), why, unreachable=True))
            return
        self._converse(where, sock, b"1")

    def _called(self, where: GoAhead, reception: Reception) -> None:
        sock = reception.caller(where.nick, CALL_SECONDS)
        if sock is None:
            why = f"it cannot be reached, and has not called here within {CALL_SECONDS:g} s"
            self.words.put(Word(where, None, None, Decoder(), why))
            return
        set_timeouts(sock, PATIENCE)
        self._converse(where, sock, b"")

    def _converse(self, where: GoAhead, sock: socket.socket, first: bytes) -> None:
        decoder = Decoder()
        try:
            if first and sock.recv(1) != first:
                raise Malformed(f"{endpoint((where.ip, where.port))} is no Napster peer")
            sock.sendall(GREETING + Hello(self._nick, where.name, self._size, "-", 0).frame())
            hello = Hello.parse(await_frame(sock, Kind.HELLO, decoder).data)
            if hello.root == "-" or hello.size != self._size:
                raise Malformed("it does not have that file")
        except (OSError, Malformed) as error:
            sock.close()
            why = reason(error) if isinstance(error, OSError) else str(error)
            self.words.put(Word(where, None, None, decoder, why))
        else:
            self.words.put(Word(where, hello.root, sock, decoder))


def await_frame(sock: socket.socket, kind: Kind, decoder: Decoder) -> Frame:
    """The next frame of that kind; others are passed over. Raises OSError, Malformed."""
    deadline = time.monotonic() + MOST_SECONDS
    while True:
        message = decoder.next()
        if message is None:
            piece = b""
            with suppress(ConnectionResetError):  # it has not read what it does not know
                piece = sock.recv(1 << 16)
            if not piece:
                raise Malformed("it knows no swarms")
            if time.monotonic() > deadline:
                raise Malformed("it says much, but not what it was asked for")
            decoder.feed(piece)
        elif message.kind == kind:
            return message
