"""What came of distributing a file. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property


class Way(Enum):
    """How the file went: from one server to all, or from peer to peer."""

    SERVER = "client-server"
    PEERS = "P2P"


@dataclass(frozen=True)
class Run:
    """The file given to N hosts in one way.

    `seconds` is, by receiving host, the time from the common beginning to the moment at which
    the file had its name there (ctime, as the host's kernel tells). `bound` is the lower bound
    in seconds. `sent` and `received` are bytes by host, `flows` bytes by sender and receiver:
    all as the kernels counted them. `source` is the host that had the file in the beginning,
    `directory` the one that knows who has it. `size` is the file's, in bytes. `wrong` says
    what is not as it must be, a sentence each.
    """

    way: Way
    n: int
    size: int
    source: str
    directory: str
    bound: float
    seconds: Mapping[str, float]
    sent: Mapping[str, int]
    received: Mapping[str, int]
    flows: Mapping[tuple[str, str], int]
    whole: Mapping[str, bool]
    wrong: tuple[str, ...] = ()

    @cached_property
    def last(self) -> float:
        """Seconds until the last host had the file."""
        return max(self.seconds.values())

    @cached_property
    def mean(self) -> float:
        """Seconds until a host had the file, on average."""
        return sum(self.seconds.values()) / len(self.seconds)

    @property
    def copies(self) -> float:
        """How many times the file's size the source has sent."""
        return self.sent[self.source] / self.size


@dataclass(frozen=True)
class Rates:
    """What the links allow, in bits a second: `source` sends at, each peer sends at, and the
    slowest peer receives at; None: the links do not limit it."""

    server: float
    seed: float
    peers: tuple[float, ...]
    slowest: float | None = None


@dataclass(frozen=True)
class Distribution:
    """All runs of one experiment, for the N and both ways, in the order in which they were."""

    lab: str
    file: str
    size: int
    rates: Rates
    runs: tuple[Run, ...]

    @property
    def right(self) -> bool:
        """Whether nothing was wrong in any run."""
        return not any(run.wrong for run in self.runs)

    def of(self, way: Way) -> list[Run]:
        """Return the runs of one way, by N."""
        return sorted((run for run in self.runs if run.way is way), key=lambda run: run.n)
