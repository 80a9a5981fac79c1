"""Keeping a peer known to the directory: registered, its files up to date, and again after
every loss of the directory."""

import time
from collections.abc import Callable

from command import Failure, endpoint, reason, say
from messages import File, GoAhead, Wish
from napster import Kind, Malformed
from outbox import Outbox
from session import Session
from share import Share

LASTING_SECONDS = 5.0
"""A registration that was held so long has worked."""


class Registration:
    """One peer's place in the directory's table. `keep` runs until SIGTERM ends it.

    `push` is called with each 501: who waits for which file, and where. Other threads put
    the beginnings and ends of uploads (220, 221) into `outbox`.
    """

    def __init__(
        self,
        share: Share,
        nick: str,
        data_port: int,
        link: int,
        rescan: float,
        *,
        outbox: Outbox,
        push: Callable[[GoAhead], None],
    ) -> None:
        self._outbox = outbox
        self._push = push
        self._uploads = 0
        self._share = share
        self._nick = nick
        self._data_port = data_port
        self._link = link
        self._rescan = rescan
        self._announced: dict[str, File] = {}

    def keep(self, host: str, port: int) -> None:
        """Register and stay registered; after a failure or a loss try again, at most 2 s later.

        The pause doubles from 0.1 s to 2 s and starts anew after a registration that lasted:
        a directory that lets the peer in and hangs up at once is not called in a tight loop.
        """
        pause = 0.1
        last = ""
        while True:
            try:
                session = Session.open(host, port, self._nick, self._data_port, self._link)
            except (OSError, Failure) as error:
                why = reason(error) if isinstance(error, OSError) else str(error)
                if why != last:
                    say(f"not registered with {endpoint((host, port))}: {why}")
                last = why
            else:
                last = ""
                if self._stay(session) >= LASTING_SECONDS:
                    pause = 0.1
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _stay(self, session: Session) -> float:
        """Follow the folder until the directory is lost; returns for how many seconds."""
        began = time.monotonic()
        try:
            self._follow(session)
        except OSError as error:
            say(f"directory lost: {reason(error)}")
        finally:
            # Ends the registration, too: the directory needs no message for that.
            session.close()
        return time.monotonic() - began

    def _follow(self, session: Session) -> None:
        """Answer the directory and tell it of every change of the folder, until it is lost."""
        self._announced = {}
        self._announce(session)
        # A directory that was away counts from nothing.
        for _ in range(self._uploads):
            session.send(Kind.UPLOAD_BEGUN)
        say(f"registered as {self._nick} with {endpoint(session.remote)}")
        scanned = time.monotonic()
        while True:
            left = scanned + self._rescan - time.monotonic()
            message = session.receive(left, self._outbox.bell) if left > 0 else None
            if message is not None:
                self._answer(session, message.kind, message.data)
            kinds = self._outbox.take()
            # All of them count, also where the directory is lost between two of them.
            self._uploads += sum(1 if kind == Kind.UPLOAD_BEGUN else -1 for kind in kinds)
            for kind in kinds:
                session.send(kind)
            if time.monotonic() >= scanned + self._rescan:
                self._announce(session)
                scanned = time.monotonic()

    def _announce(self, session: Session) -> None:
        files = self._share.scan()
        for name, file in list(self._announced.items()):
            if files.get(name) != file:
                session.send(Kind.UNSHARE, name)
                del self._announced[name]
        for name, file in files.items():
            if name not in self._announced:
                session.send(Kind.SHARE, file.data())
                self._announced[name] = file

    def _answer(self, session: Session, kind: int, data: str) -> None:
        try:
            if kind == Kind.WANTED:
                wish = Wish.parse(data)
                if wish.name in self._announced:
                    session.send(Kind.ACCEPTED, wish.data())
            elif kind == Kind.PUSH_TO:
                where = GoAhead.parse(data)
                if where.port and where.name in self._announced:
                    self._push(where)
        except Malformed:
            return
        if kind == Kind.ERROR:
            say(f"the directory answers: {data}")
