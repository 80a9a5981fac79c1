"""Sockets and connections, as rebuilt from the events of a recording."""

from __future__ import annotations

from dataclasses import dataclass

from labctl.sequence.events import Call, Endpoint, Segment, StateChange


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket structure of one host's kernel (figure 6-28), as it was at the end.

    `listener` is the `id` of the listening socket whose accept returned it. `holders` are the
    processes that ever had a descriptor of it. `born` is when the call that made it returned;
    None where it was there before the recording began. `released` is when its last descriptor
    was closed, also by the end of the last process that held it; None where some still has one.
    """

    id: int
    host: str
    family: str
    type: str
    local: Endpoint | None
    remote: Endpoint | None
    listening: bool
    listener: int | None
    holders: tuple[int, ...]
    born: int | None
    released: int | None


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a connection.

    `host` is None where the end is on no host that was observed; `socket` where its calls were
    not. `calls` are in the order of time. The passive side's begin with those of the listening
    socket that are not of one connection (socket, setsockopt, bind, listen), then the accept
    that returned this connection. A fork that gave another process the socket is among them,
    and the waiting calls (poll, epoll_wait) that name its descriptor.
    """

    host: str | None
    endpoint: Endpoint | None
    socket: Socket | None
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection or the attempt at one; of UDP, all datagrams between two endpoints.

    `client` is the active opener; of UDP, who sent first. `outcome` is one of `established`,
    `refused` (a RST answered the SYN, or ICMP a datagram), `unreachable` (ICMP, or no route),
    `unsent` (the client's own kernel let no SYN out), `unanswered` (nothing came back),
    `exchange` (UDP, answered or one-way).
    """

    id: int
    protocol: str
    client: Side
    server: Side
    segments: tuple[Segment, ...]
    states: tuple[StateChange, ...]
    outcome: str

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.client, self.server

    def side(self, host: str) -> Side | None:
        """Return the end that is on a host; where both are, the server's."""
        if self.server.host == host:
            return self.server
        return self.client if self.client.host == host else None
