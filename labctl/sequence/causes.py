"""What causes what: pairs of moments of which the first was always first, whatever clocks say.

- A thread makes one call after another; see `labctl.sequence.causes_processes` for those that
  begin and end.
- A packet is sent before it is received.
- Of one connection: see `labctl.sequence.causes_tcp`, `labctl.sequence.causes_udp` and
  `labctl.sequence.causes_icmp`.
"""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.assembled import Assembled
from labctl.sequence.causes_icmp import of_icmp
from labctl.sequence.causes_processes import of_processes
from labctl.sequence.causes_tcp import of_tcp
from labctl.sequence.causes_udp import of_udp
from labctl.sequence.events import Call
from labctl.sequence.moment_key import Cause, entry, exit_of, received, sent
from labctl.sequence.processes import Process
from labctl.sequence.recording import Recording


def causes(recording: Recording, assembled: Assembled) -> Iterator[Cause]:
    """Yield every pair; of some, a moment may not have been seen."""
    yield from _program_order(assembled.calls)
    yield from of_processes(recording, assembled)
    for segment in recording.segments:
        yield sent(segment), received(segment)
    for connection in assembled.connections:
        yield from of_tcp(connection) if connection.protocol == "tcp" else of_udp(connection)
        yield from of_icmp(connection)


def _program_order(calls: tuple[Call, ...]) -> Iterator[Cause]:
    before: dict[Process, Call] = {}
    for call in calls:
        thread = call.host, call.tid
        last = before.get(thread)
        if last is not None:
            yield left(last), entry(call)
        if call.end is not None:
            yield entry(call), exit_of(call)
        before[thread] = call


def left(call: Call) -> int:
    """Return the last that was seen of a call: its return, if it did."""
    return exit_of(call) if call.end is not None else entry(call)
