"""The events of a recording: what processes asked of the kernel, and what crossed the wire.

All are immutable. Every time is in nanoseconds since the Unix epoch, on the one clock
(CLOCK_REALTIME) of the machine whose kernel all hosts of a lab share. Process and thread
numbers are those of the host's own pid namespace. `labctl.sequence.jsonl` writes them as
JSON, one object a line, under the names that they have here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Value = None | bool | int | str | list["Value"] | dict[str, "Value"]
"""What an argument of a call is decoded to: the same as JSON has."""


class Endpoint(NamedTuple):
    """A transport address: an IP address and a port (RFC 9293, 3.1; RFC 768)."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else ":".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Return what `str` has made a text of. Raises ValueError for anything else."""
        address, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal():
            raise ValueError(f"not an address with a port: {text!r}")
        return cls(address.removeprefix("[").removesuffix("]"), int(port))


@dataclass(frozen=True, slots=True)
class Call:
    """One system call of one thread: an interval, from when it was entered to its return.

    The kernel did its work at some moment within the interval. `start` and `end` are what
    the tracer saw, never later and never earlier than what the program saw.
    """

    host: str
    pid: int
    tid: int
    name: str
    """As in the man page, section 2: `accept4`, `recvfrom`."""
    start: int
    end: int | None
    """None where it never returned: the thread ended in it, or was still in it at the end of
    the recording."""
    result: int | None
    """What it returned, -1 with an `errno`; None where it never returned."""
    errno: str | None = None
    """`ECONNREFUSED`; an errno of a call that is restarted after a signal counts as one."""
    fd: int | None = None
    """The descriptor that the call names first."""
    args: Mapping[str, Value] = field(default_factory=dict)
    """The other arguments, decoded, under the names of docs/events.md. What a tracer cannot
    see is not in it."""
    socket: int | None = None
    """The `id` of the socket that the descriptor stood for, once descriptors are rebuilt; of
    socket, accept and dup, of the socket behind the descriptor they returned."""
    last: bool = False
    """Of a close: no other descriptor of any process stands for the socket any more."""

    @property
    def failed(self) -> bool:
        return self.errno is not None


class Sighting(NamedTuple):
    """Where and when a packet was seen: `network` as the lab file names it, or `lo`."""

    host: str
    network: str
    time: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A packet on its way from one host to another: a TCP segment, a UDP datagram, an ICMP error.

    At least one of `sent` and `received` is there. `seq` and `ack` are relative to the
    connection's initial sequence numbers, as tshark(1) has them, or to the first packet seen
    where the SYN was not captured; None outside TCP.
    """

    protocol: str
    """`tcp`, `udp` or `icmp`."""
    source: Endpoint
    target: Endpoint
    sent: Sighting | None
    received: Sighting | None
    via: tuple[Sighting, ...] = ()
    """Where routers saw it on its way, in the order of time."""
    flags: tuple[str, ...] = ()
    """Of TCP, in the header's order from the right: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR."""
    seq: int | None = None
    ack: int | None = None
    length: int = 0
    """Bytes of data that it carries, without headers."""
    window: int | None = None
    """The receive window in bytes, scaled where the handshake was seen."""
    options: Mapping[str, Value] = field(default_factory=dict)
    """TCP options: `mss`, `window_scale`, `sack_permitted`, `timestamp`, ..."""
    retransmission: bool = False
    """Its bytes (or its SYN, its FIN) were sent before."""
    joined: int = 1
    """How many segments of the wire offloading has made one of (an estimate from the MSS)."""
    data: str = ""
    """The beginning of its data, as latin-1 text; as much as the capture kept, 64 at most."""
    about: str = ""
    """Of ICMP: what it says, and of which packet: `port unreachable 10.0.0.1:9 udp`."""
    frames: tuple[int, ...] = ()
    """Its numbers among the packets of the merged capture, from 1."""

    @property
    def time(self) -> int:
        """When it was first seen."""
        seen = self.sent or self.received
        assert seen is not None
        return seen.time


@dataclass(frozen=True, slots=True)
class StateChange:
    """A TCP connection went from one state to another on one host (RFC 9293, 3.3.2).

    `old` and `new` as in the RFC: CLOSED, LISTEN, SYN-SENT, SYN-RECEIVED, ESTABLISHED, ...
    Only the tracer tracefs sees them.
    """

    host: str
    time: int
    local: Endpoint
    remote: Endpoint
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    """A process or thread began, executed another program, or ended.

    `kind` is `fork` (`child` is the new process; `pid` its parent), `thread` (`child` is the
    new thread's number), `exec` (`program` is now executed) or `exit` (`code`, or `signal`
    where one killed it, as `SIGPIPE`). `tid` is the thread that did it. `told_parent` is of an
    exit whether SIGCHLD told the parent of it, None where that is not known. A parent that ignores
    SIGCHLD is not told, and no zombie is left (wait(2), NOTES). Of several at once strace may see
    only one that was told.
    """

    host: str
    pid: int
    tid: int
    kind: str
    time: int
    child: int | None = None
    program: str | None = None
    code: int | None = None
    signal: str | None = None
    told_parent: bool | None = None


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """A socket that a process already had when the recording of it began.

    `state` as ss(8) has it (`LISTEN`, `ESTAB`, `UNCONN`); `inode` tells which descriptors, also
    of other processes, stand for the same socket.
    """

    host: str
    pid: int
    fd: int
    inode: int
    family: str
    type: str
    state: str
    local: Endpoint | None
    remote: Endpoint | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the observer has to say of its own work: what it may have missed, and why.

    `host` is empty where it is about all. `missing` names what was not seen whole because of it,
    `calls` or `packets` or both: of these nobody can say that something never happened.
    """

    host: str
    text: str
    time: int | None = None
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.host}: {self.text}" if self.host else self.text
