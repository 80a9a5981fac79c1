"""What the directory answers to each message. Pure: messages in, messages out.

A visitor is a connection, known by a number; it becomes a user by logging in. Nothing a
visitor sends raises an exception: what is malformed or unknown gets 404 and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from messages import File, GoAhead, Login, Wish, unshared_name
from napster import MOST_DATA, NICK, Kind, Malformed, Message, number, size
from query import Search
from table import Table, TableFull, User

PATIENCE = 10.0
"""Seconds a holder has for its 608 until the one who asked gets 206."""

MOST_WISHES = 32
"""Requests of one user that may wait for holders at the same time."""

EMAIL = "anon@example.invalid"


class Answer(NamedTuple):
    """A message for visitor `to`; None in its place ends that visitor's connection."""

    to: int
    message: Message | None


@dataclass
class Visitor:
    ip: str
    user: User | None = None


class Waiting(NamedTuple):
    """Somebody who has asked (203) and waits until the holder accepts (608)."""

    asker: int
    holder: int
    name: str


class Dialogue:
    """The state of all conversations, and the table they fill."""

    def __init__(self, log: Callable[[str], None] = lambda _line: None) -> None:
        self.table = Table()
        self._log = log
        self._visitors: dict[int, Visitor] = {}
        self._numbers: dict[str, int] = {}
        self._waiting: dict[Waiting, float] = {}
        self._handlers: dict[int, Callable[[int, User, str, float], list[Answer]]] = {
            Kind.SHARE: self._share,
            Kind.UNSHARE: self._unshare,
            Kind.SEARCH: self._search,
            Kind.DOWNLOAD: self._download,
            Kind.ACCEPTED: self._accepted,
            Kind.STATISTICS: self._statistics,
            Kind.DATA_PORT: self._data_port,
        }

    def arrive(self, visitor: int, ip: str) -> None:
        """A connection from `ip` has been accepted."""
        self._visitors[visitor] = Visitor(ip)

    def logged_in(self, visitor: int) -> bool:
        return self._visitors[visitor].user is not None

    def receive(self, visitor: int, message: Message, now: float) -> list[Answer]:
        """The answers to one message, for its sender and for others."""
        user = self._visitors[visitor].user
        try:
            if size(message.data) > MOST_DATA:
                raise Malformed(f"more than {MOST_DATA} bytes of data")
            if user is None:
                return self._before_login(visitor, message)
            handler = self._handlers.get(message.kind)
            if handler is None:
                raise Malformed("this directory does not know the type")
            return handler(visitor, user, message.data, now)
        except Malformed as error:
            return _error(visitor, message.kind, str(error))
        except TableFull:
            return _error(visitor, message.kind, "no more files can be taken")

    def leave(self, visitor: int) -> list[Answer]:
        """The connection is gone, and with it the user and its files."""
        user = self._visitors.pop(visitor).user
        if user is None:
            return []
        self.table.leave(user.nick)
        del self._numbers[user.nick]
        self._log(f"{user.nick} left")
        for waiting in [w for w in self._waiting if w.asker == visitor]:
            del self._waiting[waiting]
        return self._give_up(user, [w for w in self._waiting if w.holder == visitor])

    def tick(self, now: float) -> list[Answer]:
        """206 for those whose holder has not answered in time."""
        late = [waiting for waiting, until in self._waiting.items() if until <= now]
        answers = []
        for waiting in late:
            holder = self._visitors[waiting.holder].user
            assert holder is not None
            answers += self._give_up(holder, [waiting])
        return answers

    @property
    def waiting(self) -> bool:
        """Whether `tick` has something to watch."""
        return bool(self._waiting)

    def _give_up(self, holder: User, waitings: list[Waiting]) -> list[Answer]:
        for waiting in waitings:
            del self._waiting[waiting]
        return [
            Answer(w.asker, Message(Kind.NOT_TO_BE_HAD, Wish(holder.nick, w.name).data()))
            for w in waitings
        ]

    def _before_login(self, visitor: int, message: Message) -> list[Answer]:
        if message.kind in (Kind.LOGIN, Kind.REGISTER):
            return self._login(visitor, message.data)
        if message.kind == Kind.NICK_CHECK:
            return [Answer(visitor, Message(self._nick_check(message.data)))]
        return _refuse(visitor, "log in first")

    def _nick_check(self, nick: str) -> Kind:
        if not NICK.fullmatch(nick):
            return Kind.NICK_INVALID
        return Kind.NICK_TAKEN if self.table.user(nick) else Kind.NICK_FREE

    def _login(self, visitor: int, data: str) -> list[Answer]:
        try:
            login = Login.parse(data)
        except Malformed as error:
            return _refuse(visitor, str(error))
        user = User(login.nick, self._visitors[visitor].ip, login.port, login.link)
        if not self.table.join(user):
            return _refuse(visitor, f"{login.nick} is logged in already")
        self._visitors[visitor].user = user
        self._numbers[user.nick] = visitor
        self._log(f"{user.nick} joined from {user.ip}, data port {user.port}")
        return [
            Answer(visitor, Message(Kind.LOGIN_ACCEPTED, EMAIL)),
            Answer(visitor, Message(Kind.MESSAGE_OF_THE_DAY, "Welcome to the directory.")),
            *self._statistics(visitor, user, "", 0),
        ]

    def _share(self, _visitor: int, user: User, data: str, _now: float) -> list[Answer]:
        self.table.share(user.nick, File.parse(data))
        return []

    def _unshare(self, visitor: int, user: User, data: str, _now: float) -> list[Answer]:
        name = unshared_name(data)
        if not self.table.unshare(user.nick, name):
            raise Malformed("that file is not shared")
        gone = [w for w in self._waiting if w.holder == visitor and w.name == name]
        return self._give_up(user, gone)

    def _search(self, visitor: int, user: User, data: str, _now: float) -> list[Answer]:
        results = self.table.search(Search.parse(data), user.nick)
        found = [Answer(visitor, Message(Kind.RESULT, result.data())) for result in results]
        return [*found, Answer(visitor, Message(Kind.RESULTS_END))]

    def _download(self, visitor: int, user: User, data: str, now: float) -> list[Answer]:
        wish = Wish.parse(data)
        holder = self.table.user(wish.nick)
        mine = sum(waiting.asker == visitor for waiting in self._waiting)
        if (
            holder is None
            or holder is user
            or wish.name not in holder.files
            or holder.port == 0
            or mine >= MOST_WISHES
        ):
            return [Answer(visitor, Message(Kind.NOT_TO_BE_HAD, wish.data()))]
        to = self._numbers[holder.nick]
        self._waiting[Waiting(visitor, to, wish.name)] = now + PATIENCE
        self._log(f"{user.nick} wants {wish.name} of {holder.nick}")
        return [Answer(to, Message(Kind.WANTED, Wish(user.nick, wish.name).data()))]

    def _accepted(self, visitor: int, user: User, data: str, _now: float) -> list[Answer]:
        wish = Wish.parse(data)
        asker = self.table.user(wish.nick)
        file = user.files.get(wish.name)
        to = -1 if asker is None else self._numbers[asker.nick]
        if file is None or self._waiting.pop(Waiting(to, visitor, wish.name), None) is None:
            raise Malformed("nobody waits for that")
        where = GoAhead(user.nick, user.ip, user.port, file.name, file.md5, user.link)
        return [Answer(to, Message(Kind.GO_AHEAD, where.data()))]

    def _statistics(self, visitor: int, _user: User, _data: str, _now: float) -> list[Answer]:
        users, files, gigabytes = self.table.statistics()
        return [Answer(visitor, Message(Kind.STATISTICS, f"{users} {files} {gigabytes}"))]

    def _data_port(self, _visitor: int, user: User, data: str, _now: float) -> list[Answer]:
        user.port = number(data, 65535)
        return []


def _error(visitor: int, kind: int, text: str) -> list[Answer]:
    return [Answer(visitor, Message(Kind.ERROR, f"{kind}: {text}"))]


def _refuse(visitor: int, text: str) -> list[Answer]:
    return [Answer(visitor, Message(Kind.LOGIN_ERROR, text)), Answer(visitor, None)]
