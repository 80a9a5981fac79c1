"""What the processes of a host hold, and the kernel's structure behind each socket.

One `Snapshot` is the whole at one moment. Whatever makes a film of them needs no more than
their order: `labctl.observe.sockets.changes` tells what differs from one to the next, and a
socket has the same `key` from socket() until the last of it is gone, also over accept, fork
and close.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

ALL_ADDRESSES = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """One of the two addresses in a socket; a field that is still empty is None.

    Of AF_UNIX, `address` is the path, or @NAME in the abstract namespace (unix(7)), and the
    port always empty.
    """

    address: str | None = None
    port: int | None = None


EMPTY = SocketAddress()


@dataclass(frozen=True, slots=True)
class Timer:
    """The timer that runs: `kind` is retransmit, keepalive, time-wait or probe (of a closed
    window). It fires in `ms` milliseconds, and has fired `attempts` times in a row."""

    kind: str
    ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """Of tcp_info (linux/tcp.h): times in microseconds, the window and what is
    unacknowledged in segments, `mss` in bytes; `retransmitted` counts segments so far."""

    rtt: int
    rtt_variance: int
    retransmit_timeout: int
    congestion_window: int
    mss: int
    unacknowledged: int
    retransmitted: int


@dataclass(frozen=True, slots=True)
class KernelSocket:
    """A socket structure. What the kernel does not tell is None.

    `inode` is what links of /proc/PID/fd name; 0 where no descriptor stands for it: not yet,
    before accept, or no more, after close. `state` of TCP as RFC 9293 has it; of others
    UNCONNECTED, CONNECTED or LISTEN.
    """

    inode: int
    cookie: int | None
    family: str
    """`AF_INET`, `AF_INET6`, `AF_UNIX`, ... as socket(2) has it."""
    type: str
    protocol: str
    """`tcp`, `udp`, ...; of AF_UNIX empty."""
    state: str
    local: SocketAddress = EMPTY
    remote: SocketAddress = EMPTY
    receive_queue: int | None = None
    """Bytes that nobody has read; of UDP with the kernel's overhead."""
    send_queue: int | None = None
    """Bytes that are not acknowledged, or not sent."""
    accept_queue: int | None = None
    """Of a listener: how many connections wait for accept."""
    backlog: int | None = None
    """Of a listener: how many may."""
    receive_buffer: int | None = None
    send_buffer: int | None = None
    dropped: int | None = None
    """Packets that found no room."""
    timer: Timer | None = None
    tcp: TcpInfo | None = None
    options: tuple[str, ...] | None = None
    """The options that are set, as `SO_REUSEADDR`."""
    peer: int | None = None
    """Of AF_UNIX: the inode of the other end."""

    @property
    def key(self) -> str:
        """The same for this socket in every snapshot, and no other's: the kernel's own (SO_COOKIE).

        Only where that is not known yet, as the socket has no address and its process never
        sleeps, it is another.
        """
        return f"inode:{self.inode}" if self.cookie is None else f"cookie:{self.cookie}"

    @property
    def awaits_accept(self) -> bool:
        """Whether it is a connection that no accept has returned yet."""
        return self.inode == 0 and self.state in ("SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One entry of a process's table.

    `kind` is socket, pipe, file, or what an anonymous inode is (`eventpoll`, `eventfd`,
    `timerfd`, ...); `target` is the file's path, else empty. `inode` is that of a socket or
    pipe. `access` is r, w or rw; `watches` are the descriptors that an eventpoll waits for.
    """

    fd: int
    kind: str
    target: str = ""
    inode: int | None = None
    access: str = ""
    nonblocking: bool = False
    close_on_exec: bool = False
    watches: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Process:
    """A process with its descriptor table; `user` is the user's name, or number where it has
    none; `state` the letter of ps(1): `Z` is a zombie."""

    pid: int
    parent: int
    name: str
    command: tuple[str, ...]
    user: str
    state: str
    descriptors: tuple[Descriptor, ...]

    @property
    def has_socket(self) -> bool:
        return any(one.kind == "socket" for one in self.descriptors)


@dataclass(frozen=True)
class Snapshot:
    """A host's descriptor tables and sockets at one moment (`time`, ns since 1970).

    Sockets are in no order. `notes` tell what could not be learned, and why.
    """

    host: str
    time: int
    processes: tuple[Process, ...]
    sockets: tuple[KernelSocket, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def held(self) -> dict[int, KernelSocket]:
        """The sockets that descriptors stand for, by inode."""
        return {one.inode: one for one in self.sockets if one.inode in self.holders}

    @cached_property
    def holders(self) -> dict[int, tuple[tuple[int, int], ...]]:
        """The descriptors (process, number) that stand for each socket, by its inode."""
        found: dict[int, tuple[tuple[int, int], ...]] = {}
        for process in self.processes:
            for one in process.descriptors:
                if one.kind == "socket" and one.inode is not None:
                    found[one.inode] = (*found.get(one.inode, ()), (process.pid, one.fd))
        return found

    @cached_property
    def unheld(self) -> tuple[KernelSocket, ...]:
        """The sockets that no process of the host holds."""
        return tuple(one for one in self.sockets if one.inode not in self.holders)
