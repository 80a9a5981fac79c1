"""Holders that cannot be called: asked, by way of the directory, to call here instead (500)."""

import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from functools import partial

from command import Failure, say
from desk import Desk
from door import Awaited, Door
from messages import File, GoAhead, Wish
from napster import Kind
from session import Session

AGAIN_SECONDS = 10.0
"""How long one that was asked to call may take; after that it is asked again."""


class Callers:
    """Who is to call at `door`, and bring a file of `size` bytes.

    With None for the door nobody can call here.
    """

    def __init__(self, desk: Desk, door: Door | None, size: int) -> None:
        self.door = door
        self._desk = desk
        self._size = size
        self._holders: Mapping[str, GoAhead] = {}
        self._asked: dict[str, float] = {}
        self._wishes: queue.SimpleQueue[Wish] = queue.SimpleQueue()

    def __contains__(self, nick: str) -> bool:
        return nick.lower() in self._holders

    def add(self, holder: GoAhead) -> bool:
        """Have this one call, too; False where it cannot, or is to already."""
        if self.door is None or holder.nick in self:
            return False
        if not self._holders:
            threading.Thread(target=self._ask, daemon=True).start()
        # A new one each time: other threads may be reading the old one.
        self._holders = {**self._holders, holder.nick.lower(): holder}
        return True

    @property
    def awaited(self) -> Awaited:
        """What they bring, as the door wants to know it."""
        return {
            nick: File(holder.name, holder.md5, self._size)
            for nick, holder in self._holders.items()
        }

    def words(self) -> dict[bytes, str]:
        """What each of them says first, and its name of the file."""
        return {
            b"SEND" + os.fsencode(f'{holder.nick} "{holder.name}" {self._size}'): holder.name
            for holder in self._holders.values()
        }

    def invite(self, besides: Iterable[str] = ()) -> None:
        """Ask all but those `besides`, and those who were asked a moment ago, to call.

        Does not wait: that a directory has vanished may take long to be seen.
        """
        now = time.monotonic()
        here = {nick.lower() for nick in besides}
        for nick, holder in self._holders.items():
            if nick not in here and now >= self._asked.get(nick, -AGAIN_SECONDS) + AGAIN_SECONDS:
                self._asked[nick] = now
                self._wishes.put(Wish(holder.nick, holder.name))

    def open_door(self) -> bool:
        """Tell the directory where the door is; False where it knows, or there is none.

        Raises Failure when the directory is gone.
        """
        if self.door is None or self._desk.data_port:
            return False
        self._desk.announce(self.door.port)
        return True

    def came(self, nick: str) -> None:
        """This one has called: when it has gone it may be asked again at once."""
        self._asked.pop(nick.lower(), None)

    def _ask(self) -> None:
        while True:
            wish = self._wishes.get()
            try:
                self.open_door()
                self._desk.ask(partial(_push, wish=wish))
            except Failure as failure:
                say(f"{wish.nick} cannot be asked to call: {failure}")


def _push(session: Session, wish: Wish) -> None:
    session.send(Kind.PUSH, wish.data())
