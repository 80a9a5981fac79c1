"""Getting a file from peers, in the four steps of Napster.

1. X asks the directory who has the file. 2. The directory answers with the holders. 3. X
picks one, gets its port from the directory (203, 204) and asks it. 4. That peer sends the
file. Steps 1 and 2 are client and server; 3 and 4 are between peers.
"""

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command import Failure, endpoint, reason
from downloader import CutShort, Download, download
from messages import GoAhead, Result
from napster import Malformed
from receiving import Arrival, CannotWrite, local_name
from session import Session

Address = tuple[str, int]

MOST_RESUMES = 9


@dataclass(frozen=True)
class Step:
    """One row of the table of steps: who sent what to whom; bytes on the wire, seconds."""

    step: int
    what: str
    origin: Address
    to: Address
    bytes: int
    seconds: float

    def row(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "what": self.what,
            "from": self.origin,
            "to": self.to,
            "bytes": self.bytes,
            "seconds": self.seconds,
        }


def find(
    session: Session, name: str, left_out: str, only: str | None
) -> tuple[list[Result], list[Step]]:
    """Steps 1 and 2: who has a file called `name`; not the nick `left_out`, and nobody but
    `only`, when that is given."""
    answer = session.search(name)
    here, there = session.local, session.remote
    steps = [
        Step(1, f"ask the directory who has {name}", here, there, *answer.asked),
        Step(2, "the directory answers", there, here, *answer.answered),
    ]
    holders = [
        result
        for result in answer.results
        if _is_called(result, name)
        and result.nick.lower() != left_out
        and (only is None or result.nick.lower() == only.lower())
    ]
    return holders, steps


def _is_called(result: Result, name: str) -> bool:
    try:
        return name in (result.file.name, local_name(result.file.name))
    except Failure:
        return False


def fetch_file(
    session: Session, name: str, holders: list[Result], steps: list[Step], nick: str, out: str
) -> dict[str, Any]:
    """Steps 3 and 4: fetch the file into the folder `out` from one of `holders`.

    They are tried in random order until one delivers the whole file. Returns the report that
    `peer get --json` prints; its `failed` lists holders tried in vain, and why; `seconds` and
    `rate` are those of step 4. Raises Failure when none delivers.
    """
    failed: list[dict[str, str]] = []
    target = str(Path(out) / local_name(name))
    with Arrival(target) as arrival:
        for holder in random.sample(holders, len(holders)):
            try:
                outcome = _get_from(session, holder, nick, arrival)
                break
            except CannotWrite:
                raise
            except (Failure, OSError, Malformed) as error:
                why = reason(error) if isinstance(error, OSError) else str(error)
                failed.append({"nick": holder.nick, "why": why})
                arrival.restart()
        else:
            tried = "; ".join(f"{failure['nick']}: {failure['why']}" for failure in failed)
            raise Failure(f"{name}: no holder delivers it: {tried}")
        arrival.keep()
    chosen, done, more_steps = outcome
    return {
        "name": name,
        "bytes": arrival.size,
        "seconds": done.seconds,
        "rate": arrival.size / done.seconds if done.seconds else 0.0,
        "sha256": arrival.sha256,
        "proofs": done.proofs,
        "directory": session.remote,
        "holders": [{"nick": holder.nick, "ip": holder.ip} for holder in holders],
        "chosen": {"nick": chosen.nick, "ip": chosen.ip, "port": chosen.port},
        "failed": failed,
        "local": done.local,
        "remote": done.remote,
        "path": target,
        "steps": [step.row() for step in steps + more_steps],
    }


def report_lines(report: dict[str, Any]) -> list[str]:
    """The report as lines of text: one a step, then the result."""
    lines = [
        f"{row['step']}. {row['what']}: {endpoint(row['from'])} to {endpoint(row['to'])},"
        f" {row['bytes']} bytes, {row['seconds']:.4f} s"
        for row in report["steps"]
    ]
    lines += [f"{failure['nick']} failed: {failure['why']}" for failure in report["failed"]]
    rate = f"{report['rate'] / 1e6:.1f} MB/s"
    proofs = ", ".join(report["proofs"])
    lines.append(
        f"{report['name']}: {report['bytes']} bytes in {report['seconds']:.3f} s, {rate},"
        f" from {report['chosen']['nick']}, right by {proofs}"
    )
    return [*lines, f"sha256 {report['sha256']}, in {report['path']}"]


def _get_from(
    session: Session, holder: Result, nick: str, arrival: Arrival
) -> tuple[GoAhead, Download, list[Step]]:
    started = time.monotonic()
    where, asked = session.request(holder.nick, holder.file.name)
    if where is None:
        raise Failure("not to be had, says the directory")
    allowed = time.monotonic() - started
    done = _fetch(where, holder, nick, arrival)
    port = f"ask the directory for the port of {holder.nick}"
    here, there = done.local, done.remote
    return (
        where,
        done,
        [
            Step(3, port, session.local, session.remote, asked, allowed),
            Step(3, f"ask {holder.nick} for the file", here, there, *done.asked),
            Step(4, "the file", there, here, done.bytes, done.seconds),
        ],
    )


def _fetch(where: GoAhead, holder: Result, nick: str, arrival: Arrival) -> Download:
    """Download, going on with a new connection where one broke off, a few times."""
    for _ in range(MOST_RESUMES):
        before = arrival.size
        try:
            return download(where, holder.file, nick, arrival)
        except CutShort:
            if arrival.size == before:
                raise
    return download(where, holder.file, nick, arrival)
