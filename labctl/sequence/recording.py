"""All that was seen of one play, before it is ordered."""

from __future__ import annotations

from dataclasses import dataclass, field

from labctl.sequence.events import (
    Call,
    Endpoint,
    Notice,
    OpenSocket,
    ProcessEvent,
    Segment,
    StateChange,
)

Pair = frozenset[Endpoint]


@dataclass(frozen=True, slots=True)
class ObservedHost:
    """A host that was observed: its addresses by network, and what ran on it.

    `programs` has the command line of each process that ran when the recording began, by its
    number. `whole` is False where processes ran before, so that their first calls are missed.
    """

    name: str
    addresses: dict[str, str]
    programs: dict[int, str] = field(default_factory=dict)
    router: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Recording:
    """What was seen on all hosts; each kind of event in the order of time, of calls by `start`."""

    title: str
    tracer: str
    """`strace` or `tracefs`."""
    hosts: tuple[ObservedHost, ...]
    calls: tuple[Call, ...] = ()
    segments: tuple[Segment, ...] = ()
    states: tuple[StateChange, ...] = ()
    processes: tuple[ProcessEvent, ...] = ()
    open_sockets: tuple[OpenSocket, ...] = ()
    notices: tuple[Notice, ...] = ()
    went_on: frozenset[Pair] = frozenset()
    """Both ends of what was still under way when recording ended, and went on after that."""

    @property
    def start(self) -> int:
        """When the first event was, from which all shown times count; 0 without any."""
        firsts = (
            *(call.start for call in self.calls[:1]),
            *(segment.time for segment in self.segments[:1]),
            *(change.time for change in self.states[:1]),
            *(event.time for event in self.processes[:1]),
        )
        return min(firsts, default=0)
