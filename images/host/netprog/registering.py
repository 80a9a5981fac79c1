"""Keeping a peer known to the directory: registered, its files up to date, and again after
every loss of the directory."""

import contextlib
import time

from command import Failure, endpoint, reason, say
from messages import File, Wish
from napster import Kind, Malformed
from session import Session
from share import Share


class Registration:
    """One peer's place in the directory's table. `keep` runs until SIGTERM ends it."""

    def __init__(self, share: Share, nick: str, data_port: int, link: int, rescan: float) -> None:
        self._share = share
        self._nick = nick
        self._data_port = data_port
        self._link = link
        self._rescan = rescan
        self._announced: dict[str, File] = {}

    def keep(self, host: str, port: int) -> None:
        """Register and stay registered; after a failure try again, at most 2 s later.

        The pause doubles from 0.1 s to 2 s while it fails and starts anew once it worked.
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
                time.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            pause, last = 0.1, ""
            try:
                self._follow(session)
            except OSError as error:
                say(f"directory lost: {reason(error)}")
            finally:
                session.close()

    def _follow(self, session: Session) -> None:
        """Answer the directory and tell it of every change of the folder, until it is lost."""
        self._announced = {}
        try:
            self._announce(session)
            say(f"registered as {self._nick} with {endpoint(session.remote)}")
            scanned = time.monotonic()
            while True:
                left = scanned + self._rescan - time.monotonic()
                message = session.receive(left) if left > 0 else None
                if message is not None:
                    self._answer(session, message.kind, message.data)
                if time.monotonic() >= scanned + self._rescan:
                    self._announce(session)
                    scanned = time.monotonic()
        except SystemExit:
            with contextlib.suppress(OSError):
                for name in self._announced:
                    session.send(Kind.UNSHARE, name)
            raise

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
        if kind == Kind.WANTED:
            try:
                wish = Wish.parse(data)
            except Malformed:
                return
            if wish.name in self._announced:
                session.send(Kind.ACCEPTED, wish.data())
        elif kind == Kind.ERROR:
            say(f"the directory answers: {data}")
