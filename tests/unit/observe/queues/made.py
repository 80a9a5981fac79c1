"""Queues made up for tests: a sender and a receiver, second by second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from labctl.observe.queues.model import Level, Looks, Sampled, SocketQueues
from labctl.sequence.events import Endpoint

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
SENDER = Endpoint("10.0.0.1", 40000)
RECEIVER = Endpoint("10.0.0.2", 9100)


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def level(seconds: float, **more: Any) -> Level:
    """A level from then on; the rest as `more` says."""
    told = {"receive_queue": 0, "send_queue": 0, "receive_buffer": 65536, "send_buffer": 32768}
    return Level(at(seconds), "ESTABLISHED", **{**told, **more})


def sender(*levels: Level, **more: Any) -> SocketQueues:
    return replace(SocketQueues("a", "tcp", "cookie:1", SENDER, RECEIVER, levels), **more)


def receiver(*levels: Level, **more: Any) -> SocketQueues:
    return replace(SocketQueues("b", "tcp", "cookie:2", RECEIVER, SENDER, levels), **more)


def sampled(sockets: Sequence[SocketQueues], seconds: float = 10) -> Sampled:
    hosts = tuple(
        Looks(name, START, at(seconds), round(seconds * 200), 12_000_000) for name in ("a", "b")
    )
    return Sampled(0.005, hosts, tuple(sockets))


def stalled() -> Sampled:
    """One connection: the receiver reads nothing from 1 s to 5 s; its window is closed from 2 s."""
    return sampled(
        [
            sender(
                level(1),
                level(1.5, send_queue=30_000, send_memory=33_000),
                level(2, send_queue=30_000, send_memory=33_000, probing=True),
                level(5),
                gone=at(6),
            ),
            receiver(level(1), level(1.2, receive_queue=60_000), level(5), gone=at(6)),
        ]
    )
