"""Getting a file from a swarm: many holders and other fetchers at once, in pieces.

The directory tells who has the file (steps 1 to 3 of Napster, for each holder); what the file
consists of the holders tell (swarm_scout.py); from then on everybody brings everybody what
they lack (exchange.py), and who is fetching too they tell each other. The directory may die
meanwhile. Holders behind NAT are asked to call here (swarm_callers.py).
"""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from command import Failure, say
from desk import Desk
from door import Door
from downloader import head_is_right
from finding import Order
from holders import Holder
from leave import ask_leave
from messages import File, GoAhead
from receiving import HEAD, local_name
from swarm_callers import Callers
from swarm_fetch import Fetch
from swarm_scout import scout

MOST_HOLDERS = 16
"""Holders that are called; through them we learn of all others."""

AGAIN_SECONDS = 3.0
"""How often holders that are not connected are called again."""

GIVE_UP_SECONDS = 60.0
"""Without a single piece."""

LINGER_SECONDS = 60.0
"""How long a peer that has everything goes on giving to those that do not, at most."""

SILENT_SECONDS = 2.0
"""And how long while none of them takes anything."""

MOST_WRONG = 3
"""How many false files are fetched to their end before it is given up."""


def fetch_by_swarm(desk: Desk, order: Order, holders: list[Holder], out: str) -> dict[str, Any]:
    """Fetch the file into the folder `out`. Returns the report that `peer get --swarm --json`
    prints. Raises Failure when it does not come."""
    file, chosen = _choose(holders)
    door = None if order.behind_nat else Door()
    try:
        callers = Callers(desk, door, file.size)
        where = _allowed(desk, order, chosen, callers)
        return _fetch(desk, order, file, where, callers, out)
    finally:
        if door is not None:
            door.close()


def _fetch(
    desk: Desk, order: Order, file: File, where: list[GoAhead], callers: Callers, out: str
) -> dict[str, Any]:
    """Once more with what other holders say, when what came is not the file."""
    name, target = order.name, Path(out) / local_name(order.name)
    wrong: set[str] = set()
    began = time.monotonic()
    while True:
        manifest, _ = scout(where, callers, desk.nick, file.size, wrong)
        fetch = Fetch(manifest, target, desk.nick, callers)
        try:
            _run(fetch, [holder for holder in where if holder.nick not in callers])
            seconds, ended = time.monotonic() - began, time.time()
            proofs = _prove(fetch, file)
            if proofs is not None:
                fetch.partial.keep()
                report = _report(fetch, name, file, seconds, proofs)
                report["ended"] = ended
                _linger(fetch)
                report["sha256"] = fetch.partial.sha256()
                report["sent"] = dict(fetch.exchange.counts.sent)
                return report
        finally:
            fetch.close()
        wrong.add(manifest.root)
        say(f"{name}: what came is not what the directory knows; once more from others")
        if len(wrong) >= MOST_WRONG:
            raise Failure(f"{name}: the holders have another file than the directory says")


def _choose(holders: list[Holder]) -> tuple[File, list[Holder]]:
    """The file that most of the holders have, and at most MOST_HOLDERS of these."""
    kinds = Counter((holder.file.size, holder.file.md5) for holder in holders)
    (kind, _), *_ = kinds.most_common(1)
    same = [holder for holder in holders if (holder.file.size, holder.file.md5) == kind]
    return same[0].file, random.sample(same, min(len(same), MOST_HOLDERS))


def _allowed(desk: Desk, order: Order, holders: list[Holder], callers: Callers) -> list[GoAhead]:
    """Where those are that let us have the file; those behind NAT are among the callers then.

    Raises Failure when nobody does.
    """
    found, refused = [], []
    for holder in holders:
        try:
            where, _ = ask_leave(desk, order, holder, callers.open_door)
        except Failure as failure:
            refused.append(f"{holder.nick}: {failure}")
            say(refused[-1])
            continue
        found.append(where)
        if where.port == 0:
            callers.add(where)
    if not found:
        raise Failure(f"no holder is to be had: {'; '.join(refused)}")
    return found


def _run(fetch: Fetch, where: list[GoAhead]) -> None:
    """Exchange pieces until all are here. Raises Failure when none come any more."""
    again, last, moved = 0.0, 0, time.monotonic()
    while not fetch.exchange.complete:
        now = time.monotonic()
        if now >= again:
            again = now + AGAIN_SECONDS
            for holder in random.sample(where, len(where)):
                fetch.call((holder.ip, holder.port), holder.name)
            fetch.invite()
        fetch.loop.turn(AGAIN_SECONDS)
        if len(fetch.exchange.have) > last:
            last, moved = len(fetch.exchange.have), now
        if now - moved > GIVE_UP_SECONDS:
            whole = fetch.exchange.manifest.pieces
            raise Failure(f"nothing has come for {now - moved:.0f} s; {last} of {whole} pieces did")


def _linger(fetch: Fetch) -> None:
    """Give on while others take. Then they do without this peer."""
    until = time.monotonic() + LINGER_SECONDS
    given, moved = -1, time.monotonic()
    while fetch.exchange.wanted and time.monotonic() < min(until, moved + SILENT_SECONDS):
        fetch.loop.turn()
        sent = sum(fetch.exchange.counts.sent.values())
        if sent > given:
            given, moved = sent, time.monotonic()
    # Nobody may be connected any more, so that nothing would end a wait.
    fetch.loop.turn(0)


def _prove(fetch: Fetch, file: File) -> list[str] | None:
    """What shows that the file is the right one; None when it is not."""
    manifest = fetch.exchange.manifest
    count = min(-(-HEAD // manifest.piece), manifest.pieces)
    head = b"".join(fetch.partial.read(piece) for piece in range(count))
    right = head_is_right(file.md5, head)
    if right is None:
        return ["size", "pieces"]
    return ["size", "md5", "pieces"] if right else None


def _report(
    fetch: Fetch, name: str, file: File, seconds: float, proofs: list[str]
) -> dict[str, Any]:
    received = dict(fetch.exchange.counts.received)
    return {
        "name": name,
        "bytes": file.size,
        "seconds": seconds,
        "rate": file.size / seconds if seconds else 0.0,
        "proofs": proofs,
        "received": received,
        "path": str(fetch.partial.target),
    }


def swarm_lines(report: dict[str, Any]) -> list[str]:
    """The report as lines of text: from whom how much, then the result."""
    lines = [f"{bytes_} bytes from {nick}" for nick, bytes_ in report["received"].items()]
    lines += [f"{bytes_} bytes to {nick}" for nick, bytes_ in report["sent"].items()]
    lines.append(
        f"{report['name']}: {report['bytes']} bytes in {report['seconds']:.3f} s,"
        f" {report['rate'] / 1e6:.1f} MB/s, right by {', '.join(report['proofs'])}"
    )
    return [*lines, f"sha256 {report['sha256']}, in {report['path']}"]
