"""Which thread has which lane, what the lane is called, and where a connection's arrows end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.recording import Recording
from labctl.sequence.verbs import verb
from labctl.show.figure.units import plain

INTERPRETERS = ("python", "perl", "ruby", "node", "java", "bash", "sh", "dash", "env", "tini")
"""Programs whose first argument says more than they do."""


class Thread(NamedTuple):
    """Whose lifeline a lane is; without `tid` a host's as a whole."""

    host: str
    pid: int | None = None
    tid: int | None = None


def thread_of(event: Call | ProcessEvent) -> Thread:
    return Thread(event.host, event.pid, event.tid)


class Anchors(NamedTuple):
    """Where the arrows of one end of a connection begin and end: of its handshake, of the rest."""

    handshake: Thread
    rest: Thread


def anchors(
    connection: Connection, drawn: Mapping[str, Mapping[Thread, object]]
) -> dict[str, Anchors]:
    """Return the anchors `client` and `server` of a connection.

    `drawn` has the threads with drawn calls of each host. The kernel answers for a listening
    socket whichever thread waits in accept; the rest goes to who talks on the connection.
    """
    return {
        "client": _anchors(connection.client, drawn),
        "server": _anchors(connection.server, drawn),
    }


def _anchors(side: Side, drawn: Mapping[str, Mapping[Thread, object]]) -> Anchors:
    if side.host is None:
        address = side.endpoint.address if side.endpoint else "elsewhere"
        return Anchors(Thread(address), Thread(address))
    there = drawn.get(side.host, {})
    calls = [call for call in side.calls if thread_of(call) in there]
    fallback = next(iter(there)) if there else Thread(side.host)
    opening = _busiest(calls, ("accept", "connect")) or _busiest(calls, ("listen", "bind"))
    talking = _busiest(calls, ("send", "recv", "splice", "shutdown"))
    first = opening or talking or fallback
    return Anchors(first, talking or first)


def _busiest(calls: Iterable[Call], verbs: Sequence[str]) -> Thread | None:
    counted = Counter(thread_of(call) for call in calls if verb(call.name) in verbs)
    return counted.most_common(1)[0][0] if counted else None


def parents(recording: Recording, drawn: Iterable[Thread]) -> dict[Thread, Thread]:
    """Return of each drawn thread the drawn one that it descends from, if any."""
    makers: dict[tuple[str, int], Thread] = {}
    for event in recording.processes:
        if event.kind in ("fork", "thread") and event.child is not None:
            makers.setdefault((event.host, event.child), thread_of(event))
    lanes = set(drawn)
    found = {}
    for thread in lanes:
        above, seen = makers.get((thread.host, thread.tid or 0)), {thread}
        while above is not None and above not in lanes and above not in seen:
            seen.add(above)
            above = makers.get((above.host, above.tid or 0))
        if above is not None and above not in seen:
            found[thread] = above
    return found


def names(threads: Sequence[Thread], parent: Mapping[Thread, Thread]) -> dict[Thread, str]:
    """Return what each lane is called: M, S1, T1; `threads` in the order of their beginning."""
    makers = set(parent.values())
    mains = {t for t in threads if t not in parent and t in makers}
    per_host = Counter(main.host for main in mains)
    count: Counter[tuple[str, str]] = Counter()
    made = {}
    for thread in threads:
        if thread in mains and per_host[thread.host] == 1:
            made[thread] = "M"
            continue
        if thread not in mains and thread not in parent:
            made[thread] = ""
            continue
        kind = "M" if thread in mains else "T" if parent[thread].pid == thread.pid else "S"
        count[thread.host, kind] += 1
        made[thread] = f"{kind}{count[thread.host, kind]}"
    return made


def programs(recording: Recording) -> dict[tuple[str, int], str]:
    """Return the short name of the program that each process ran at the end, by host and pid."""
    running = {(h.name, pid): line for h in recording.hosts for pid, line in h.programs.items()}
    for event in recording.processes:
        if event.kind == "exec" and event.program:
            running[event.host, event.pid] = event.program
        elif event.kind == "fork" and event.child is not None:
            line = running.get((event.host, event.pid), "")
            running.setdefault((event.host, event.child), line)
    return {key: short_program(line) for key, line in running.items() if line}


def short_program(line: str) -> str:
    """Return the name of a program from its command line; of a script's, not its interpreter's."""
    parts = line.split()
    names = [PurePosixPath(part).name for part in parts if not part.startswith("-")]
    for name in names:
        if not name.rstrip("0123456789.").startswith(INTERPRETERS):
            return plain(name)
    return plain(names[0]) if names else plain(line.strip())
