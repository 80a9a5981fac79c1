"""Who waits for whom: whether anybody can still end a wait on a TCP connection."""

from __future__ import annotations

from collections import defaultdict

from labctl.sequence.diagnose.blocked import Wait, waits
from labctl.sequence.diagnose.coming import comes
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.users import Users
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

_MARGIN = 100_000_000
"""Nanoseconds before the end of a wait that it is judged at: what ends it may be stamped late."""

Key = tuple[str, int, int]
"""The `key` of a wait."""


class Waits:
    """The waits of a recording. `all` has them in the order in which they ended."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._users = Users(facts)
        self.all = sorted(waits(facts), key=lambda wait: facts.until(wait.call))
        self._by_key = {wait.key: wait for wait in self.all}
        self._stuck: dict[int, dict[Key, bool]] = defaultdict(dict)

    def judged_at(self, wait: Wait) -> int:
        """Return the time at which a wait is judged: when those that it waits for still wait."""
        call, ends = wait.call, self._facts.ends
        until = self._facts.until(call)
        ended = (call.host, call.tid) in ends or (call.host, call.pid) in ends
        if call.end is None and not ended:
            return until
        return until - min(_MARGIN, (until - call.start) // 8)

    def stuck(self, wait: Wait, time: int) -> bool:
        """Return whether nobody could end a wait at a time but those who are stuck themselves."""
        known = self._stuck[time]
        if wait.key not in known:
            self._judge(wait, time, known)
        return known[wait.key]

    def _judge(self, wait: Wait, time: int, known: dict[Key, bool]) -> None:
        """Judge a wait and all that it leads to: who can go on is taken away, the rest is stuck."""
        behind: dict[Key, list[Key]] = defaultdict(list)
        found: dict[Key, bool] = {}
        free: list[Key] = []
        todo = [wait]
        while todo:
            one = todo.pop()
            if one.key in found or one.key in known:
                continue
            found[one.key] = True
            helpers = [] if self.comes(one, time) else self.helpers(one, time)
            for helper in helpers:
                behind[helper.key].append(one.key)
            if not helpers or any(known.get(helper.key) is False for helper in helpers):
                free.append(one.key)
            todo += helpers
        while free:
            key = free.pop()
            if found.get(key):
                found[key] = False
                free += behind[key]
        known.update(found)

    def comes(self, wait: Wait, time: int) -> bool:
        """Return whether something was there or on its way by a time that ends a wait."""
        return comes(self._facts, wait, time)

    def helpers(self, wait: Wait, time: int) -> list[Wait]:
        """Return the waits of all who could end a wait; none where one of them is not blocked."""
        found = [
            call and self._by_key.get((call.host, call.tid, call.start))
            for call in self._calls_of_users(wait, time)
        ]
        certain = [one for one in found if one]
        return certain if len(certain) == len(found) else []

    def all_accept(self, wait: Wait, time: int) -> list[Call]:
        """Return the accepts in which all who could end a wait are blocked; none otherwise."""
        calls = self._calls_of_users(wait, time)
        accepts = [call for call in calls if call and verb(call.name) == "accept"]
        if len(accepts) < len(calls):
            return []
        return sorted(accepts, key=lambda call: call.start)

    def _calls_of_users(self, wait: Wait, time: int) -> list[Call | None]:
        """Return what each who could end a wait was blocked in, None of one who was not."""
        users = self._users.of(wait.connection, wait.other, time)
        return [self._users.current(thread, time) for thread in sorted(users)]
