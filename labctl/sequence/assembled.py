"""Calls with their sockets, sockets, and connections: put together from a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labctl.sequence import endpoints, icmp
from labctl.sequence.connection import Connection, Socket
from labctl.sequence.descriptors import rebuild
from labctl.sequence.draft import CallsOf
from labctl.sequence.endpoints import Hosts
from labctl.sequence.events import Call
from labctl.sequence.flows import Flow, flows
from labctl.sequence.processes import COARSE, Processes
from labctl.sequence.recording import Recording
from labctl.sequence.returns import Stamps, latest_returns
from labctl.sequence.state_changes import give_states
from labctl.sequence.tcp import Tcp
from labctl.sequence.udp import Udp


@dataclass(frozen=True, slots=True)
class Assembled:
    """`connections` are in the order of their beginning, and numbered so from 1.

    `latest` has when calls had returned at the latest, by their `id`: see `returns`.
    """

    calls: tuple[Call, ...]
    sockets: tuple[Socket, ...]
    connections: tuple[Connection, ...]
    processes: Processes
    latest: Mapping[int, int]


def assemble(recording: Recording) -> Assembled:
    """Put the sockets and connections of a recording together."""
    rebuilt = rebuild(recording)
    endpoints.tell(rebuilt.calls, {socket.id: socket for socket in rebuilt.sockets})
    hosts, calls = Hosts(recording), CallsOf(rebuilt)
    tolerance = COARSE if recording.tracer == "tracefs" else 0
    crossed = flows(recording.segments, hosts)
    _blame(crossed, recording)
    latest = latest_returns(rebuilt.calls, recording.tracer)
    drafts = [
        *Tcp(rebuilt.sockets, calls, crossed, hosts, Stamps(tolerance, latest)).drafts(),
        *Udp(rebuilt.sockets, calls, recording.segments, hosts, tolerance).drafts(),
    ]
    drafts.sort(key=lambda draft: draft.begin)
    give_states(drafts, recording.states)
    sockets = {kernel.id: kernel.final() for kernel in rebuilt.sockets}
    return Assembled(
        rebuilt.calls,
        tuple(sockets.values()),
        tuple(draft.final(number, sockets) for number, draft in enumerate(drafts, 1)),
        rebuilt.processes,
        latest,
    )


def _blame(crossed: Sequence[Flow], recording: Recording) -> None:
    """Add each ICMP error about TCP to the flow of the segment that it is about."""
    if not any(segment.protocol == "icmp" for segment in recording.segments):
        return
    of = {id(segment): flow for flow in crossed for segment in flow.segments}
    for error, about in icmp.errors(recording.segments, "tcp"):
        flow = of[id(about)]
        flow.segments.append(error)
        flow.segments.sort(key=lambda segment: segment.time)
        if icmp.unreachable(error):
            flow.unreachable = flow.unreachable or error
