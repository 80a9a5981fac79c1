"""The directory's answers about users and about itself. Pure."""

from conversation import Answer, Conversation, Handler, answer
from messages import nick_alone
from napster import Kind, quoted
from table import User

WELCOME = "Welcome to the directory."


def statistics(room: Conversation, user: User, _data: str, _now: float) -> list[Answer]:
    users, files, gigabytes = room.table.statistics()
    return [answer(user.visitor, Kind.STATISTICS, f"{users} {files} {gigabytes}")]


def message_of_the_day(_room: Conversation, user: User, _data: str, _now: float) -> list[Answer]:
    return [answer(user.visitor, Kind.MESSAGE_OF_THE_DAY, WELCOME)]


def link_speed(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    asked = room.table.user(nick_alone(data))
    if asked is None:
        return [not_here(user, Kind.LINK_SPEED, data)]
    return [answer(user.visitor, Kind.LINK_SPEED_IS, f"{asked.nick} {asked.link}")]


def whois(room: Conversation, user: User, data: str, now: float) -> list[Answer]:
    """604: `nick "level" seconds-here "channels" "status" files downloads uploads link "client"`,
    or 605: `nick "level" last-seen`, for one who was here."""
    nick = nick_alone(data)
    asked = room.table.user(nick)
    if asked is not None:
        counts = f"{len(asked.items)} {asked.downloads} {asked.uploads} {asked.link}"
        here = f'{asked.nick} "User" {int(now - asked.since)} "" "Active"'
        return [answer(user.visitor, Kind.WHOIS_IS, f"{here} {counts} {quoted(asked.client)}")]
    seen = room.last_seen.get(nick.lower())
    if seen is None:
        return [not_here(user, Kind.WHOIS, nick)]
    return [answer(user.visitor, Kind.WHOWAS, f'{nick} "User" {int(room.epoch + seen)}')]


def ping(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    return _pass_on(room, user, Kind.PING, data)


def pong(room: Conversation, user: User, data: str, _now: float) -> list[Answer]:
    return _pass_on(room, user, Kind.PONG, data)


def _pass_on(room: Conversation, user: User, kind: Kind, data: str) -> list[Answer]:
    other = room.table.user(nick_alone(data))
    if other is None:
        return [not_here(user, kind, data)]
    return [answer(other.visitor, kind, user.nick)]


def not_here(user: User, kind: Kind, nick: str) -> Answer:
    return answer(user.visitor, Kind.ERROR, f"{kind}: {nick} is not here")


HANDLERS: dict[int, Handler] = {
    Kind.STATISTICS: statistics,
    Kind.MESSAGE_OF_THE_DAY: message_of_the_day,
    Kind.LINK_SPEED: link_speed,
    Kind.WHOIS: whois,
    Kind.PING: ping,
    Kind.PONG: pong,
}
