"""One peer that pieces are fetched from: what it has, what it owes, how many to ask of it. Pure."""

from collections import deque
from dataclasses import dataclass, field

DEPTH = 3
"""Pieces asked of one source at a time, at least: its uplink never waits for the next request
where the way is short."""

MOST_DEPTH = 32

REMEMBERED = MOST_DEPTH // 2 + 1
"""The last pieces, by which is seen how fast they come; half as many tell something."""


@dataclass(eq=False)
class Source:
    """One peer. Times are the caller's, in seconds."""

    name: str
    seed: bool = False
    has: set[int] = field(default_factory=set)
    offers: list[int] = field(default_factory=list)
    """Of these, those still to be looked at for asking; some may have come meanwhile."""
    refused: set[int] = field(default_factory=set)
    """Pieces that it said it had, and did not have when it was asked."""
    owes: dict[int, float] = field(default_factory=dict)
    """Pieces it was asked for, and when."""
    any_owed: list[float] = field(default_factory=list)
    """When it was asked for any piece."""
    dry_since: float | None = None
    """Since when a seed has no piece left that it has not given out."""
    heard: float = 0
    """When it last sent a piece, or when it was first asked."""
    look_at: float = 0
    """When to look again for pieces that nobody but this seed has."""
    _came: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _quickest: float = float("inf")
    """Seconds from a question to its piece, at least: what the way takes."""

    @property
    def outstanding(self) -> int:
        return len(self.owes) + len(self.any_owed)

    @property
    def depth(self) -> int:
        """How many pieces to ask for at a time.

        With few on a long way, the other side waits for questions, and each of the pieces that
        come in a round trip has taken as long as the quickest. So twice as many are asked for as
        come in that time, until no more do: bandwidth times delay. Where it is the uplink that
        takes the time, one piece comes in the time of the quickest, about.
        """
        if len(self._came) * 2 < REMEMBERED:
            return DEPTH
        span = max(self._came[-1] - self._came[0], self._quickest)
        at_once = (len(self._came) - 1) * self._quickest / span if span else 0
        return min(max(DEPTH, int(2 * at_once)), MOST_DEPTH)

    def came(self, asked: float, now: float) -> None:
        """A piece that it was asked for then has come."""
        self._came.append(now)
        self._quickest = min(self._quickest, now - asked)
