"""Reads what the agent was told by a socket that it borrowed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labctl.observe.sockets import names, tcpinfo
from labctl.observe.sockets.model import EMPTY, KernelSocket, SocketAddress


def alone(inode: int, told: Mapping[str, Any]) -> KernelSocket:
    """Return a socket that the kernel's messages do not tell of: mostly one without address."""
    if "name" in told:
        return _named(inode, told["name"])
    number = told["family"]
    protocol = names.protocol(number, told["protocol"])
    info = base64.b64decode(told["tcp_info"] or "")
    if info:
        state = names.state(protocol, tcpinfo.state(info))
    elif told["listening"]:
        state = "LISTEN"
    else:
        state = names.state("", 7 if told["remote"] is None else 1)
    under_way = state not in ("CLOSED", "LISTEN")
    return KernelSocket(
        inode=inode,
        cookie=told["cookie"],
        family=names.family(number),
        type=names.socket_type(told["type"]),
        protocol=protocol,
        state=state,
        local=_address(told["local"]),
        remote=_address(told["remote"]),
        receive_queue=told["receive_queue"],
        send_queue=told["send_queue"],
        receive_buffer=told["receive_buffer"],
        send_buffer=told["send_buffer"],
        tcp=tcpinfo.read(info) if info and under_way else None,
        options=tuple(told["options"]),
    )


def added(known: KernelSocket, told: Mapping[str, Any]) -> KernelSocket:
    """Return a socket with what only the socket itself tells: its options."""
    if "name" in told:
        return known
    protocol = names.protocol(told["family"], told["protocol"])
    return replace(
        known,
        type=names.socket_type(told["type"]),
        protocol=protocol,
        remote=_address(told["remote"]) if known.family == "AF_UNIX" else known.remote,
        options=tuple(told["options"]),
    )


def _named(inode: int, name: str) -> KernelSocket:
    """Return a socket of which only the name of its protocol is known."""
    family, kind, protocol = names.BY_PROTOCOL_NAME.get(name, ("", "", name.lower()))
    state = "CLOSED" if protocol == "tcp" else ""
    return KernelSocket(inode, None, family, kind, protocol, state)


def _address(told: list[Any] | str | None) -> SocketAddress:
    if not told:
        return EMPTY
    if isinstance(told, str):
        return SocketAddress(told)
    return names.internet(str(told[0]), int(told[1]))
