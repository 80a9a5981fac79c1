"""The crossings of one process, by the kind of call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """All calls of one name of one process. Times are in ns, those of its threads added up."""

    name: str
    """As in the man page, section 2."""
    calls: int
    inside: int
    """From each entry to its return."""
    waiting: int
    """How much of that the process only waited: it had no processor, or, where that is not
    known (`Crossings.user` is None), the call never returned, or its purpose is to wait."""
    unreturned: int = 0
    """How many of the calls never returned: the process ended in them, or waits there still."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """How many of the calls failed, by errno."""
    moved: int = 0
    """How many bytes they carried from one side to the other, as their results say."""

    @property
    def working(self) -> int:
        return self.inside - self.waiting


@dataclass(frozen=True, slots=True)
class Crossings:
    """One process, all its threads added up. Times are in ns."""

    host: str
    pid: int
    """Its number on the host."""
    program: str
    """What it executes, as a command line where that is known."""
    start: int
    """When it began, or was first seen."""
    end: int
    """When it ended, or was last looked at."""
    ended: bool
    threads: int
    """How many it ever had."""
    lifetime: int
    """How long its threads lived, added up."""
    kinds: tuple[Kind, ...]
    """Those in which it was longest first."""
    user: int | None = None
    """How long it had a processor in its own code; None where the tracer cannot tell."""

    def kind(self, name: str) -> Kind:
        """Return the calls of one name; none at all where it made none."""
        return next((one for one in self.kinds if one.name == name), Kind(name, 0, 0, 0))

    def has(self, words: Iterable[str]) -> bool:
        """Whether these words are in its command line: the name of its program, arguments."""
        return {self.name, *self.program.split()} >= set(words)

    @property
    def name(self) -> str:
        """The program's own name, without its folder and arguments."""
        return (self.program.split() or [""])[0].rpartition("/")[2]

    @property
    def calls(self) -> int:
        return sum(kind.calls for kind in self.kinds)

    @property
    def errors(self) -> Counter[str]:
        """How many calls failed, by errno."""
        found: Counter[str] = Counter()
        for kind in self.kinds:
            found.update(kind.errors)
        return found

    @property
    def inside(self) -> int:
        """How long it was in calls."""
        return sum(kind.inside for kind in self.kinds)

    @property
    def waiting(self) -> int:
        """How much of that it waited."""
        return sum(kind.waiting for kind in self.kinds)

    @property
    def working(self) -> int:
        """How much of that the kernel worked for it."""
        return self.inside - self.waiting

    @property
    def outside(self) -> int:
        """How long it was in its own code, also without a processor."""
        return max(0, self.lifetime - self.inside)

    @property
    def per_second(self) -> float:
        """How many calls it made a second of its life."""
        return self.calls / max(self.end - self.start, 1) * 1e9
