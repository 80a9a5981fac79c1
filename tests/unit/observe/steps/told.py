"""Frames as an agent tells them, made by hand."""

from __future__ import annotations

import base64
import json
import socket
import struct
from typing import Any

TCP: dict[str, Any] = {
    "family": 2,
    "type": 1,
    "protocol": 6,
    "local": None,
    "remote": None,
    "listening": False,
    "receive_queue": 0,
    "send_queue": 0,
    "receive_buffer": 131072,
    "send_buffer": 16384,
    "options": [],
    "cookie": 1,
    "tcp_info": None,
}


def sockaddr(address: str, port: int) -> bytes:
    """Return a struct sockaddr_in."""
    return struct.pack("=H", socket.AF_INET) + struct.pack(
        ">H4s8x", port, socket.inet_aton(address)
    )


def process(pid: int, *inodes: int) -> dict[str, Any]:
    """Return a process whose descriptors from 3 on are these sockets."""
    entries = [
        {"fd": fd, "link": f"socket:[{inode}]", "info": "flags:\t02\n"}
        for fd, inode in enumerate(inodes, 3)
    ]
    return {
        "pid": pid,
        "parent": 1,
        "name": "web",
        "state": "t",
        "user": "ann",
        "command": ["web"],
        "descriptors": entries,
    }


def frame(number: int, name: str | None, *args: int, **more: Any) -> dict[str, Any]:
    """Return a frame after a call that returned 0; `more` says what is other."""
    call: dict[str, Any] = {}
    if name is not None:
        padded = (*args, *(0,) * (6 - len(args)))
        call = {"call": name, "args": padded, "memory": {}, "on": None, "result": 0}
    return {
        "frame": number,
        "event": "call",
        "pid": 7,
        "tid": 7,
        "times": 1,
        "moved": 0,
        "time": 1000 + number,
        "processes": [process(7)],
        "details": {},
        "messages": {"tcp": [], "udp": [], "unix": []},
        **call,
        **more,
    }


def memory(**blocks: bytes) -> dict[str, str]:
    return {name: base64.b64encode(block).decode() for name, block in blocks.items()}


def lines(*frames: dict[str, Any]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in frames).encode()
