"""What all parts of the directory's dialogue share: who is there, and what an answer is. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from messages import Wish
from napster import Kind, Message, encode
from table import Table, User


class Answer(NamedTuple):
    """Bytes for visitor `to`: one whole message or more; None ends that visitor's connection."""

    to: int
    frames: bytes | None


def answer(to: int, kind: int, data: str = "") -> Answer:
    """One message for visitor `to`. Raises Malformed when its data is too long."""
    return Answer(to, encode(Message(kind, data)))


class Waiting(NamedTuple):
    """Somebody who has asked (203) and waits until the holder accepts (608)."""

    asker: int
    holder: int
    name: str


@dataclass
class Conversation:
    """The table, and who waits for whom until when (in the seconds that the caller counts)."""

    log: Callable[[str], None] = lambda _line: None
    table: Table = field(default_factory=Table)
    waiting: dict[Waiting, float] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    """By visitor: those who are logged in."""
    last_seen: dict[str, float] = field(default_factory=dict)
    """By nick in lower case: when those left who are not here any more. Bounded."""
    epoch: float = 0
    """Seconds since 1970 at the caller's time 0."""

    def give_up(self, holder: User, waitings: list[Waiting]) -> list[Answer]:
        """206 for those who wait in vain for the holder."""
        for waiting in waitings:
            del self.waiting[waiting]
        return [
            answer(w.asker, Kind.NOT_TO_BE_HAD, Wish(holder.nick, w.name).data()) for w in waitings
        ]


Handler = Callable[[Conversation, User, str, float], list[Answer]]
"""What is answered to one message of a user: its data, and the time in seconds."""
