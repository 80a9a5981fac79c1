"""UDP datagrams, grouped by the two sockets that they went between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from labctl.sequence import datagrams
from labctl.sequence.datagrams import Operation
from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.endpoints import Hosts, loopback
from labctl.sequence.events import Call, Endpoint, Segment
from labctl.sequence.flows import Pair, pair
from labctl.sequence.ports import Ports
from labctl.sequence.streams import arrival


@dataclass(eq=False, slots=True)
class Exchange:
    """All datagrams between two endpoints, while they are collected.

    `sockets` are those of the two ends, by their endpoints, where they are known; `moving` the
    calls that sent and received, by the `id` of their socket.
    """

    client: Endpoint
    server: Endpoint
    hosts: dict[Endpoint, str | None]
    segments: list[Segment] = field(default_factory=list)
    sockets: dict[Endpoint, Kernel] = field(default_factory=dict)
    moving: dict[int, dict[int, Call]] = field(default_factory=dict)
    refused: str | None = None

    def add(self, socket: Kernel, operation: Operation) -> None:
        self.moving.setdefault(socket.id, {})[id(operation.call)] = operation.call

    def calls(self, socket: Kernel) -> dict[int, Call]:
        return self.moving.get(socket.id, {})

    @property
    def begin(self) -> int:
        """When its first datagram was sent, or if none was seen, the first call made."""
        if self.segments:
            return min(segment.time for segment in self.segments)
        calls = (call for own in self.moving.values() for call in own.values())
        return min((call.start for call in calls), default=0)

    def differs(self, segment: Segment, source: Kernel | None, target: Kernel | None) -> bool:
        """Tell whether a datagram is of other sockets than those before it."""
        for endpoint, owner in ((segment.source, source), (segment.target, target)):
            known = self.sockets.get(endpoint)
            if owner is not None and known is not None and known is not owner:
                return True
        return False


class Exchanges:
    """All exchanges of a recording, by what may be known of one."""

    def __init__(self, hosts: Hosts, ports: Ports, carried: Sequence[Segment]) -> None:
        self.all: list[Exchange] = []
        self._hosts = hosts
        self._ports = ports
        self._of_segment: dict[int, Exchange] = {}
        self._of_socket: dict[int, dict[Endpoint, Exchange]] = defaultdict(dict)
        self._unseen: dict[tuple[Endpoint, int], list[Exchange]] = defaultdict(list)
        self._sent: dict[int, list[Segment]] = defaultdict(list)
        self._came: dict[int, list[Segment]] = defaultdict(list)
        self._group(carried)

    def of(self, segment: Segment) -> Exchange:
        """Return the exchange of a datagram."""
        return self._of_segment[id(segment)]

    def between(self, socket: Kernel, peer: Endpoint) -> Exchange | None:
        """Return the last exchange of a socket with a peer."""
        return self._of_socket[socket.id].get(peer)

    def with_socket(self, socket: Kernel) -> list[Exchange]:
        return [*self._of_socket[socket.id].values()]

    def unseen(self, host: str, client: Endpoint, server: Endpoint) -> Exchange | None:
        """Return an exchange that a client of a host began, and of which no datagram was seen."""
        for exchange in self._unseen.get((client, server.port), ()):
            if exchange.hosts.get(client) == host:
                return exchange
        return None

    def begin(
        self,
        client: Endpoint,
        server: Endpoint,
        hosts: dict[Endpoint, str | None],
        sockets: dict[Endpoint, Kernel],
    ) -> Exchange:
        """Return a new exchange, of which no datagram was seen."""
        made = Exchange(client, server, hosts)
        self.all.append(made)
        self._unseen[client, server.port].append(made)
        for endpoint, socket in sockets.items():
            self.join(made, endpoint, socket)
        return made

    def join(self, exchange: Exchange, endpoint: Endpoint, socket: Kernel) -> None:
        """Note whose endpoint one end of an exchange is."""
        exchange.sockets[endpoint] = socket
        other = exchange.server if endpoint == exchange.client else exchange.client
        self._of_socket[socket.id][other] = exchange

    def link(self, socket: Kernel, own: list[Operation]) -> None:
        """Find the datagram of each operation of a socket."""
        came = sorted(self._came[socket.id], key=arrival)
        datagrams.link(own, self._sent[socket.id], came)

    def _group(self, carried: Sequence[Segment]) -> None:
        """Give each datagram its exchange, and each socket the datagrams of its own."""
        current: dict[Pair, Exchange] = {}
        for segment in carried:
            source, target = self._sender(segment), self._receiver(segment)
            key = pair(segment)
            exchange = current.get(key)
            if exchange is None or exchange.differs(segment, source, target):
                exchange = current[key] = self._new(segment)
            exchange.segments.append(segment)
            self._of_segment[id(segment)] = exchange
            if source is not None:
                self._sent[source.id].append(segment)
                self.join(exchange, segment.source, source)
            if target is not None:
                self.join(exchange, segment.target, target)
                if segment.received is not None:
                    self._came[target.id].append(segment)

    def _sender(self, segment: Segment) -> Kernel | None:
        host = segment.sent.host if segment.sent else self._host(segment.source, segment)
        if host is None:
            return None
        return self._ports.owner(host, segment.source, segment.target, segment.time)

    def _receiver(self, segment: Segment) -> Kernel | None:
        host = segment.received.host if segment.received else self._host(segment.target, segment)
        if host is None:
            return None
        return self._ports.owner(host, segment.target, segment.source, arrival(segment))

    def _host(self, endpoint: Endpoint, segment: Segment) -> str | None:
        seen = segment.sent or segment.received
        if loopback(endpoint.address):
            return seen.host if seen else None
        return self._hosts.of(endpoint.address)

    def _new(self, segment: Segment) -> Exchange:
        ends = segment.source, segment.target
        made = Exchange(*ends, {end: self._host(end, segment) for end in ends})
        self.all.append(made)
        return made
