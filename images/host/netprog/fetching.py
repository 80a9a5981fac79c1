"""Fetching one file from beginning to end, and telling how it went.

1. X asks the directory who has the file. 2. The directory answers with the holders. 3. X
picks one, gets its port from the directory (203, 204) and asks it. 4. That peer sends the
file. Steps 1 and 2 are client and server (finding.py); 3 and 4 are between peers (getting.py).
"""

from typing import Any

from command import endpoint
from desk import Desk
from downloader import Manner
from finding import Order, Step, with_round_trips
from getting import Getting
from holders import Holder
from receiving import Arrival, path_in


def fetch_file(
    desk: Desk, order: Order, holders: list[Holder], steps: list[Step], manner: Manner, out: str
) -> dict[str, Any]:
    """Fetch the file into the folder `out` from one of `holders`, or from several in turn.

    Returns the report that `peer get --json` prints; its `failed` lists holders tried in vain,
    and why; `seconds` and `rate` are those of step 4 from the last one. Raises Failure when
    none delivers.
    """
    if order.ping is not None:
        how = order.ping
        holders = desk.ask(lambda session: with_round_trips(session, holders, how))
    target = path_in(out, order.name)
    with Arrival(target) as arrival:
        getting = Getting(desk, order, manner, arrival)
        try:
            chosen, where, done = getting.run(holders)
        finally:
            getting.close()
        arrival.keep()
    return {
        "name": order.name,
        "bytes": arrival.size,
        "seconds": done.seconds,
        "rate": done.bytes / done.seconds if done.seconds else 0.0,
        "sha256": arrival.sha256,
        "proofs": done.proofs,
        "directory": desk.session.remote,
        "holders": [
            {"nick": holder.nick, "ip": holder.ip, "round_trip": holder.round_trip}
            for holder in holders
        ],
        "chosen": {"nick": chosen.nick, "ip": chosen.ip, "port": where.port},
        "failed": getting.failed,
        "local": done.local,
        "remote": done.remote,
        "path": target,
        "steps": [step.row() for step in steps + getting.steps],
    }


def report_lines(report: dict[str, Any]) -> list[str]:
    """The report as lines of text: one a step, then the result."""
    lines = [
        f"{row['step']}. {row['what']}: {endpoint(row['from'])} to {endpoint(row['to'])},"
        f" {row['bytes']} bytes, {row['seconds']:.4f} s"
        for row in report["steps"]
    ]
    lines += [
        f"{holder['nick']} is {holder['round_trip'] * 1000:.3f} ms away"
        for holder in report["holders"]
        if holder["round_trip"] is not None
    ]
    lines += [f"{failure['nick']} failed: {failure['why']}" for failure in report["failed"]]
    rate = f"{report['rate'] / 1e6:.1f} MB/s"
    proofs = ", ".join(report["proofs"])
    lines.append(
        f"{report['name']}: {report['bytes']} bytes in {report['seconds']:.3f} s, {rate},"
        f" from {report['chosen']['nick']}, right by {proofs}"
    )
    return [*lines, f"sha256 {report['sha256']}, in {report['path']}"]
