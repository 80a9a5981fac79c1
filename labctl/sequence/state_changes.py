"""Gives each change of a TCP state to the connection that it was of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable

from labctl.sequence.draft import Draft
from labctl.sequence.endpoints import loopback
from labctl.sequence.events import Endpoint, StateChange
from labctl.sequence.processes import COARSE

_WINDOW = 64
"""Among how many connections, in the order of time, that of a change is looked for."""

_Pair = tuple[str, frozenset[Endpoint]]
"""Two endpoints, and the host where both are its own loopback."""


def give_states(drafts: Iterable[Draft], changes: Iterable[StateChange]) -> None:
    """Give each change of state to the connection of its endpoints that was there then.

    A change to SYN-SENT does not tell the local port where the kernel chooses it afterwards:
    it is of the connection whose SYN was sent next.
    """
    drafts = list(drafts)
    unnamed = _Unnamed(drafts)
    lives: dict[_Pair, list[tuple[int, Draft]]] = defaultdict(list)
    for draft in drafts:
        one, other = draft.client.endpoint, draft.server.endpoint
        if draft.protocol == "tcp" and one is not None and other is not None:
            host = draft.client.host or draft.server.host or ""
            lives[_pair(host, one, other)].append((_opened(draft), draft))
    for life in lives.values():
        life.sort(key=_begin)
    for change in changes:
        if not change.local.port:
            unnamed.give(change)
            continue
        found = lives.get(_pair(change.host, change.local, change.remote))
        if found:
            place = bisect_right(found, change.time + COARSE, key=_begin)
            found[max(place - 1, 0)][1].states.append(change)


class _Unnamed:
    """The connections that a change may be of that does not tell the local port."""

    def __init__(self, drafts: Iterable[Draft]) -> None:
        self._to: dict[tuple[str | None, Endpoint | None], list[tuple[int, Draft]]]
        self._to = defaultdict(list)
        self._given: set[int] = set()
        for draft in drafts:
            if draft.protocol == "tcp":
                self._to[draft.client.host, draft.server.endpoint].append((draft.begin, draft))
        for found in self._to.values():
            found.sort(key=_begin)

    def give(self, change: StateChange) -> None:
        found = self._to.get((change.host, change.remote), [])
        place = bisect_left(found, change.time - COARSE, key=_begin)
        # Where no segment was seen, a connection begins with the call, before the change.
        for _, draft in [*found[place : place + _WINDOW], *found[max(place - _WINDOW, 0) : place]]:
            early = draft.begin < change.time - COARSE
            asked = _opened(draft) <= change.time + COARSE
            if asked and id(draft) not in self._given and not (early and draft.segments):
                self._given.add(id(draft))
                draft.states.append(change)
                return


def _pair(host: str, one: Endpoint, other: Endpoint) -> _Pair:
    return (host if loopback(one.address) else "", frozenset((one, other)))


def _opened(draft: Draft) -> int:
    """Return when a connection was first asked for: its SYN comes after its state changes."""
    connects = (call.start for call in draft.client.calls if call.name == "connect")
    return min(next(connects, draft.begin), draft.begin)


def _begin(life: tuple[int, Draft]) -> int:
    return life[0]
