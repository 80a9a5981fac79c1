"""Processes that have ended and that nobody waited for (wait(2), NOTES)."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts, following
from labctl.sequence.diagnose.names import Thread
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

_GOING_ON = frozenset({"accept", "connect", "fork", "poll", "epoll", "socket"})
"""What a program does that is not about to end."""


def zombie(facts: Facts) -> Iterator[Finding]:
    """Say of processes that ended and whose parent went on and never waits for any child.

    A parent that waits for some waits for all as a rule, but may do so late: at its next
    accept, or every half second. So it is left alone. So is one that ignores SIGCHLD: the kernel
    tells it of no child's end.
    """
    waits = {(call.host, call.pid) for call in facts.calls if verb(call.name) == "wait"}
    ignoring = _ignoring(facts)
    active: dict[Thread, list[Call]] = {}
    for (host, child), fork in facts.forks.items():
        parent = host, fork.pid
        ended = facts.ends.get((host, child))
        if ended is None or parent in waits or parent in ignoring:
            continue
        if parent not in active:
            active[parent] = _activity(facts, parent)
        on = following(active[parent], ended.time, ended.time, facts)
        if on is None:
            continue
        unless = " unless it ignores SIGCHLD," if ended.told_parent is None else ""
        yield Finding(
            rule="zombie",
            level="warning",
            host=host,
            time=ended.time,
            key=parent,
            sentence=f"process {child} on {host} ended {facts.at(ended.time)} and its parent,"
            f" {facts.who(*parent)}, went on ({on.name} {facts.at(on.start)}) and never waited for"
            f" it:{unless} it remains as a zombie, and keeps its process number, until the parent"
            f" ends",
            advice="Call waitpid(-1, ..., WNOHANG) in a loop after each client or on SIGCHLD, or"
            " ignore SIGCHLD (signal(SIGCHLD, SIG_IGN)).",
            events=(fork, ended, on),
            thing="process",
        )


def _ignoring(facts: Facts) -> set[Thread]:
    """Return the parents whose children ended, and which the kernel told of none of them."""
    told: dict[Thread, bool] = {}
    for (host, child), fork in facts.forks.items():
        ended = facts.ends.get((host, child))
        if ended is not None and ended.told_parent is not None:
            parent = host, fork.pid
            told[parent] = told.get(parent, False) or ended.told_parent
    return {parent for parent, any_told in told.items() if not any_told}


def _activity(facts: Facts, parent: Thread) -> list[Call]:
    """Return the calls of a process that show that it goes on and is not about to end.

    An accept that it never returned from counts, unless it ended in it of its own accord.
    """
    exited = facts.ends.get(parent)
    over = exited is not None and exited.signal is None
    return [
        call
        for call in facts.process_calls.get(parent, [])
        if verb(call.name) in _GOING_ON and not (over and call.end is None)
    ]
