"""A snapshot as JSON; the names are those of docs/sockets.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labctl.observe.sockets.model import Descriptor, KernelSocket, Process, Snapshot


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as `sockets --json` shows it."""
    return {
        "host": snapshot.host,
        "time": snapshot.time,
        "processes": [_process(snapshot, one) for one in snapshot.processes],
        "sockets": [_socket(snapshot, one) for one in snapshot.sockets],
        "notes": list(snapshot.notes),
    }


def _process(snapshot: Snapshot, one: Process) -> dict[str, Any]:
    descriptors = [_descriptor(snapshot, entry) for entry in one.descriptors]
    return {**asdict(one), "descriptors": descriptors}


def _descriptor(snapshot: Snapshot, one: Descriptor) -> dict[str, Any]:
    behind = None
    if one.kind == "socket" and one.inode is not None:
        behind = snapshot.held.get(one.inode)
    return {**asdict(one), "socket": None if behind is None else behind.key}


def _socket(snapshot: Snapshot, one: KernelSocket) -> dict[str, Any]:
    holders = snapshot.holders.get(one.inode, ())
    return {
        "key": one.key,
        **asdict(one),
        "held_by": [{"pid": pid, "fd": fd} for pid, fd in holders],
        "awaits_accept": one.awaits_accept,
    }
