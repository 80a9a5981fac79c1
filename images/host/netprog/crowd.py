#!/usr/bin/python3
"""Many Napster peers in one process: they register with a directory, or with several that share
the load, and search at growing rates; what came of each rate is told.

    crowd directory --peers 1000 --files 10 --rates 50,100,200,400
    crowd d1 d2 --split words --verify

It is an honest peer a thousand times over (crowd_loop.py), except that nobody can fetch what it
shares: the files are names only. With --stay it is just there, until SIGTERM.
"""

import argparse
import json
import resource
from functools import partial
from typing import Any

from command import (
    Failure,
    endpoint,
    host_and_port,
    port_number,
    positive,
    run,
    say,
    seconds,
)
from crowd_deaf import Deaf
from crowd_loop import Crowd, Plan
from offered import heading, line, rates
from splitting import WAYS, Split

SPARE = 32
"""Descriptors for other things than peers."""

HALF = 0.5
"""A rate of which less than that is answered in time is the last one that is tried."""


def main() -> None:
    options = arguments()
    require_descriptors(options.peers * len(options.directories) + SPARE)
    split = Split(options.split, len(options.directories))
    crowd = Crowd(
        Plan(
            options.directories,
            split,
            options.peers,
            options.files,
            options.nick,
            options.port,
            options.seed,
            options.verify,
        )
    )
    took = crowd.join(options.patience)
    tell_who(options, took)
    deaf = [Deaf(address, options.nick) for address in options.directories if options.deaf]
    if options.stay:
        crowd.stay()
    for load in options.rates:
        offered = crowd.play(load, options.seconds, options.patience)
        row = {**offered.row(), "lost": crowd.losses}
        say(json.dumps(row) if options.json else line(row))
        if deaf and offered.unanswered:
            raise Failure(f"{offered.unanswered} searches get no answer while one peer is deaf")
        if not row["answered"]:
            raise Failure("no search is answered any more")
        if row["wrong"]:
            raise Failure(f"{row['wrong']} answers are wrong")
        if row["per_second"] < HALF * load:
            break


def require_descriptors(wanted: int) -> None:
    """Let this process have so many descriptors (setrlimit(2)). Raises Failure."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and wanted > most:
        raise Failure(f"{wanted} descriptors are needed, this process may have {most}: fewer peers")
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def tell_who(options: argparse.Namespace, took: float) -> None:
    """What the curve that follows is of: for a program, or for a person."""
    names = " and ".join(endpoint(address) for address in options.directories)
    files = options.peers * options.files
    if not options.json:
        say(f"{options.peers} peers with {files} files registered at {names} in {took:.2f} s")
        if not options.stay:
            say(heading("searches"))
        return
    head: dict[str, Any] = {
        "title": f"{options.peers} peers with {files} files search at {names}",
        "of": "searches",
        "peers": options.peers,
        "files": files,
        "split": options.split if len(options.directories) > 1 else None,
        "registered_seconds": took,
    }
    say(json.dumps(head))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Many Napster peers that search.")
    parser.add_argument(
        "directories",
        nargs="+",
        type=partial(host_and_port, port=8888),
        metavar="HOST[:PORT]",
        help="the directory; several share the load",
    )
    parser.add_argument("--peers", type=positive, default=100)
    parser.add_argument("--files", type=positive, default=10, help="files of each peer")
    parser.add_argument("--rates", type=rates, default=[10.0, 20.0, 40.0], help="searches a second")
    parser.add_argument("--seconds", type=seconds, default=3, help="how long each rate lasts")
    parser.add_argument(
        "--patience", type=seconds, default=10, help="seconds that an answer may take"
    )
    parser.add_argument("--split", choices=WAYS, default="peers", help="how several share the load")
    parser.add_argument("--verify", action="store_true", help="check that answers are right")
    parser.add_argument(
        "--deaf", action="store_true", help="let one peer more ask much, and read no answer"
    )
    parser.add_argument("--stay", action="store_true", help="search nothing; be there")
    parser.add_argument("--nick", default="crowd", help="what all nicks begin with")
    parser.add_argument("--port", type=port_number, default=6699, help="data port that is told")
    parser.add_argument("--seed", type=positive, default=1, help="chooses names and searches")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    options = parser.parse_args()
    if options.seconds <= 0:
        parser.error("--seconds: more than 0")
    return options


if __name__ == "__main__":
    run(main)
