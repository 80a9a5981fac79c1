"""Reads what the agent has written down of a host's queues (images/observer/agent/queues.py)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from labctl.errors import MachineError
from labctl.observe.queues.model import Level, Looks, SocketQueues
from labctl.observe.sockets import inet
from labctl.observe.sockets.fields import Malformed
from labctl.observe.sockets.model import KernelSocket, SocketAddress
from labctl.sequence.events import Endpoint

_RECORD = struct.Struct("=QBxH")
_GONE = 0x80
_PROTOCOLS = {6: "tcp", 17: "udp"}
_COOKIE = slice(44, 52)


@dataclass
class _Growing:
    """A socket whose levels are still being read."""

    first: KernelSocket
    levels: list[Level] = field(default_factory=list)
    gone: int | None = None


def looks(host: str, told: Mapping[str, Any]) -> Looks:
    """Return how a host was looked at, as its agent tells at the end."""
    return Looks(host, told["begun"], told["ended"], told["looks"], told["longest"], told["wrong"])


def read(host: str, content: bytes) -> tuple[SocketQueues, ...]:
    """Return the sockets of a host, in the order in which they were first seen.

    A record that was cut off at the end is left out. Raises MachineError where one makes no
    sense.
    """
    found: dict[tuple[int, bytes], _Growing] = {}
    try:
        for time, kind, message in _records(content):
            key = kind & ~_GONE, message[_COOKIE]
            if kind & _GONE:
                if key in found:
                    found[key].gone = time
                continue
            one = inet.read(message, _PROTOCOLS[kind])
            growing = found.setdefault(key, _Growing(one))
            growing.gone = None
            growing.levels.append(_level(time, one, message))
            growing.first = _better(growing.first, one)
    except (Malformed, KeyError) as error:
        raise MachineError(
            f"the kernel of host {host} tells of its queues in an unknown form: {error}",
            "Please report it, with `uname -r` of the engine's machine.",
        ) from error
    return tuple(_socket(host, one) for one in found.values())


def _records(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _RECORD.size <= len(content):
        time, kind, length = _RECORD.unpack_from(content, at)
        at += _RECORD.size
        if at + length > len(content):
            return
        yield time, kind, content[at : at + length]
        at += length


def _better(known: KernelSocket, now: KernelSocket) -> KernelSocket:
    """Return the one whose addresses are filled in further."""
    return now if _filled(now) > _filled(known) else known


def _filled(one: KernelSocket) -> int:
    return sum(port is not None for port in (one.local.port, one.remote.port))


def _level(time: int, one: KernelSocket, message: bytes) -> Level:
    receive_memory, send_memory = inet.memory(message)
    timer = one.timer
    return Level(
        time=time,
        state=one.state,
        receive_queue=one.receive_queue or 0,
        send_queue=one.send_queue or 0,
        receive_memory=receive_memory,
        send_memory=send_memory,
        receive_buffer=one.receive_buffer,
        send_buffer=one.send_buffer,
        dropped=one.dropped,
        probing=timer is not None and timer.kind == "probe",
    )


def _socket(host: str, one: _Growing) -> SocketQueues:
    first = one.first
    return SocketQueues(
        host=host,
        protocol=first.protocol,
        key=first.key,
        local=_endpoint(first.local),
        remote=_endpoint(first.remote),
        levels=tuple(one.levels),
        gone=one.gone,
    )


def _endpoint(address: SocketAddress) -> Endpoint | None:
    if address.port is None:
        return None
    plain = (address.address or "").removeprefix("::ffff:")  # IPv4 on a socket of AF_INET6
    return Endpoint(plain, address.port)
