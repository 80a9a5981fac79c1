"""Who could do something at one end of a connection, and what they are doing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from labctl.sequence.connection import Connection, Side
from labctl.sequence.diagnose.facts import Facts, latest
from labctl.sequence.diagnose.names import Thread
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

_ONLY_MADE = frozenset(
    {
        *("accept", "socket", "connect", "bind", "listen", "fork", "fcntl", "close", "dup"),
        *("setsockopt", "getsockopt", "getsockname", "getpeername"),
    }
)
"""Who made only such calls on a socket has left its data to others."""


class Users:
    """The threads of all hosts, by the connections that they have in hand."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def of(self, connection: Connection, side: Side, time: int) -> set[Thread]:
        """Return the threads that could send, receive or close at one end at a time.

        Those that moved data there; where none of them lives, who made the connection and who
        inherited it. Of a connection that nobody has accepted, who accepts at its port.
        """
        if side.socket is None:
            return self._accepting(side) if side is connection.server else set()
        before = [call for call in side.calls if call.start <= time]
        using = self._alive((c for c in before if verb(c.name) not in _ONLY_MADE), time)
        if using:
            return using
        makers = [call for call in before if verb(call.name) in ("accept", "connect")]
        made = {(call.host, call.pid) for call in makers}
        heirs = {(side.socket.host, pid) for pid in side.socket.holders} - made
        return self._alive(makers, time) | {one for one in heirs if self._lives(one, one, time)}

    def current(self, thread: Thread, time: int) -> Call | None:
        """Return the call that a thread was blocked in at a time."""
        call = latest(self._facts.thread_calls.get(thread, []), time)
        if call is None or (call.end is not None and call.end <= time):
            return None
        return call if self._facts.until(call) >= time else None

    def _alive(self, calls: Iterable[Call], time: int) -> set[Thread]:
        """Return the threads that made calls and had not ended by a time."""
        threads = {(call.host, call.tid): (call.host, call.pid) for call in calls}
        return {one for one, process in threads.items() if self._lives(one, process, time)}

    def _lives(self, thread: Thread, process: Thread, time: int) -> bool:
        ends = [self._facts.ends.get(one) for one in (thread, process)]
        return all(end is None or end.time > time for end in ends)

    def _accepting(self, side: Side) -> set[Thread]:
        """Return the threads that take connections from the queue in which one waits."""
        host, target = self._facts.host_of(side), side.endpoint
        return self._accepters.get((host, target.port), set()) if host and target else set()

    @cached_property
    def _accepters(self) -> dict[tuple[str, int], set[Thread]]:
        """The threads that ever called accept, by host and port."""
        table: dict[tuple[str, int], set[Thread]] = defaultdict(set)
        sockets = self._facts.sockets
        for (host, tid), calls in self._facts.thread_opens.items():
            for call in calls:
                socket = sockets.get(call.socket) if call.socket is not None else None
                if socket and socket.listener is not None:
                    socket = sockets.get(socket.listener)
                if socket and socket.local and verb(call.name) == "accept":
                    table[host, socket.local.port].add((host, tid))
        return table
