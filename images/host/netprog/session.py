"""A user's connection to the directory: logging in, asking, and waiting for answers."""

import errno
import select
import socket
import time
from typing import NamedTuple

from command import Failure
from messages import File, GoAhead, Holder, Login, Result, Wish
from napster import HEADER, Decoder, Kind, Malformed, Message, encode, number, size
from query import MOST_RESULTS, search_data
from sockets import connect_to, notice_silence

CLIENT = "labctl netprog"
ANSWER_SECONDS = 15.0
"""How long the directory has for an answer: more than it gives a holder for its 608."""


class Refused(Failure):
    """The directory does not let the user in."""


class Answer(NamedTuple):
    """What came of a search; bytes and seconds of the question, and of the whole answer."""

    results: list[Result]
    asked: tuple[int, float]
    answered: tuple[int, float]


class Session:
    """A user who is logged in. Every method raises OSError when the directory is lost.

    A directory that breaks the protocol is reported as ConnectionError too: there is nothing
    better to do about it than to hang up.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._decoder = Decoder()
        self.local: tuple[str, int] = sock.getsockname()
        self.remote: tuple[str, int] = sock.getpeername()

    @classmethod
    def open(cls, host: str, port: int, nick: str, data_port: int, link: int) -> "Session":
        """Connect and log in. Raises Refused with the directory's reason, and OSError."""
        sock = connect_to(host, port, ANSWER_SECONDS)
        try:
            notice_silence(sock)
            session = cls(sock)
            session.send(Kind.LOGIN, Login(nick, "-", data_port, CLIENT, link).data())
            answer = session.expect(Kind.LOGIN_ACCEPTED, Kind.LOGIN_ERROR)
        except BaseException:
            sock.close()
            raise
        if answer.kind == Kind.LOGIN_ERROR:
            sock.close()
            raise Refused(f"the directory refuses {nick}: {answer.data}")
        return session

    def close(self) -> None:
        self._sock.close()

    def send(self, kind: Kind, data: str = "") -> int:
        """Send one message; returns its bytes on the wire. Raises Malformed."""
        frame = encode(Message(kind, data))
        self._sock.sendall(frame)
        return len(frame)

    def receive(self, wait: float, bell: int | None = None) -> Message | None:
        """The next message; None when none has come within `wait` seconds, or when the
        descriptor `bell` has become readable before."""
        deadline = time.monotonic() + wait
        watched = select.poll()
        watched.register(self._sock, select.POLLIN)
        if bell is not None:
            watched.register(bell, select.POLLIN)
        while (message := self._decoder.next()) is None:
            ready = dict(watched.poll(max(deadline - time.monotonic(), 0) * 1000))
            if self._sock.fileno() not in ready:
                return None
            try:
                piece = self._sock.recv(1 << 16)
            except TimeoutError as error:
                if error.errno == errno.ETIMEDOUT:
                    raise ConnectionResetError("the directory has vanished") from error
                raise
            if not piece:
                raise ConnectionResetError("the directory has hung up")
            self._decoder.feed(piece)
        return message

    def expect(self, *kinds: Kind) -> Message:
        """The next message of one of `kinds`; those sent unasked in between are passed over.

        Raises TimeoutError, and Failure when the directory reports an error (404) instead.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            message = self.receive(left)
            if message is None:
                break
            if message.kind in kinds:
                return message
            if message.kind == Kind.ERROR:
                raise Failure(f"the directory answers: {message.data}")
        raise TimeoutError("the directory does not answer")

    def search(self, words: str) -> Answer:
        """Ask who has files with all the words in their names. Raises Malformed for a quote."""
        started = time.monotonic()
        asked = self.send(Kind.SEARCH, search_data(words))
        sent = time.monotonic()
        results: list[Result] = []
        answered = 0
        while True:
            message = self.expect(Kind.RESULT, Kind.RESULTS_END)
            answered += HEADER.size + size(message.data)
            if message.kind == Kind.RESULTS_END:
                took = time.monotonic() - sent
                return Answer(results, (asked, sent - started), (answered, took))
            try:
                results.append(Result.parse(message.data))
            except Malformed as error:
                raise ConnectionError(f"the directory sent a bad result: {error}") from error
            if len(results) > MOST_RESULTS:
                raise ConnectionError("the directory sent more results than asked for")

    def browse(self, nick: str) -> list[File]:
        """The files that a user shares (211)."""
        self.send(Kind.BROWSE, nick)
        files = []
        while (message := self.expect(Kind.BROWSED, Kind.BROWSE_END)).kind == Kind.BROWSED:
            try:
                files.append(File.parse(message.data.partition(" ")[2]))
            except Malformed as error:
                raise ConnectionError(f"the directory sent a bad answer: {error}") from error
        return files

    def link_of(self, nick: str) -> int:
        """A user's link type (600). Raises Failure for one who is not here."""
        self.send(Kind.LINK_SPEED, nick)
        link = self.expect(Kind.LINK_SPEED_IS).data.rpartition(" ")[2]
        try:
            return number(link, 10)
        except Malformed as error:
            raise ConnectionError(f"the directory sent a bad answer: {error}") from error

    def holders(self, md5: str, bytes_: int) -> list[Holder]:
        """Who has a file of that checksum and size, under whatever name (215)."""
        self.send(Kind.RESUME, f"{md5} {bytes_}")
        found = []
        ends = Kind.RESUME_END
        while (message := self.expect(Kind.RESUME_HOLDER, ends)).kind != ends:
            try:
                found.append(Holder.parse(message.data))
            except Malformed as error:
                raise ConnectionError(f"the directory sent a bad answer: {error}") from error
        return found

    def request(self, nick: str, name: str) -> tuple[GoAhead | None, int]:
        """Ask for leave to fetch `name` of `nick` (203): where from, or None when it is not
        to be had (206); and the bytes sent."""
        asked = self.send(Kind.DOWNLOAD, Wish(nick, name).data())
        while True:
            message = self.expect(Kind.GO_AHEAD, Kind.NOT_TO_BE_HAD)
            try:
                if message.kind == Kind.GO_AHEAD:
                    answer = GoAhead.parse(message.data)
                    if (answer.nick.lower(), answer.name) == (nick.lower(), name):
                        return answer, asked
                elif Wish.parse(message.data).name == name:
                    return None, asked
            except Malformed as error:
                raise ConnectionError(f"the directory sent a bad answer: {error}") from error
