"""The recording of scene.py: what the program said of its sockets, and what the agent told."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from labctl.observe.sockets import snapshot
from labctl.observe.sockets.model import KernelSocket, Snapshot

_FILE = Path(__file__).parents[1] / "recorded/sockets/answer.json"
_RECORDED: dict[str, Any] = json.loads(_FILE.read_text())
SCENE: dict[str, Any] = _RECORDED["scene"]
ANSWER: dict[str, Any] = _RECORDED["answer"]


def taken() -> Snapshot:
    """Return the snapshot of the recording."""
    return snapshot.read("scene", ANSWER)


def behind(name: str) -> KernelSocket:
    """Return the socket that the program calls so."""
    shot = taken()
    (process,) = [one for one in shot.processes if one.pid == SCENE["pid"]]
    fd = SCENE["sockets"][name]["fd"]
    (inode,) = [one.inode for one in process.descriptors if one.fd == fd]
    assert inode is not None
    return shot.held[inode]


def messages() -> list[tuple[str, bytes]]:
    """Return the kernel's messages, each with its kind."""
    return [
        (kind, base64.b64decode(one))
        for kind, all_of in ANSWER["messages"].items()
        for one in all_of
    ]
