"""Lines of hosts' logs as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # ECMA-48, 8.3.117: SGR, foreground
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class LogLine(Protocol):
    """What is shown of a line."""

    @property
    def host(self) -> str: ...
    @property
    def time(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass
class Style:
    """How lines are shown: `HOST | TEXT`, the hosts' names in a column of one width."""

    hosts: Sequence[str]
    timestamps: bool = False
    coloured: bool = False
    _width: int = field(init=False)

    def __post_init__(self) -> None:
        self._width = max(map(len, self.hosts), default=0)

    def render(self, line: LogLine) -> str:
        """Return a line as text."""
        prefix = f"{line.host:<{self._width}} | "
        time = f"{line.time} " if self.timestamps else ""
        if self.coloured:
            colour = _COLOURS[self.hosts.index(line.host) % len(_COLOURS)]
            prefix = f"\x1b[{colour}m{prefix}{_PLAIN}"
            time = f"{_DIM}{time}{_PLAIN}" if time else ""
        return f"{prefix}{time}{line.text}"
