"""A pattern that has been read: what should have happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labctl.sequence.pattern.errors import Key
from labctl.sequence.pattern.syntax import Atom, Node

Elements = tuple[Node, ...]
"""What is asked for one after another; each stands for itself in a report."""


@dataclass(frozen=True, slots=True)
class Instant:
    """The first time that something happens on a host.

    `kind` is `call` or `return` of a call, `sent` or `received` of a segment.
    """

    host: str
    atom: Atom
    kind: str
    text: str

    @property
    def of_call(self) -> bool:
        return self.kind in ("call", "return")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a pattern names a host; `key` is True where the name is a key of a mapping."""

    host: str
    path: tuple[Key, ...]
    key: bool

    @property
    def at_top(self) -> bool:
        """Whether it stands where a mistyped key of the pattern would stand too."""
        return self.key and len(self.path) == 1


@dataclass(frozen=True, slots=True)
class Pattern:
    """What should have happened, per host, on the wire, never, and in which order.

    `protocol` is `tcp`, `udp`, or None for both. `least` and `most` say how many connections
    must be there; `most` None is any number. See docs/patterns.md.
    """

    hosts: Mapping[str, Elements] = field(default_factory=dict)
    wire: Elements | None = None
    never: Mapping[str, tuple[Atom, ...]] = field(default_factory=dict)
    before: tuple[tuple[Instant, Instant], ...] = ()
    port: int | None = None
    protocol: str | None = None
    least: int = 1
    most: int | None = None
    mentions: tuple[Mention, ...] = ()

    @property
    def between(self) -> frozenset[str]:
        """The hosts whose connections are meant; none: all connections."""
        return frozenset(self.hosts or (i.host for pair in self.before for i in pair))

    @property
    def about_connections(self) -> bool:
        """False where only calls that must never be made are named."""
        only_never = bool(self.never.keys() - {"wire"}) and not (
            self.hosts or self.wire is not None or self.before or "wire" in self.never
        )
        return not only_never or (self.least, self.most) != (1, None)
