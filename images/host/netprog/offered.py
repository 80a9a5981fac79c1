"""Load that is offered at a rate, and what came of it. Pure: no socket, no clock.

Questions are asked when their time has come, whether or not those before are answered (an open
loop): so a server that is too slow does not slow its load down, and each answer's time counts
from when the question was due.
"""

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


def due_times(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    """When each of `rate` times `seconds` questions is due, in seconds from the beginning: at
    random moments, as many people who know nothing of each other ask."""
    return iter(sorted(chance.uniform(0, seconds) for _ in range(max(round(rate * seconds), 1))))


def percentile(values: list[float], part: float) -> float | None:
    """The smallest of `values` (sorted) that at least `part` (0 to 1) of them do not exceed."""
    if not values:
        return None
    return values[max(math.ceil(part * len(values)) - 1, 0)]


@dataclass
class Offered:
    """One load: `load` questions a second for `seconds`, and how they were answered."""

    load: float
    seconds: float
    patience: float
    asked: int = 0
    in_time: int = 0
    """Answers that came before the load ended."""
    wrong: int = 0
    """Answers that were not right."""
    took: list[float] = field(default_factory=list)
    received: int = 0
    """Bytes of all answers."""

    def answered(self, due: float, now: float, right: bool = True) -> None:
        """Note an answer; both in seconds from the beginning of the load."""
        self.took.append(now - due)
        self.in_time += now <= self.seconds
        self.wrong += not right

    @property
    def unanswered(self) -> int:
        return self.asked - len(self.took)

    def row(self) -> dict[str, Any]:
        """What `--json` prints. Seconds; of questions without an answer, the patience."""
        took = sorted([*self.took, *[self.patience] * self.unanswered])
        return {
            "load": self.load,
            "asked": self.asked,
            "answered": len(self.took),
            "wrong": self.wrong,
            "per_second": self.in_time / self.seconds,
            "p50": percentile(took, 0.5),
            "p99": percentile(took, 0.99),
            "bytes": self.received,
        }


def heading(of: str) -> str:
    """The heading of `line`s."""
    return f"{of + ' a second':>22} {'answered':>9} {'median':>10} {'p99':>10} {'unanswered':>11}"


def line(row: dict[str, Any]) -> str:
    """A row for a person."""
    times = [
        f"{1000 * row[key]:>7.1f} ms" if row[key] is not None else "-" for key in ("p50", "p99")
    ]
    missing = row["asked"] - row["answered"]
    wrong = f"  {row['wrong']} wrong" if row["wrong"] else ""
    return (
        f"{row['load']:>22g} {row['per_second']:>9.1f} {times[0]:>10} {times[1]:>10}"
        f" {missing:>11}{wrong}"
    )


def rates(text: str) -> list[float]:
    """An argument such as `50,100,200`: rising rates a second. Raises ArgumentTypeError."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or found != sorted(found) or not all(0 < rate <= 1e6 for rate in found):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of rising rates, as 50,100,200")
    return found
