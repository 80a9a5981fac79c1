"""Failures that are alike become one, with their number."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from labctl.sequence.connection import Connection
from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.meaning import meaning
from labctl.sequence.pattern.verdict import Failure


class Groups:
    """Collects failures; of those alike, the first is kept and the others are counted.

    `failing` gets the `id` of each connection that fails.
    """

    def __init__(self, failing: set[int]) -> None:
        self._failing = failing
        self._first: dict[Hashable, Failure] = {}

    def add(self, key: Hashable, failure: Failure) -> None:
        """Add a failure that is like all others of the same key."""
        if failure.connection is not None:
            self._failing.add(failure.connection.id)
        first = self._first.get(key)
        if first is None:
            self._first[key] = failure
        else:
            self._first[key] = replace(first, more=first.more + 1)

    def add_difference(
        self, subject: str, difference: Difference, connection: Connection | None, zero: int
    ) -> None:
        """Add a sequence that is not as wanted."""
        sentence = meaning(difference)
        key = (subject, sentence, difference.element, difference.sign)
        self.add(key, Failure(subject, sentence, connection, difference, zero=zero))

    def failures(self) -> list[Failure]:
        return list(self._first.values())
