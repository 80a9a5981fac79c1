"""Checks that one instant came before another, by what causes what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from labctl.sequence.connection import Connection
from labctl.sequence.events import Call
from labctl.sequence.pattern import wire
from labctl.sequence.pattern.calls import NOT_FINAL, plain_sign
from labctl.sequence.pattern.groups import Groups
from labctl.sequence.pattern.missed import Missed
from labctl.sequence.pattern.model import Instant, Pattern
from labctl.sequence.pattern.seen import Seen
from labctl.sequence.pattern.show import milliseconds
from labctl.sequence.pattern.signs import Sign, asks_any, asks_segment
from labctl.sequence.pattern.verdict import Failure


class Before:
    """Finds instants on each connection, and asks the timeline for their order."""

    def __init__(self, pattern: Pattern, seen: Seen, missed: Missed, zero: int) -> None:
        self._pattern, self._seen, self._missed, self._zero = pattern, seen, missed, zero
        self._elsewhere: dict[str, Any] = {}

    def judge(self, connections: Sequence[Connection], failing: set[int]) -> list[Failure]:
        """Return the pairs that are not in the wanted order, alike ones as one."""
        groups = Groups(failing)
        for connection in connections:
            for first, second in self._pattern.before:
                kind, said = self._said(first, second, connection)
                if kind:
                    failure = Failure("before", said, connection, zero=self._zero)
                    groups.add((first, second, kind), failure)
        return groups.failures()

    def _said(self, first: Instant, second: Instant, connection: Connection) -> tuple[str, str]:
        """Return what kind of failure it is, and a sentence on it; empty where it is none."""
        a, b = self._find(first, connection), self._find(second, connection)
        for instant, moment in ((first, a), (second, b)):
            if moment is None and self._missed.instant(instant, connection):
                return "", ""
            if moment is None:
                return instant.text, f"{instant.text} did not happen on this connection."
        order = self._seen.order(a, b).name
        if order == "BEFORE":
            return "", ""
        if order == "AFTER":
            return order, (
                f"{second.text} came first, at {self._at(b)}; {first.text} only at {self._at(a)}."
            )
        return order, (
            f"Nothing orders {first.text} (at {self._at(a)}) and {second.text} "
            f"(at {self._at(b)}): neither causes the other, so that next time it may be the "
            "other way round."
        )

    def _at(self, moment: Any) -> str:
        return milliseconds(moment.time - self._zero)

    def _find(self, instant: Instant, connection: Connection) -> Any:
        """Return the moment of an instant: on the connection, or of a host that is at neither
        end, anywhere. None where it never was."""
        if instant.host in (connection.client.host, connection.server.host):
            return self._on(instant, connection)
        if instant.text not in self._elsewhere:
            self._elsewhere[instant.text] = self._anywhere(instant)
        return self._elsewhere[instant.text]

    def _on(self, instant: Instant, connection: Connection) -> Any:
        if not instant.of_call:
            return self._segment(instant, (connection,))
        sides = [side for side in connection.sides if side.host == instant.host]
        return self._call(instant, (call for side in sides for call in side.calls))

    def _anywhere(self, instant: Instant) -> Any:
        if not instant.of_call:
            return self._segment(instant, self._seen.connections)
        calls = (call for call in self._seen.calls if call.host == instant.host)
        return self._call(instant, (call for call in calls if call.socket is not None))

    def _call(self, instant: Instant, calls: Iterable[Call]) -> Any:
        for call in calls:
            sign = plain_sign(call)
            wanted = instant.atom.result is not None or sign.result not in NOT_FINAL
            if wanted and asks_any(instant.atom, sign):
                found = self._moments.get((id(call), instant.kind))
                if found is not None:
                    return found
        return None

    def _segment(self, instant: Instant, connections: Iterable[Connection]) -> Any:
        """Return when a host first sent or received such a segment, a repeated one too."""
        found = []
        for connection in connections:
            for segment, words in wire.labelled(connection):
                seen = segment.sent if instant.kind == "sent" else segment.received
                if seen is None or seen.host != instant.host:
                    continue
                sender = wire.sender_of(segment, connection)
                if any(asks_segment(instant.atom, Sign(word, sender=sender)) for word in words):
                    found.append(self._moments.get((id(segment), instant.kind)))
                    break
        return min((m for m in found if m is not None), key=lambda m: m.time, default=None)

    @cached_property
    def _moments(self) -> dict[tuple[int, str], Any]:
        kinds = {instant.kind for pair in self._pattern.before for instant in pair}
        moments = (moment for moment in self._seen.moments if moment.kind in kinds)
        return {(id(moment.event), moment.kind): moment for moment in moments}
