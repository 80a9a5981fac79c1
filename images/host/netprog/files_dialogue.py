"""The directory's answers about files: sharing, searching, browsing. Pure.

Each handler raises Malformed for data that does not follow the protocol.
"""

from collections.abc import Iterable

from conversation import Answer, Conversation, Handler, answer
from messages import File, Holder, checksum_and_size, folder_of_files, nick_alone, unshared_name
from napster import HEADER, MOST_DATA, Kind, Malformed
from query import MOST_RESULTS, Search
from table import User


def share(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    room.table.share(user, File.parse(data))
    return []


def share_folder(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    for file in folder_of_files(data):
        room.table.share(user, file)
    return []


def unshare(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    name = unshared_name(data)
    if not room.table.unshare(user, name):
        raise Malformed("that file is not shared")
    gone = [w for w in room.waiting if w.holder == user.visitor and w.name == name]
    return room.give_up(user, gone)


def search(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    found = room.table.search(Search.parse(data), user)
    results = (f"{file.data()} {holder.place}" for file, holder in found)
    return _listed(user.visitor, Kind.RESULT, results, Kind.RESULTS_END)


def browse(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    nick = nick_alone(data)
    browsed = room.table.user(nick)
    files = [item.file for item in browsed.items.values()] if browsed else []
    lines = (f"{nick} {file.data()}" for file in files)
    return _listed(user.visitor, Kind.BROWSED, lines, Kind.BROWSE_END, nick)


def resume(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    md5, size = checksum_and_size(data)
    holders = [
        Holder(holder.nick, holder.ip, holder.port, file, holder.link).data()
        for file, holder in room.table.same(md5, size, MOST_RESULTS)
        if holder is not user
    ]
    return _listed(user.visitor, Kind.RESUME_HOLDER, holders, Kind.RESUME_END)


def _listed(to: int, kind: Kind, lines: Iterable[str], end: Kind, data: str = "") -> list[Answer]:
    """One message a line and then the end, as one answer: there may be thousands."""
    frames: list[bytes] = []
    for line in lines:
        raw = line.encode("utf-8", "surrogateescape")
        # A name that just fits into a 100 may not fit beside a long nick: nobody can ask for it.
        if len(raw) <= MOST_DATA:
            frames += (HEADER.pack(len(raw), kind), raw)
    return [Answer(to, b"".join(frames)), answer(to, end, data)]


HANDLERS: dict[int, Handler] = {
    Kind.SHARE: share,
    Kind.SHARE_FOLDER: share_folder,
    Kind.UNSHARE: unshare,
    Kind.SEARCH: search,
    Kind.BROWSE: browse,
    Kind.RESUME: resume,
}
