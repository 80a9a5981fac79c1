"""Which hosts Compose does not start yet, as others have not become what they wait for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_STARTED = "service_started"
_LACKS = {
    _STARTED: "has not started",
    "service_healthy": "is not healthy",
    "service_completed_successfully": "has not completed with exit code 0",
}


@dataclass(frozen=True)
class Standing:
    """How a host's container stands, in the words of the engine's list of containers."""

    state: str
    status: str

    def meets(self, condition: str) -> bool:
        """Return whether a condition of `depends_on` holds (compose-spec)."""
        if condition == "service_healthy":
            return "(healthy)" in self.status
        if condition == "service_completed_successfully":
            return self.state == "exited" and re.match(r"Exited \(0\)", self.status) is not None
        return self.started

    @property
    def started(self) -> bool:
        return self.state != "created"


@dataclass(frozen=True)
class Holdup:
    """A host that waits for another one, which has started."""

    host: str
    awaited: str
    condition: str

    def __str__(self) -> str:
        lacks = _LACKS.get(self.condition, "is not so")
        return f"it waits for host {self.awaited} (depends_on: {self.condition}), which {lacks}"


@dataclass
class Holdups:
    """Follows how the hosts of a project come up; `depends_on` is by host."""

    depends_on: Mapping[str, Mapping[str, Mapping[str, Any]]]
    _since: float = 0.0
    _reached: set[tuple[str, str]] = field(default_factory=set)

    def held(self, standings: Mapping[str, Standing], now: float) -> tuple[Holdup, float] | None:
        """Return a host that waits, and for how many seconds nothing has moved.

        None while any host can be started: it is Compose that is at work then. `now` is a
        moment of any clock of seconds; a host that starts, or becomes what another one waits
        for, moves. `standings` has those hosts that have a container.
        """
        reached = set(self._steps(standings))
        waiting = {host for host in self.depends_on if (host, _STARTED) not in reached}
        unmet = {host: list(self._unmet(host, reached)) for host in waiting}
        if not (reached <= self._reached) or not all(unmet.values()) or not unmet:
            self._reached |= reached
            self._since = now
            return None
        first = (h for held in unmet.values() for h in held if h.awaited not in waiting)
        found = min(first, key=lambda h: (h.host, h.awaited), default=None)
        return None if found is None else (found, now - self._since)

    def _steps(self, standings: Mapping[str, Standing]) -> Iterator[tuple[str, str]]:
        for host, standing in standings.items():
            yield from ((host, each) for each in _LACKS if standing.meets(each))

    def _unmet(self, host: str, reached: set[tuple[str, str]]) -> Iterator[Holdup]:
        for awaited, how in self.depends_on[host].items():
            condition = str(how.get("condition") or _STARTED)
            if (awaited, condition) not in reached:
                yield Holdup(host, awaited, condition)
