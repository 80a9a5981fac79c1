"""UDP exchanges, put together from calls and datagrams: all datagrams between two endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from labctl.sequence import datagrams, icmp
from labctl.sequence.datagrams import Operation
from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.draft import CallsOf, Draft, End
from labctl.sequence.endpoints import Hosts, loopback
from labctl.sequence.events import Call, Endpoint, Segment
from labctl.sequence.exchanges import Exchange, Exchanges
from labctl.sequence.ports import Ports, by_sender, find_local

_ERRNOS = {"ECONNREFUSED": "refused", "EHOSTUNREACH": "unreachable", "ENETUNREACH": "unreachable"}


class Udp:
    """Puts the UDP exchanges of a recording together."""

    def __init__(
        self,
        sockets: Iterable[Kernel],
        calls: CallsOf,
        segments: Sequence[Segment],
        hosts: Hosts,
        tolerance: int,
    ) -> None:
        self._sockets = [socket for socket in sockets if socket.datagram]
        self._calls = {socket.id: calls[socket.id] for socket in self._sockets}
        self._hosts = hosts
        self._own = {s.id: datagrams.operations(self._calls[s.id]) for s in self._sockets}
        carried = [segment for segment in segments if segment.protocol == "udp"]
        ports = self._known_ports(carried, tolerance)
        self._exchanges = Exchanges(hosts, ports, carried)
        for socket in self._sockets:
            self._exchanges.link(socket, self._own[socket.id])
        self._blame(segments)
        self._attribute()
        self._aside = {socket.id: self._of_all(socket) for socket in self._sockets}

    def drafts(self) -> Iterator[Draft]:
        """Return all exchanges, in no order."""
        for exchange in self._exchanges.all:
            client = self._end(exchange, exchange.client)
            server = self._end(exchange, exchange.server)
            yield Draft(
                "udp",
                client,
                server,
                _outcome(exchange, client.calls),
                sorted(exchange.segments, key=lambda segment: segment.time),
                begin=exchange.begin,
            )

    def _known_ports(self, carried: Sequence[Segment], tolerance: int) -> Ports:
        ports = Ports(tolerance)
        unknown = []
        for socket in self._sockets:
            if socket.local is not None and socket.local.port:
                ports.add(socket)
            else:
                unknown.append(socket)
        sent = by_sender(carried)
        for socket in sorted(unknown, key=lambda s: s.born or 0):
            own = self._own[socket.id]
            find_local(socket, own, sent.get(socket.host, []), ports, tolerance)
            ports.add(socket)
        return ports

    def _blame(self, segments: Iterable[Segment]) -> None:
        """Add each ICMP error to the exchange of the datagram that it is about."""
        for error, datagram in icmp.errors(segments, "udp"):
            exchange = self._exchanges.of(datagram)
            exchange.segments.append(error)
            # That who has asked is gone when an answer comes refuses nothing.
            if datagram.target == exchange.server and icmp.unreachable(error):
                port = "port unreachable" in error.about
                exchange.refused = "refused" if port else "unreachable"

    def _attribute(self) -> None:
        """Give each operation to an exchange: sends first, as who sends first is the client."""
        known = [(s, o) for s in self._sockets for o in self._own[s.id] if o.peer is not None]
        known.sort(key=lambda pair: (not pair[1].sends, pair[1].call.start))
        for socket, operation in known:
            self._exchange_of(socket, operation).add(socket, operation)
        for socket in self._sockets:
            mine = self._exchanges.with_socket(socket)
            # Who asks only one waits for that one; a server that waits does so for anybody.
            if len(mine) == 1 and mine[0].sockets.get(mine[0].client) is socket:
                for operation in self._own[socket.id]:
                    if operation.peer is None:
                        mine[0].add(socket, operation)

    def _exchange_of(self, socket: Kernel, operation: Operation) -> Exchange:
        """Return the exchange of an operation whose peer is known, also if no datagram was seen."""
        peer = operation.peer
        assert peer is not None
        if operation.segment is not None:
            return self._exchanges.of(operation.segment)
        known = self._exchanges.between(socket, peer)
        if known is not None:
            return known
        local = socket.local or Endpoint("0.0.0.0", 0)
        other = socket.host if loopback(peer.address) else self._hosts.of(peer.address)
        if other is not None:
            unseen = self._exchanges.unseen(other, peer, local)
            if unseen is not None:
                self._exchanges.join(unseen, unseen.server, socket)
                return unseen
        ends = (local, peer) if operation.sends else (peer, local)
        return self._exchanges.begin(*ends, {local: socket.host, peer: other}, {local: socket})

    def _end(self, exchange: Exchange, endpoint: Endpoint) -> End:
        socket = exchange.sockets.get(endpoint)
        known = endpoint if endpoint.port else None
        end = End(exchange.hosts.get(endpoint), known, socket)
        if socket is not None:
            if socket.local is None:
                socket.local = known
            end.calls = self._calls_of(exchange, socket)
        return end

    def _of_all(self, socket: Kernel) -> list[Call]:
        """Return the calls of a socket that are of no one exchange: before and after all."""
        own = self._own[socket.id]
        calls = self._calls[socket.id]
        if not own:
            return calls
        moving = {id(operation.call) for operation in own}
        times = [operation.call.start for operation in own]
        first, last = min(times), max(times)
        return [c for c in calls if id(c) not in moving and not first <= c.start <= last]

    def _calls_of(self, exchange: Exchange, socket: Kernel) -> list[Call]:
        """Return the calls of a socket that are of an exchange: all but those of others."""
        mine = exchange.calls(socket)
        if len(mine) == len({id(operation.call) for operation in self._own[socket.id]}):
            return self._calls[socket.id]
        found = [*mine.values(), *self._aside[socket.id]]
        found.sort(key=lambda call: call.start)
        return found


def _outcome(exchange: Exchange, calls: Iterable[Call]) -> str:
    answered = any(s.source == exchange.server and s.protocol == "udp" for s in exchange.segments)
    if answered:
        return "exchange"
    if exchange.refused is not None:
        return exchange.refused
    errnos = [_ERRNOS[call.errno] for call in calls if call.errno in _ERRNOS]
    return errnos[0] if errnos else "exchange"
