"""The directory's part in a download: it brings the two together, and carries no byte. Pure.

203 asks the holder with 607; its 608 sends 204 to who asked. Where the holder cannot be
connected to (data port 0), who asked sends 500, and the holder is told with 501 to connect
out and push. Where neither can be connected to, there is no way: 206.
"""

from conversation import Answer, Conversation, Handler, Waiting, answer
from messages import File, GoAhead, Wish
from napster import Kind, Malformed, number
from table import User

PATIENCE = 10.0
"""Seconds a holder has for its 608 until the one who asked gets 206."""

MOST_WISHES = 32
"""Requests of one user that may wait for holders at the same time."""


def download(room: Conversation, user: User, data: str, now: float) -> list[Answer]:
    wish = Wish.parse(data)
    holder = _holder(room, user, wish)
    mine = sum(waiting.asker == user.visitor for waiting in room.waiting)
    if holder is None or mine >= MOST_WISHES:
        return [answer(user.visitor, Kind.NOT_TO_BE_HAD, wish.data())]
    room.waiting[Waiting(user.visitor, holder.visitor, wish.name)] = now + PATIENCE
    room.log(f"{user.nick} wants {wish.name} of {holder.nick}")
    return [answer(holder.visitor, Kind.WANTED, Wish(user.nick, wish.name).data())]


def accepted(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    wish = Wish.parse(data)
    asker = room.table.user(wish.nick)
    item = user.items.get(wish.name)
    to = -1 if asker is None else asker.visitor
    waiting = Waiting(to, user.visitor, wish.name)
    if item is None or room.waiting.pop(waiting, None) is None:
        raise Malformed("nobody waits for that")
    return [answer(to, Kind.GO_AHEAD, _where(user, item.file))]


def push(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    wish = Wish.parse(data)
    holder = _holder(room, user, wish)
    if holder is None or user.port == 0:
        return [answer(user.visitor, Kind.NOT_TO_BE_HAD, wish.data())]
    file = holder.items[wish.name].file
    room.log(f"{holder.nick} is to push {wish.name} to {user.nick}")
    return [answer(holder.visitor, Kind.PUSH_TO, _where(user, file))]


def _holder(room: Conversation, user: User, wish: Wish) -> User | None:
    """Whom the user can have the file of; not of one that is as unreachable as itself."""
    holder = room.table.user(wish.nick)
    if holder is None or holder is user or wish.name not in holder.items:
        return None
    return None if holder.port == user.port == 0 else holder


def _where(user: User, file: File) -> str:
    return GoAhead(user.nick, user.ip, user.port, file.name, file.md5, user.link).data()


def data_port(_room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    user.port = number(data, 65535)
    return []


def _count(what: str, by: int) -> Handler:
    def handler(_room: Conversation, user: User, _data: str, _now: float) -> list[Answer]:
        setattr(user, what, max(getattr(user, what) + by, 0))
        return []

    return handler


HANDLERS: dict[int, Handler] = {
    Kind.DOWNLOAD: download,
    Kind.ACCEPTED: accepted,
    Kind.PUSH: push,
    Kind.DATA_PORT: data_port,
    Kind.DOWNLOAD_BEGUN: _count("downloads", 1),
    Kind.DOWNLOAD_ENDED: _count("downloads", -1),
    Kind.UPLOAD_BEGUN: _count("uploads", 1),
    Kind.UPLOAD_ENDED: _count("uploads", -1),
}
