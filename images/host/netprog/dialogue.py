"""What the directory answers to each message. Pure: messages in, frames out.

A visitor is a connection, known by a number; it becomes a user by logging in. Nothing a
visitor sends raises an exception: what is malformed or unknown gets 404 and changes nothing.
What is answered to users stands in files_dialogue.py, transfers_dialogue.py, users_dialogue.py.
"""

from collections.abc import Callable

import files_dialogue
import transfers_dialogue
import users_dialogue
from conversation import Answer, Conversation, Handler, answer
from messages import Login
from napster import MOST_DATA, NICK, Kind, Malformed, Message, size
from table import Table, TableFull, User

EMAIL = "anon@example.invalid"

MOST_SEEN = 100_000
"""Nicks of whom it is remembered when they left."""

HANDLERS: dict[int, Handler] = {
    **files_dialogue.HANDLERS,
    **transfers_dialogue.HANDLERS,
    **users_dialogue.HANDLERS,
}


class Dialogue:
    """The state of all conversations, and the table they fill.

    `epoch` is what to add to the times given to get seconds since 1970.
    """

    def __init__(self, log: Callable[[str], None] = lambda _line: None, epoch: float = 0) -> None:
        self._room = Conversation(log=log, epoch=epoch)
        self._addresses: dict[int, str] = {}

    @property
    def table(self) -> Table:
        return self._room.table

    def arrive(self, visitor: int, ip: str) -> None:
        """A connection from `ip` has been accepted."""
        self._addresses[visitor] = ip

    def logged_in(self, visitor: int) -> bool:
        return visitor in self._room.users

    def receive(self, visitor: int, message: Message, now: float) -> list[Answer]:
        """The answers to one message, for its sender and for others; `now` is in seconds."""
        user = self._room.users.get(visitor)
        try:
            if size(message.data) > MOST_DATA:
                raise Malformed(f"more than {MOST_DATA} bytes of data")
            if user is None:
                return self._before_login(visitor, message, now)
            handler = HANDLERS.get(message.kind)
            if handler is None:
                raise Malformed("this directory does not know the type")
            return handler(self._room, user, message.data, now)
        except Malformed as error:
            return [answer(visitor, Kind.ERROR, f"{message.kind}: {error}")]
        except TableFull:
            return [answer(visitor, Kind.ERROR, f"{message.kind}: no more files can be taken")]

    def leave(self, visitor: int, now: float) -> list[Answer]:
        """The connection is gone, and with it the user and its files."""
        room = self._room
        del self._addresses[visitor]
        user = room.users.pop(visitor, None)
        if user is None:
            return []
        room.table.leave(user.nick)
        room.log(f"{user.nick} left")
        if len(room.last_seen) >= MOST_SEEN:
            del room.last_seen[next(iter(room.last_seen))]
        room.last_seen[user.nick.lower()] = now
        for waiting in [w for w in room.waiting if w.asker == visitor]:
            del room.waiting[waiting]
        return room.give_up(user, [w for w in room.waiting if w.holder == visitor])

    def tick(self, now: float) -> list[Answer]:
        """206 for those whose holder has not answered in time."""
        room = self._room
        late = [waiting for waiting, until in room.waiting.items() if until <= now]
        return [
            said for waiting in late for said in room.give_up(room.users[waiting.holder], [waiting])
        ]

    @property
    def waiting(self) -> bool:
        """Whether `tick` has something to watch."""
        return bool(self._room.waiting)

    def _before_login(self, visitor: int, message: Message, now: float) -> list[Answer]:
        if message.kind in (Kind.LOGIN, Kind.REGISTER):
            return self._login(visitor, message.data, now)
        if message.kind == Kind.NICK_CHECK:
            return [answer(visitor, self._nick_check(message.data))]
        return _refuse(visitor, "log in first")

    def _nick_check(self, nick: str) -> Kind:
        if not NICK.fullmatch(nick):
            return Kind.NICK_INVALID
        return Kind.NICK_TAKEN if self.table.user(nick) else Kind.NICK_FREE

    def _login(self, visitor: int, data: str, now: float) -> list[Answer]:
        try:
            login = Login.parse(data)
        except Malformed as error:
            return _refuse(visitor, str(error))
        ip = self._addresses[visitor]
        user = User(login.nick, ip, login.port, login.link, login.client, visitor, now)
        if not self.table.join(user):
            return _refuse(visitor, f"{login.nick} is logged in already")
        self._room.users[visitor] = user
        self._room.last_seen.pop(user.nick.lower(), None)
        self._room.log(f"{user.nick} joined from {user.ip}, data port {user.port}")
        return [
            answer(visitor, Kind.LOGIN_ACCEPTED, EMAIL),
            *users_dialogue.message_of_the_day(self._room, user, "", now),
            *users_dialogue.statistics(self._room, user, "", now),
        ]


def _refuse(visitor: int, text: str) -> list[Answer]:
    return [answer(visitor, Kind.LOGIN_ERROR, text), Answer(visitor, None)]
