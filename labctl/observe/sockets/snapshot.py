"""Puts a snapshot together of what the agent tells."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from labctl.errors import MachineError
from labctl.observe.sockets import details, inet, proc, unix
from labctl.observe.sockets.fields import Malformed
from labctl.observe.sockets.model import KernelSocket, Process, Snapshot

_NOT_BORROWED = (
    "the kernel does not let the observer ask sockets themselves (pidfd_getfd): options, and "
    "sockets without address, are not fully known"
)


def read(host: str, told: Mapping[str, Any]) -> Snapshot:
    """Return the snapshot of a host. Raises MachineError where what is told makes no sense."""
    try:
        return Snapshot(
            host=host,
            time=told["time"],
            processes=tuple(_process(one) for one in told["processes"]),
            sockets=tuple(_sockets(told)),
            notes=tuple(_notes(told)),
        )
    except (Malformed, binascii.Error) as error:
        raise MachineError(
            f"the kernel of host {host} tells of its sockets in an unknown form: {error}",
            "Please report it, with `uname -r` of the engine's machine.",
        ) from error


def _process(told: Mapping[str, Any]) -> Process:
    return Process(
        pid=told["pid"],
        parent=told["parent"],
        name=told["name"],
        command=tuple(told["command"]),
        user=told["user"],
        state=told["state"],
        descriptors=tuple(
            proc.descriptor(one["fd"], one["link"], one["info"]) for one in told["descriptors"]
        ),
    )


def _sockets(told: Mapping[str, Any]) -> Iterator[KernelSocket]:
    """Yield each socket once: from the kernel's messages, else from what it told itself."""
    borrowed = {int(inode): one for inode, one in told["details"].items()}
    known: set[int] = set()
    for kind, messages in told["messages"].items():
        for message in messages:
            one = _of_message(kind, base64.b64decode(message))
            if one.inode in known:
                continue  # a further subflow of MPTCP has its master's inode
            if one.inode:
                known.add(one.inode)
            own = borrowed.get(one.inode)
            yield one if own is None else details.added(one, own)
    for inode, own in borrowed.items():
        if inode not in known:
            yield details.alone(inode, own)


def _of_message(kind: str, message: bytes) -> KernelSocket:
    return unix.read(message) if kind == "unix" else inet.read(message, kind)


def _notes(told: Mapping[str, Any]) -> Iterator[str]:
    if any("name" in one and not one["busy"] for one in told["details"].values()):
        yield _NOT_BORROWED
