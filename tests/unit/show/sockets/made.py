"""Snapshots made by hand: a server from socket() on, as in figures 6-28 and 6-30."""

from __future__ import annotations

from dataclasses import replace

from labctl.observe.sockets.model import (
    Descriptor,
    KernelSocket,
    Process,
    Snapshot,
    SocketAddress,
)

_STANDARD = tuple(Descriptor(fd, "file", "/dev/null") for fd in range(3))
NEW = KernelSocket(34, 1, "AF_INET", "SOCK_STREAM", "tcp", "CLOSED")
BOUND = replace(NEW, local=SocketAddress("0.0.0.0", 80))
LISTENING = replace(BOUND, state="LISTEN", accept_queue=1, backlog=5)
ACCEPTED = replace(
    NEW,
    inode=35,
    cookie=2,
    state="ESTABLISHED",
    local=SocketAddress("10.0.0.1", 80),
    remote=SocketAddress("10.0.0.2", 4000),
    receive_queue=5,
    receive_buffer=131072,
)


def process(pid: int, *inodes: int, parent: int = 1) -> Process:
    """Return a process whose descriptors from 3 on are these sockets."""
    entries = (Descriptor(3 + n, "socket", inode=inode) for n, inode in enumerate(inodes))
    return Process(pid, parent, "web", ("web", "80"), "ann", "S", (*_STANDARD, *entries))


def snapshot(processes: tuple[Process, ...], *sockets: KernelSocket) -> Snapshot:
    return Snapshot("server", 1_700_000_000_123_000_000, processes, sockets)


AFTER_SOCKET = snapshot((process(7, 34),), NEW)
AFTER_BIND = snapshot((process(7, 34),), BOUND)
AFTER_ACCEPT = snapshot((process(7, 34, 35),), LISTENING, ACCEPTED)
AFTER_FORK = snapshot((process(7, 34, 35), process(8, 34, 35, parent=7)), LISTENING, ACCEPTED)
