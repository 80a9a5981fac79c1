"""Queues over time as JSON; the names are those of docs/queues.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from labctl.observe.queues.model import Level, SocketQueues, Span
from labctl.observe.queues.seen import Queues, Seen

COLUMNS = tuple(field.name for field in fields(Level))


def as_json(queues: Queues) -> dict[str, Any]:
    """Return all that was seen; quiet flows too."""
    return {
        "title": queues.title,
        "begun": queues.begun,
        "ended": queues.ended,
        "interval": queues.sampled.interval,
        "traced": queues.traced,
        "hosts": [asdict(host) for host in queues.sampled.hosts],
        "columns": COLUMNS,
        "flows": [_flow(one) for one in queues.flows],
    }


def _flow(one: Seen) -> dict[str, Any]:
    flow = one.flow
    return {
        "protocol": flow.protocol,
        "highest_send": flow.highest_send,
        "highest_receive": flow.highest_receive,
        "dropped": flow.dropped,
        "blocked": _spans(one.blocked),
        "window_closed": _spans(one.closed),
        "probes": one.probes,
        "drops": [{"time": span.start, "packets": int(span.what)} for span in one.drops],
        "sender": _socket(flow.sender),
        "receiver": _socket(flow.receiver),
    }


def _spans(spans: Sequence[Span]) -> list[dict[str, Any]]:
    return [
        {"start": span.start, "end": span.end, **({"call": span.what} if span.what else {})}
        for span in spans
    ]


def _socket(socket: SocketQueues | None) -> dict[str, Any] | None:
    if socket is None:
        return None
    return {
        "host": socket.host,
        "key": socket.key,
        "local": None if socket.local is None else socket.local._asdict(),
        "remote": None if socket.remote is None else socket.remote._asdict(),
        "gone": socket.gone,
        "levels": [[getattr(level, name) for name in COLUMNS] for level in socket.levels],
    }
