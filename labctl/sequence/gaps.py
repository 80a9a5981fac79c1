"""What of a play was not seen, as the observer was cut short: there nothing proves an absence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labctl.sequence.events import Notice


@dataclass(frozen=True)
class Gaps:
    """The notices of a recording that tell of missing calls or packets, in words."""

    notices: tuple[Notice, ...]

    def __bool__(self) -> bool:
        return any(notice.missing for notice in self.notices)

    def calls(self, host: str) -> str:
        """Return why calls of a host are missing; empty where all were seen."""
        return _words(one for one in self._of("calls") if one.host in ("", host))

    @property
    def packets(self) -> str:
        """Why packets are missing on any host; empty where all were seen."""
        return _words(self._of("packets"))

    def _of(self, what: str) -> Iterator[Notice]:
        return (notice for notice in self.notices if what in notice.missing)


def _words(notices: Iterable[Notice]) -> str:
    return "; ".join(map(str, notices))
