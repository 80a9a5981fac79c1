"""A file's distribution as plain data for JSON."""

from __future__ import annotations

from typing import Any

from labctl.play.distribution.model import Distribution, Run


def as_json(found: Distribution) -> dict[str, Any]:
    """Return what `--json` prints: times in seconds, sizes in bytes, rates in bits a second."""
    return {
        "lab": found.lab,
        "file": found.file,
        "bytes": found.size,
        "rates": {
            "server": found.rates.server,
            "seed": found.rates.seed,
            "peers": list(found.rates.peers),
            "slowest_download": found.rates.slowest,
        },
        "passed": found.right,
        "runs": [_run(run) for run in found.runs],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "way": run.way.value,
        "n": run.n,
        "bound": run.bound,
        "last": run.last,
        "mean": run.mean,
        "over_bound": run.last / run.bound,
        "source": run.source,
        "source_sent_copies": run.copies,
        "seconds": dict(run.seconds),
        "sent": dict(run.sent),
        "received": dict(run.received),
        "flows": [
            {"from": sender, "to": receiver, "bytes": count}
            for (sender, receiver), count in sorted(run.flows.items())
        ],
        "whole": dict(run.whole),
        "wrong": list(run.wrong),
    }
