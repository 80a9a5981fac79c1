"""Calls that got no descriptor, as all are in use (EMFILE, ENFILE: socket(2), accept(2))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.names import Thread
from labctl.sequence.events import Call


def no_descriptors_left(facts: Facts) -> Iterator[Finding]:
    """Say of calls that failed with EMFILE or ENFILE how many sockets the process had."""
    failed = [call for call in facts.calls if call.errno in ("EMFILE", "ENFILE")]
    if not failed:
        return
    first: dict[Thread, Call] = {}
    for call in failed:
        first.setdefault((call.host, call.pid), call)
    held = dict.fromkeys(first, 0)
    for socket in facts.sockets.values():
        for pid in socket.holders:
            at = first.get((socket.host, pid))
            if at and (socket.born or 0) < at.start and not _released(socket.released, at.start):
                held[socket.host, pid] += 1
    for call in failed:
        process = call.host, call.pid
        limit = "the process" if call.errno == "EMFILE" else "the machine"
        yield Finding(
            rule="no-descriptors-left",
            level="error",
            host=call.host,
            time=call.start,
            key=(process, call.errno, call.name),
            sentence=f"{call.name} of {facts.who(*process)} on {call.host} failed"
            f" {facts.at(call.start)} with {call.errno}: {limit} has as many descriptors as it may"
            f" have; {held[process]:,} of its sockets were open",
            advice="Close what is no longer used; only where all are in use raise the limit"
            " (ulimit -n, RLIMIT_NOFILE).",
            events=(call,),
            thing="call",
        )


def _released(released: int | None, time: int) -> bool:
    return released is not None and released <= time
