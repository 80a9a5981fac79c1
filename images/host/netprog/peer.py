#!/usr/bin/python3
"""A Napster peer: client and server at once.

`peer run` shares a folder: it keeps its files in the directory's table and serves them to
other peers. `peer search` asks the directory; `peer get` fetches a file in the four steps.

The parts: share.py (the folder), registering.py and session.py (with the directory),
uploader.py (serving), downloader.py and getting.py (fetching).
"""

import argparse
import json
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from command import Failure, endpoint, host_and_port, port_number, reason, run, say, seconds
from directory_table import LINKS
from folder import is_readable
from getting import fetch_file, find, report_lines
from messages import Result
from napster import NICK, Malformed
from registering import Registration
from session import Session
from share import Share
from sockets import listen_on, until
from uploader import Uploader

Found = TypeVar("Found")


def run_peer(options: argparse.Namespace) -> None:
    """Share the folder until SIGTERM."""
    if not is_readable(options.share):
        raise Failure(f"{options.share}: not a folder that can be read")
    listener = listen_on("0.0.0.0", options.port, 64)
    say(f"listening on {endpoint(listener.getsockname())}")
    Uploader(listener, options.share).start()
    data_port = listener.getsockname()[1]
    Registration(Share(options.share), options.nick, data_port, options.link, options.rescan).keep(
        *options.directory
    )


def search(options: argparse.Namespace) -> None:
    """Print who has files with all the words in their names."""
    nick = options.nick or f"{socket.gethostname()}-search-{os.getpid()}"
    deadline = time.monotonic() + options.wait
    session = enter(options.directory, nick, deadline)
    words = " ".join(options.words)
    results = asking(deadline, lambda: session.search(words).results)
    if options.json:
        say(json.dumps([result_object(result) for result in results]))
        return
    for result in results:
        file = result.file
        say(f"{file.name}  {file.size}  {result.nick}  {result.ip}  {LINKS[result.link]}")


def result_object(result: Result) -> dict[str, Any]:
    return {
        "name": result.file.name,
        "size": result.file.size,
        "md5": result.file.md5,
        "nick": result.nick,
        "ip": result.ip,
        "link": result.link,
    }


def get(options: argparse.Namespace) -> None:
    """Fetch one file and print how it went."""
    nick = f"{options.nick}-get-{os.getpid()}"
    deadline = time.monotonic() + options.wait
    session = enter(options.directory, nick, deadline)
    leave_out = options.nick.lower()
    holders, steps = asking(
        deadline,
        lambda: find(session, options.name, leave_out, options.holder),
        until_true=lambda found: bool(found[0]),
    )
    if not holders:
        who = f"{options.holder} does not have" if options.holder else "nobody has"
        raise Failure(f"{who} {options.name}, says the directory {endpoint(session.remote)}")
    report = fetch_file(session, options.name, holders, steps, nick, options.out)
    for line in [json.dumps(report)] if options.json else report_lines(report):
        say(line)


def enter(directory: tuple[str, int], nick: str, deadline: float) -> Session:
    """Log in to the directory; until `deadline` it may still be on its way up."""
    try:
        return until(deadline, lambda: Session.open(*directory, nick, 0, 0))
    except OSError as error:
        raise Failure(f"no directory at {endpoint(directory)}: {reason(error)}") from error


def asking(
    deadline: float, ask: Callable[[], Found], until_true: Callable[[Found], bool] = bool
) -> Found:
    """The directory's answer, asked for again until it satisfies or `deadline` has come."""
    pause = 0.1
    while True:
        try:
            found = ask()
        except OSError as error:
            raise Failure(f"directory lost: {reason(error)}") from error
        except Malformed as error:
            raise Failure(f"that cannot be asked for: {error}") from error
        left = deadline - time.monotonic()
        if until_true(found) or left <= 0:
            return found
        time.sleep(min(pause, left))
        pause = min(pause * 2, 1.0)


def nick_argument(text: str) -> str:
    if not NICK.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be a nick")
    return text


def name_argument(text: str) -> str:
    if '"' in text:
        raise argparse.ArgumentTypeError("a name with a double quote cannot be asked for")
    return text


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A Napster peer: client and server at once.")
    commands = parser.add_subparsers(required=True)

    runs = commands.add_parser("run", help="share a folder and serve it to other peers")
    runs.add_argument("nick", type=nick_argument)
    runs.add_argument("--share", default="/srv/files", metavar="FOLDER")
    runs.add_argument("--port", type=port_number, default=6699, help="data port (0: any free)")
    runs.add_argument("--link", type=int, choices=range(11), default=0, help="link type, 0 to 10")
    runs.add_argument("--rescan", type=seconds, default=1, help="seconds between looks at FOLDER")
    runs.set_defaults(program=run_peer)

    searches = commands.add_parser("search", help="ask the directory who has what")
    searches.add_argument("words", nargs="+", type=name_argument)
    searches.add_argument("--nick", type=nick_argument, help="default: one of its own")
    searches.set_defaults(program=search)

    gets = commands.add_parser("get", help="fetch a file from a peer")
    gets.add_argument("name", type=name_argument)
    gets.add_argument("--out", default="/srv/files", metavar="FOLDER")
    gets.add_argument("--from", dest="holder", metavar="NICK", help="default: any, at random")
    gets.add_argument(
        "--nick",
        type=nick_argument,
        default=socket.gethostname(),
        help="this peer; it logs in as NICK-get-... beside `peer run NICK` (default: host name)",
    )
    gets.set_defaults(program=get)

    for command in (searches, gets):
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--wait", type=seconds, default=0, help="seconds to wait for it")
    for command in (runs, searches, gets):
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
