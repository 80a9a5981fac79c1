"""What a check finds, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from labctl.engine.client import Engine
from labctl.errors import LabctlError

Note = Callable[[str], None]
"""Is told, a line at a time, how a fix goes."""


class State(Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """Labs work, but something is worse than it could be, or will not work later."""
    FAILED = "failed"
    """Labs do not work until it is mended."""
    NOT_CHECKED = "not checked"
    """What the check needs is not there, as another check says."""


@dataclass(frozen=True)
class Fix:
    """What mends a finding: in words, as a command, and as a function where that is safe.

    Safe is what changes only things that labctl made itself.
    """

    what: str
    command: str | None = None
    apply: Callable[[Note], None] | None = None

    @property
    def safe(self) -> bool:
        """Whether `labctl doctor --fix` applies it."""
        return self.apply is not None


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it stands, what was found, what that means."""

    name: str
    state: State
    found: str
    means: str = ""
    fix: Fix | None = None


@dataclass(frozen=True)
class Machine:
    """What the checks look at: the engine, or why there is none."""

    engine: Engine | None
    trouble: LabctlError | None = None

    @property
    def reached(self) -> Engine:
        """The engine, for checks that are run only when there is one."""
        assert self.engine is not None
        return self.engine


@dataclass(frozen=True)
class Look:
    """A way of looking that gives the named checks; it may take `seconds`."""

    names: tuple[str, ...]
    look: Callable[[Machine], list[Check]]
    needs_engine: bool = True
    seconds: float = 20.0
