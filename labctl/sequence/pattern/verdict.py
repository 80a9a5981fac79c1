"""The answer to "is it as the pattern says": yes, or what is not, and what that means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from labctl.sequence.connection import Connection
from labctl.sequence.pattern.columns import table
from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.show import connection_text, count

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which what happened is not what should have happened.

    `subject` is the host, or `wire`, `never`, `before` or `connections`. `meaning` is one
    sentence in plain words. `connection` is the first that fails so, None where it is about
    none; `more` is how many others fail in the same way. `difference` has both sequences.
    `zero` is the time that shown times count from, in nanoseconds since the epoch.
    """

    subject: str
    meaning: str
    connection: Connection | None = None
    difference: Difference | None = None
    more: int = 0
    zero: int = 0

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        about = f", {connection_text(self.connection)}" if self.connection else ""
        yield f"{self.subject}{about}"
        if self.difference is not None:
            yield table(self.difference, self.zero)
        yield textwrap.fill(
            self.meaning,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
        if self.more:
            yield f"  and {count(self.more, 'more connection')} like it"


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What `Timeline.matches` returns: true where everything is as the pattern says.

    `connections` is how many were matched, `failing` how many of them are not as they should
    be. Of the hosts `missed` the first calls could not be judged, nor could `earlier`
    connections, which were there before, and `later` ones, which were under way at the end and
    not yet as they should be. `judged` and `failed` are the ids of those that were
    matched, and that are not as they should be. `str` gives the report.
    """

    failures: tuple[Failure, ...]
    connections: int
    failing: int = 0
    missed: tuple[str, ...] = ()
    earlier: int = 0
    judged: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    later: int = 0

    def __bool__(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        head = "\n".join(filter(None, (self._head, self.unjudged)))
        return "\n\n".join([head, *map(str, self.failures)])

    def __repr__(self) -> str:
        return f"<Verdict: {self._head}>"

    @property
    def unjudged(self) -> str:
        """One line on what was not judged, as it was before or after the recording; or empty."""
        what = []
        if self.missed:
            what.append(f"the first calls of {' and '.join(self.missed)}")
        if self.earlier:
            what.append(count(self.earlier, "connection"))
        told = f"{' and '.join(what)} from before the recording" if what else ""
        if self.later:
            told += f"{', ' if told else ''}{count(self.later, 'connection')} under way at its end"
        return f"not judged: {told}" if told else ""

    @property
    def _head(self) -> str:
        matched = count(self.connections, "connection")
        if not self.failures:
            return f"as the pattern says: {matched}"
        if self.failing:
            return f"not as the pattern says: {self.failing:,} of {matched}"
        return f"not as the pattern says ({matched} seen)"
