"""How long a process had a processor, by where it was: in its own code, or in which call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processor:
    """Of one process, all its threads added up, in ns, as the kernel's scheduler tells.

    `user` is what it had in its own code, `inside` what it had within calls, by the call's
    name. What it had is time at work: while it waits, or another program is served, it has none.
    """

    host: str
    pid: int
    user: int
    inside: Mapping[str, int]

    @property
    def system(self) -> int:
        """What it had within all calls, in ns."""
        return sum(self.inside.values())
