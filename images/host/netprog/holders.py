"""Who is asked for a file first, and which of the holders have the same one. Pure."""

import random
from collections.abc import Iterable
from typing import NamedTuple

from command import Failure
from messages import File, Result
from receiving import local_name

Content = tuple[str, int]
"""Checksum and size in bytes, as the directory knows them: the same file, by all it tells."""


class Holder(NamedTuple):
    """Somebody who has the file, and the measured round trip to it in seconds."""

    nick: str
    ip: str
    file: File
    round_trip: float | None = None

    @classmethod
    def of(cls, result: Result) -> "Holder":
        return cls(result.nick, result.ip, result.file)

    @property
    def content(self) -> Content:
        return self.file.md5, self.file.size


def is_called(file: File, name: str) -> bool:
    """Whether it is `name`, or would have that name here."""
    try:
        return name in (file.name, local_name(file.name))
    except Failure:
        return False


def ordered(holders: list[Holder], *, nearest: bool) -> list[Holder]:
    """In the order in which they are to be asked: the nearest first, or at random.

    Those with the same content as the first come next: what has come of one goes on with
    another. Who gave no answer to the measuring comes last.
    """
    if nearest:
        far = float("inf")
        row = sorted(holders, key=lambda h: far if h.round_trip is None else h.round_trip)
    else:
        row = random.sample(holders, len(holders))
    groups = list(dict.fromkeys(holder.content for holder in row))
    return sorted(row, key=lambda holder: groups.index(holder.content))


def without(holders: Iterable[Holder], nicks: set[str], only: str | None) -> list[Holder]:
    """Those that are none of `nicks` (lower case), and `only` that one where it is given."""
    return [
        holder
        for holder in holders
        if holder.nick.lower() not in nicks and only in (None, holder.nick.lower())
    ]
