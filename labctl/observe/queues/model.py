"""The queues of sockets over time, at both ends of each connection, on one clock.

Every time is in nanoseconds since 1970, as in `labctl.sequence.events`.
"""

from __future__ import annotations

from dataclasses import dataclass

from labctl.sequence.events import Endpoint


@dataclass(frozen=True, slots=True)
class Level:
    """How a socket stood from `time` until its next level.

    Queues are in bytes: what nobody has read, and what the peer has not acknowledged; of UDP
    they are memory. `receive_memory` and `send_memory` are what the queues take with the
    kernel's overhead; that is what the buffers (SO_RCVBUF, SO_SNDBUF) limit. `dropped` counts
    packets that found no room. `probing` says that the timer runs which probes a closed window
    (RFC 9293, 3.8.6.1).
    """

    time: int
    state: str
    receive_queue: int
    send_queue: int
    receive_memory: int | None = None
    send_memory: int | None = None
    receive_buffer: int | None = None
    send_buffer: int | None = None
    dropped: int | None = None
    probing: bool = False


@dataclass(frozen=True, slots=True)
class SocketQueues:
    """One socket's levels, in the order of time; at least one. `gone` is when it was not there
    any more, None where it was at the end."""

    host: str
    protocol: str
    """`tcp` or `udp`."""
    key: str
    """As `labctl.observe.sockets.model.KernelSocket.key`."""
    local: Endpoint | None
    remote: Endpoint | None
    levels: tuple[Level, ...]
    gone: int | None = None


@dataclass(frozen=True, slots=True)
class Looks:
    """How a host was looked at: from `begun` to `ended`, how often, the longest time between
    two looks, and what ended it early, if anything did."""

    host: str
    begun: int
    ended: int
    count: int
    longest: int
    wrong: str = ""


@dataclass(frozen=True)
class Sampled:
    """What was seen of all hosts; `interval` is the wanted time between two looks, in seconds."""

    interval: float
    hosts: tuple[Looks, ...]
    sockets: tuple[SocketQueues, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Bytes on their way from one socket to another: one direction of a connection.

    An end is None where it was not seen. Of UDP, where a socket has many partners or none, each
    socket is an end by itself.
    """

    protocol: str
    sender: SocketQueues | None
    receiver: SocketQueues | None

    @property
    def highest_send(self) -> int:
        """The most bytes that were in the sender's send queue."""
        return max((one.send_queue for one in levels(self.sender)), default=0)

    @property
    def highest_receive(self) -> int:
        """The most bytes that were in the receiver's receive queue."""
        return max((one.receive_queue for one in levels(self.receiver)), default=0)

    @property
    def dropped(self) -> int:
        """How many datagrams the receiver's socket had no room for.

        TCP counts other packets there too, as probes of a closed window.
        """
        if self.protocol != "udp":
            return 0
        counts = [one.dropped for one in levels(self.receiver) if one.dropped is not None]
        return max(counts) - min(counts) if counts else 0

    @property
    def quiet(self) -> bool:
        """Whether nothing waited in it: a SYN or FIN alone counts as one byte."""
        return self.highest_send <= 1 and self.highest_receive <= 1 and not self.dropped


def levels(end: SocketQueues | None) -> tuple[Level, ...]:
    """Return the levels of an end that may not have been seen."""
    return () if end is None else end.levels


@dataclass(frozen=True, slots=True)
class Span:
    """A time from `start` to `end`, and what it was."""

    start: int
    end: int
    what: str = ""
