"""The crossings of processes as JSON; times are in ns. Pure."""

from __future__ import annotations

from typing import Any

from labctl.play.crossing import Crossed
from labctl.sequence.crossings import Crossings, Kind, findings


def as_json(crossed: Crossed) -> dict[str, Any]:
    """Return what `labctl syscalls --json` prints."""
    return {
        "title": crossed.title,
        "tracer": crossed.tracer,
        "passed": crossed.result is not None and crossed.result.passed,
        "processes": [_process(one) for one in crossed.processes],
        "findings": [
            {
                "rule": one.rule,
                "host": one.process.host,
                "pid": one.process.pid,
                "sentence": one.sentence,
                "advice": one.advice,
            }
            for one in findings(crossed.processes)
        ],
        "notices": [{"host": one.host, "text": one.text} for one in crossed.notices],
    }


def _process(one: Crossings) -> dict[str, Any]:
    return {
        "host": one.host,
        "pid": one.pid,
        "program": one.program,
        "start": one.start,
        "end": one.end,
        "ended": one.ended,
        "threads": one.threads,
        "lifetime": one.lifetime,
        "calls": one.calls,
        "errors": dict(one.errors),
        "inside": one.inside,
        "working": one.working,
        "waiting": one.waiting,
        "outside": one.outside,
        "user": one.user,
        "system": one.working if one.user is not None else None,
        "per_second": round(one.per_second, 1),
        "kinds": [_kind(kind) for kind in one.kinds],
    }


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "calls": kind.calls,
        "unreturned": kind.unreturned,
        "errors": dict(kind.errors),
        "inside": kind.inside,
        "working": kind.working,
        "waiting": kind.waiting,
        "bytes": kind.moved,
    }
