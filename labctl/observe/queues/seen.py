"""What was seen of the queues, with the times worth a mark: all that a picture or JSON needs."""

from __future__ import annotations

from dataclasses import dataclass

from labctl.observe.queues import flows as finding
from labctl.observe.queues.model import Flow, Sampled, Span
from labctl.sequence.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Seen:
    """A flow with its marks: when the sender's program was `blocked` in a send, when the window
    was `closed` to it, and when packets were dropped (`drops`, how many as `what`); and how many
    `probes` of a closed window crossed the wire."""

    flow: Flow
    blocked: tuple[Span, ...]
    closed: tuple[Span, ...]
    drops: tuple[Span, ...]
    probes: int


@dataclass(frozen=True)
class Queues:
    """All flows of a play. `traced` says whether the programs' calls were seen too, without
    which nothing is known of what blocked."""

    title: str
    sampled: Sampled
    flows: tuple[Seen, ...]
    traced: bool

    @property
    def busy(self) -> tuple[Seen, ...]:
        """The flows in which something waited."""
        return tuple(one for one in self.flows if not one.flow.quiet)

    @property
    def begun(self) -> int:
        """When the first look was, in nanoseconds since 1970."""
        return min((host.begun for host in self.sampled.hosts), default=0)

    @property
    def ended(self) -> int:
        """When the last look was."""
        return max((host.ended for host in self.sampled.hosts), default=0)


def seen(title: str, sampled: Sampled, timeline: Timeline | None = None) -> Queues:
    """Return what was sampled with its marks; those of calls where there is a timeline."""
    end = max((host.ended for host in sampled.hosts), default=0)
    traced = timeline is not None and bool(timeline.calls)
    marked = tuple(
        Seen(
            flow,
            finding.blocked(flow, timeline, end),
            finding.closed_window(flow, end),
            finding.drops(flow),
            finding.probes(flow, timeline),
        )
        for flow in finding.flows(sampled)
    )
    return Queues(title, sampled, marked, traced)
