"""TCP connections, and the attempts at one, put together from calls and flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.draft import CallsOf, Draft, End
from labctl.sequence.endpoints import UNDER_WAY, Hosts, concrete, covers, destination, loopback
from labctl.sequence.events import Call, Endpoint
from labctl.sequence.flows import Flow
from labctl.sequence.moments import NEAR
from labctl.sequence.opens import UNSENT, Open, attempts
from labctl.sequence.returns import Stamps
from labctl.sequence.search import Search
from labctl.sequence.transfer import transfer
from labctl.sequence.verbs import verb

_PREPARING = frozenset(
    {"socket", "setsockopt", "getsockopt", "bind", "listen", "getsockname", "fcntl", "ioctl"}
)
"""Calls on a listening socket that are of no one connection, but come before each."""


class Tcp:
    """Puts the TCP connections of a recording together."""

    def __init__(
        self,
        sockets: list[Kernel],
        calls: CallsOf,
        flows: list[Flow],
        hosts: Hosts,
        stamps: Stamps,
    ) -> None:
        self._sockets = [s for s in sockets if s.stream]
        self._calls = calls
        self._flows = flows
        self._hosts = hosts
        self._stamps = stamps
        self._active = [o for s in self._sockets for o in self._actives(s)]
        self._passive = [o for s in self._sockets for o in self._passives(s)]
        sent = [o for o in self._active if o.call.errno not in UNSENT]
        Search(flows, stamps.tolerance).match([*sent, *self._passive])
        self._listening: dict[tuple[str, int], list[Kernel]] = defaultdict(list)
        for socket in self._sockets:
            if socket.listening and socket.local is not None:
                self._listening[socket.host, socket.local.port].append(socket)
        self._preambles: dict[int, list[Call]] = {}

    def drafts(self) -> Iterator[Draft]:
        """Return all connections, in no order."""
        active = {id(o.flow): o for o in self._active if not o.second and o.flow}
        passive = {id(o.flow): o for o in [*self._active, *self._passive] if o.second and o.flow}
        held = self._held()
        for flow in self._flows:
            yield self._of_flow(flow, active.get(id(flow)), passive.get(id(flow)), held)
        yield from self._unseen()

    def _actives(self, socket: Kernel) -> Iterator[Open]:
        calls = self._calls[socket.id]
        if not any(call.name == "connect" for call in calls):
            return
        moved = transfer(calls, socket.released)
        for call in attempts(calls):
            until = self._stamps.until(call)
            yield Open(socket, call, call.end, until, destination(call), moved)

    def _passives(self, socket: Kernel) -> Iterator[Open]:
        calls = self._calls[socket.id]
        call = next((call for call in calls if verb(call.name) == "accept"), None)
        if call is not None and not socket.listening:
            until, moved = self._stamps.until(call), transfer(calls, socket.released)
            yield Open(socket, call, call.end, until, socket.remote, moved)

    def _held(self) -> dict[tuple[str, Endpoint, Endpoint], Kernel]:
        """Return sockets that were connected before the recording began, by their endpoints."""
        found = {}
        opened = {id(o.socket) for o in [*self._active, *self._passive]}
        for socket in self._sockets:
            if id(socket) not in opened and socket.local and socket.remote:
                found[socket.host, socket.local, socket.remote] = socket
        return found

    def _of_flow(
        self,
        flow: Flow,
        active: Open | None,
        passive: Open | None,
        held: dict[tuple[str, Endpoint, Endpoint], Kernel],
    ) -> Draft:
        client = End(flow.forth.host, flow.client)
        server = End(flow.back.host, flow.server)
        if active is not None:
            self._fill_client(client, active)
        else:
            self._fill_held(client, flow, held.get((client.host or "", flow.client, flow.server)))
        if passive is not None:
            self._fill_server(server, passive)
        else:
            self._fill_held(server, flow, held.get((server.host or "", flow.server, flow.client)))
        if server.socket is None and flow.syn is not None and flow.syn_ack is not None:
            server.calls = self._preamble(self._listener(server, flow.begin), flow.begin)
        outcome = _outcome(flow, active)
        return Draft("tcp", client, server, outcome, flow.segments, begin=flow.begin)

    def _fill_held(self, end: End, flow: Flow, socket: Kernel | None) -> None:
        """Fill in a socket from before; packets may have been captured a little earlier still."""
        if socket is not None and (flow.syn is None or socket.born is None):
            end.socket, end.calls = socket, self._calls[socket.id]

    def _fill_client(self, end: End, open_: Open) -> None:
        socket = end.socket = open_.socket
        if end.endpoint is not None and open_.flow is not None:
            socket.local, socket.remote = end.endpoint, open_.flow.server
        end.calls = _of_attempt(self._calls[socket.id], open_.call)

    def _fill_server(self, end: End, open_: Open) -> None:
        socket = end.socket = open_.socket
        if open_.flow is not None:
            socket.local, socket.remote = open_.flow.server, open_.flow.client
        end.calls = [*self._preamble(socket.listener, open_.call.start), *self._calls[socket.id]]

    def _listener(self, end: End, time: int) -> Kernel | None:
        """Return the socket that listened at an endpoint at a time."""
        if end.host is None or end.endpoint is None:
            return None
        for socket in self._listening.get((end.host, end.endpoint.port), []):
            alive = (socket.born or 0) <= time + NEAR and (
                socket.released is None or socket.released > time
            )
            if alive and covers(socket.local, end.endpoint):
                return socket
        return None

    def _preamble(self, listener: Kernel | None, time: int) -> list[Call]:
        """Return the calls that prepared a listening socket, made before a time."""
        if listener is None:
            return []
        if listener.id not in self._preambles:
            self._preambles[listener.id] = [
                c for c in self._calls[listener.id] if verb(c.name) in _PREPARING
            ]
        calls = self._preambles[listener.id]
        if not calls or calls[-1].start <= time + NEAR:
            return calls
        return [call for call in calls if call.start <= time + NEAR]

    def _unseen(self) -> Iterator[Draft]:
        """Return the connections of which no segment was seen, both ends together if possible."""
        waiting: dict[tuple[str, int], list[Open]] = defaultdict(list)
        for passive in sorted(self._passive, key=lambda o: o.call.end or 0, reverse=True):
            own = passive.socket.local or (
                passive.socket.listener.local if passive.socket.listener else None
            )
            if passive.flow is None:
                waiting[passive.socket.host, own.port if own else 0].append(passive)
        for active in sorted(self._active, key=lambda o: o.call.start):
            if active.flow is None:
                yield self._of_calls(active, self._other_end(active, waiting))
        for queue in waiting.values():
            for passive in queue:
                yield self._of_calls(None, passive)

    def _other_end(self, active: Open, waiting: dict[tuple[str, int], list[Open]]) -> Open | None:
        """Take the accept that goes with a connect, by the order of time."""
        if active.remote is None or (active.call.failed and active.call.errno not in UNDER_WAY):
            return None
        host = self._host(active.remote, active.socket.host)
        queue = waiting.get((host or "", active.remote.port), [])
        for place in range(len(queue) - 1, max(len(queue) - 65, -1), -1):
            if self._belongs(active, queue[place]):
                return queue.pop(place)
        return None

    def _belongs(self, active: Open, passive: Open) -> bool:
        if passive.call.end is not None and passive.call.end < active.call.start:
            return False
        if passive.remote is None:
            return True
        if concrete(active.socket.local) and active.socket.local != passive.remote:
            return False
        return self._host(passive.remote, passive.socket.host) == active.socket.host

    def _host(self, endpoint: Endpoint, own: str) -> str | None:
        return own if loopback(endpoint.address) else self._hosts.of(endpoint.address)

    def _of_calls(self, active: Open | None, passive: Open | None) -> Draft:
        client, server = End(None, None), End(None, None)
        known = active or passive
        assert known is not None
        if passive is not None:
            self._fill_server(server, passive)
            server.host = passive.socket.host
            client.endpoint = passive.remote
            if passive.remote is not None:
                client.host = self._host(passive.remote, server.host)
            if concrete(passive.socket.local):
                server.endpoint = passive.socket.local
        if active is not None:
            self._fill_client(client, active)
            client.host = active.socket.host
            server.endpoint = active.remote or server.endpoint
            if concrete(active.socket.local):
                client.endpoint = active.socket.local
            if active.remote is not None:
                server.host = server.host or self._host(active.remote, client.host)
        outcome = "established" if passive else _outcome_of_calls(active, client.calls)
        return Draft("tcp", client, server, outcome, begin=known.call.start)


def _of_attempt(calls: list[Call], connect: Call) -> list[Call]:
    """Return the calls of one attempt: a socket may be tried to connect again and again."""
    begins = attempts(calls)
    if len(begins) == 1:
        return calls
    place = next(i for i, call in enumerate(begins) if call is connect)
    start = begins[0].start
    until = begins[place + 1].start if place + 1 < len(begins) else None
    return [
        call
        for call in calls
        if call.start < start
        or (call.start >= connect.start and (until is None or call.start < until))
    ]


def _outcome(flow: Flow, active: Open | None) -> str:
    errno = active.call.errno if active else None
    connected = active is not None and active.call.result == 0
    if connected or flow.syn is None or flow.syn_ack is not None or flow.ack is not None:
        return "established"
    if flow.refused is not None or errno == "ECONNREFUSED":
        return "refused"
    if flow.unreachable is not None or errno in ("EHOSTUNREACH", "ENETUNREACH"):
        return "unreachable"
    return "unanswered"


def _outcome_of_calls(active: Open | None, calls: list[Call]) -> str:
    """Return what became of a connect, as far as the calls on its socket tell."""
    errno = active.call.errno if active else None
    if errno == "ECONNREFUSED":
        return "refused"
    if errno in ("EHOSTUNREACH", "ENETUNREACH"):
        return "unreachable"
    if errno in UNSENT:
        return "unsent"
    if active is not None and active.call.result == 0:
        return "established"
    used = any((c.result or 0) > 0 for c in calls if verb(c.name) in ("send", "recv"))
    again = any(c.name == "connect" and (c.result == 0 or c.errno == "EISCONN") for c in calls)
    return "established" if used or again else "unanswered"
