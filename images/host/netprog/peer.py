#!/usr/bin/python3
"""A Napster peer: client and server at once.

`peer run` shares a folder: it keeps its files in the directory's table and serves them to
other peers. `peer search` and `peer ls` ask the directory; `peer get` fetches a file in the
four steps.

The parts: share.py (the folder), registering.py, session.py and desk.py (with the directory),
uploader.py (serving), searching.py (looking), fetching.py and the files it names (fetching).
"""

import argparse
import json
import os
import socket
import time
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
from desk import Desk
from downloader import PATIENCE, Manner
from fetching import fetch_file, report_lines
from finding import Order, find
from folder import is_readable
from napster import NICK
from outbox import Outbox
from progress import Progress
from registering import Registration
from roundtrip import WAYS
from searching import browse, search
from share import Share
from sockets import listen_on
from swarm import fetch_by_swarm, swarm_lines
from swarm_seed import Seed
from uploader import Uploader


def run_peer(options: argparse.Namespace) -> None:
    """Share the folder until SIGTERM."""
    if not is_readable(options.share):
        raise Failure(f"{options.share}: not a folder that can be read")
    listener = None
    data_port = 0
    if options.behind_nat:
        say("behind NAT: data port 0, files are pushed to those who ask")
    else:
        listener = listen_on("0.0.0.0", options.port, 64)
        data_port = listener.getsockname()[1]
        say(f"listening on {endpoint(listener.getsockname())}")
    seed = Seed(options.share, options.nick, data_port)
    outbox = Outbox()
    uploader = Uploader(
        options.share,
        options.nick,
        seed.take_over,
        uploads=options.uploads,
        rate=options.rate * 1000,
        told=outbox.put,
    )
    registration = Registration(
        Share(options.share),
        options.nick,
        data_port,
        options.link,
        options.rescan,
        outbox=outbox,
        push=uploader.push,
    )
    seed.start()
    if listener is not None:
        uploader.start(listener)
    registration.keep(*options.directory)


def get(options: argparse.Namespace) -> None:
    """Fetch one file and print how it went."""
    nick = f"{options.nick}-get-{os.getpid()}"
    if len(nick) > 64:
        raise Failure(f"{nick}: too long for a nick; name a shorter one with --nick")
    time.sleep(max(options.at - time.time(), 0))
    order = Order(
        name=options.name,
        own={options.nick.lower(), nick.lower()},
        only=options.holder and options.holder.lower(),
        nearest=options.choose == "nearest",
        ping=options.ping or ("tcp" if options.choose == "nearest" else None),
        behind_nat=options.behind_nat,
    )
    with Desk(options.directory, nick, time.monotonic() + options.wait) as desk:
        lines = fetched(desk, order, nick, options)
    for line in lines:
        say(line)


def fetched(desk: Desk, order: Order, nick: str, options: argparse.Namespace) -> list[str]:
    """Find the file and fetch it; returns what to print."""
    holders, steps = desk.ask_until(lambda session: find(session, order), lambda f: bool(f[0]))
    if not holders:
        who = f"{options.holder} does not have" if options.holder else "nobody has"
        at = endpoint(desk.session.remote)
        raise Failure(f"{who} {order.name}, says the directory {at}")
    if options.swarm:
        report = fetch_by_swarm(desk, order, holders, options.out)
        lines = swarm_lines(report)
    else:
        progress = Progress(order.name, holders[0].file.size, wanted=not options.json)
        manner = Manner(nick, options.patience, options.patience, progress)
        try:
            report = fetch_file(desk, order, holders, steps, manner, options.out)
        finally:
            progress.end()
        lines = report_lines(report)
    return [json.dumps(report)] if options.json else lines


def nick_argument(text: str) -> str:
    if not NICK.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be a nick")
    return text


def name_argument(text: str) -> str:
    if '"' in text:
        raise argparse.ArgumentTypeError("a name with a double quote cannot be asked for")
    return text


def patience_argument(text: str) -> float:
    value = seconds(text)
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError("patience is 0.1 to 3600 s")
    return value


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A Napster peer: client and server at once.")
    commands = parser.add_subparsers(required=True)

    runs = commands.add_parser("run", help="share a folder and serve it to other peers")
    runs.add_argument("nick", type=nick_argument)
    runs.add_argument("--share", default="/srv/files", metavar="FOLDER")
    runs.add_argument("--port", type=port_number, default=6699, help="data port (0: any free)")
    runs.add_argument("--link", type=int, choices=range(11), default=0, help="link type, 0 to 10")
    runs.add_argument("--rescan", type=seconds, default=1, help="seconds between looks at FOLDER")
    runs.add_argument(
        "--uploads", type=positive, default=16, metavar="N", help="at once; more wait in a queue"
    )
    runs.add_argument(
        "--rate", type=positive, default=0, metavar="KB", help="a second for each upload, at most"
    )
    runs.set_defaults(program=run_peer)

    searches = commands.add_parser("search", help="ask the directory who has what")
    searches.add_argument("words", nargs="+", type=name_argument)
    searches.set_defaults(program=search)

    lists = commands.add_parser("ls", help="ask the directory what a peer shares")
    lists.add_argument("whom", type=nick_argument, metavar="NICK")
    lists.set_defaults(program=browse)

    gets = commands.add_parser("get", help="fetch a file from a peer")
    gets.add_argument("name", type=name_argument)
    gets.add_argument("--out", default="/srv/files", metavar="FOLDER")
    gets.add_argument("--swarm", action="store_true", help="in pieces, from many at once")
    gets.add_argument(
        "--at", type=float, default=0, metavar="TIME", help="begin then (seconds since 1970)"
    )
    gets.add_argument("--from", dest="holder", metavar="NICK", help="default: any")
    gets.add_argument(
        "--choose", choices=["random", "nearest"], default="random", help="whom to ask first"
    )
    gets.add_argument(
        "--patience",
        type=patience_argument,
        default=PATIENCE,
        metavar="SECONDS",
        help="how long a holder may be silent; 10 times that for the first byte of the last one",
    )
    gets.set_defaults(program=get)

    for command in (runs, gets):
        command.add_argument(
            "--behind-nat", action="store_true", help="nobody can connect to this peer"
        )
    for command in (searches, gets):
        command.add_argument(
            "--ping", choices=list(WAYS), help="measure the round trip to each holder"
        )
    for command in (searches, lists, gets):
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--wait", type=seconds, default=0, help="seconds to wait for it")
    for command in (searches, lists):
        command.add_argument("--nick", type=nick_argument, help="default: one of its own")
    gets.add_argument(
        "--nick",
        type=nick_argument,
        default=socket.gethostname(),
        help="this peer; it logs in as NICK-get-... beside `peer run NICK` (default: host name)",
    )
    for command in (runs, searches, lists, gets):
        command.add_argument(
            "--directory",
            type=partial(host_and_port, port=8888),
            required=True,
            metavar="HOST[:PORT]",
        )
    return parser.parse_args()


if __name__ == "__main__":
    chosen: Any = arguments()
    run(lambda: chosen.program(chosen), ended=0 if chosen.program is run_peer else 143)
