"""What a diagnosis is, and how what rules find becomes diagnoses."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

from labctl.sequence.events import Call, OpenSocket, ProcessEvent, Segment, StateChange

Evidence = Call | Segment | StateChange | ProcessEvent | OpenSocket
Level = Literal["info", "warning", "error"]
Rule = Literal[
    "address-in-use",
    "address-not-local",
    "backlog-overflow",
    "bound-already",
    "broken-pipe",
    "client-bound-fixed-port",
    "connect-again",
    "deadlock",
    "descriptor-leak",
    "handshake-before-accept",
    "listen-never-accept",
    "loopback-bound",
    "low-port",
    "no-answer",
    "no-descriptors-left",
    "no-port-left",
    "one-at-a-time",
    "port-unreachable",
    "refused-closed",
    "refused-listen-later",
    "refused-nobody",
    "refused-not-listening",
    "refused-other-port",
    "refused-own-host",
    "rst-after-close",
    "rst-linger",
    "rst-unread",
    "short-read",
    "short-write",
    "time-wait",
    "unreachable",
    "waits-for-close",
    "zombie",
]
"""What is found, by its name in docs/diagnoses.md."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Something that happened, said in plain words, with what shows it."""

    rule: Rule
    level: Level
    """`info`: how things are, nothing is wrong; `warning`: it works, or worked this time;
    `error`: it did not work."""
    host: str | None
    """The host that is to blame, or where it shows; None where no observed host is."""
    time: int
    """When it showed, in nanoseconds since the Unix epoch."""
    sentence: str
    """What happened, its times counted from the first event of the recording."""
    advice: str
    """What to do about it, or how to think of it."""
    events: tuple[Evidence, ...]
    """What the rule saw it by, in the order of time; of all connections that are merged here."""
    connections: tuple[int, ...]
    """The `id` of each connection that it happened on, ascending."""

    def __str__(self) -> str:
        return f"{self.level}: {self.sentence} {self.advice} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found. Findings with the same rule and key are one diagnosis.

    `sentence` ends without a full stop, so that it can be said of more connections. Of
    several, the one of the greatest `weight` is told, then the earliest. `thing` is what
    there are more of: `connection`, `process`.
    """

    rule: Rule
    level: Level
    host: str | None
    time: int
    key: Hashable
    sentence: str
    advice: str
    events: tuple[Evidence, ...]
    connections: tuple[int, ...] = ()
    weight: int = 0
    thing: str = "connection"


def merged(findings: Iterable[Finding]) -> tuple[Diagnosis, ...]:
    """Return findings as diagnoses, sorted by time; what happened often is said once."""
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.level, finding.key), []).append(finding)
    diagnoses = [_one(group) for group in groups.values()]
    return tuple(sorted(diagnoses, key=lambda d: (d.time, d.rule, d.sentence)))


def _one(group: list[Finding]) -> Diagnosis:
    told = min(group, key=lambda finding: (-finding.weight, finding.time))
    events = {id(event): event for finding in group for event in finding.events}
    connections = {number for finding in group for number in finding.connections}
    return Diagnosis(
        told.rule,
        told.level,
        told.host,
        min(finding.time for finding in group),
        told.sentence + _more(len(group) - 1, told.thing) + ".",
        told.advice,
        tuple(sorted(events.values(), key=moment)),
        tuple(sorted(connections)),
    )


def _more(count: int, thing: str) -> str:
    if not count:
        return ""
    ending = "" if count == 1 else "es" if thing.endswith("s") else "s"
    return f" ... and the same with {count:,} more {thing}{ending}"


def moment(event: Evidence) -> int:
    """Return when an event began; of a socket that was there before, 0."""
    if isinstance(event, Call):
        return event.start
    return 0 if isinstance(event, OpenSocket) else event.time
