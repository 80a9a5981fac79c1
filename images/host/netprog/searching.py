"""`peer search` and `peer ls`: what the directory knows, for people and as JSON."""

import argparse
import json
import os
import socket
import time
from typing import Any

from command import Failure, say
from desk import Desk
from directory_table import LINKS
from finding import with_round_trips
from holders import Holder
from messages import File, Result
from roundtrip import text


def search(options: argparse.Namespace) -> None:
    """Print who has files with all the words in their names."""
    words = " ".join(options.words)
    times: dict[str, float | None] = {}
    with _desk(options, "search") as desk:
        results = desk.ask_until(lambda session: session.search(words).results, bool)
        if options.ping is not None:
            holders = [Holder.of(result) for result in results]
            measured = desk.ask(lambda session: with_round_trips(session, holders, options.ping))
            times = {holder.nick: holder.round_trip for holder in measured}
    if options.json:
        say(json.dumps([result_object(result, times.get(result.nick)) for result in results]))
        return
    for result in results:
        file = result.file
        line = f"{file.name}  {file.size}  {result.nick}  {result.ip}  {LINKS[result.link]}"
        say(f"{line}  {text(times[result.nick])}" if times else line)


def result_object(result: Result, round_trip: float | None) -> dict[str, Any]:
    """One result for `--json`; sizes in bytes, the round trip in seconds."""
    return {
        **file_object(result.file),
        "nick": result.nick,
        "ip": result.ip,
        "link": result.link,
        "round_trip": round_trip,
    }


def file_object(file: File) -> dict[str, Any]:
    return {"name": file.name, "size": file.size, "md5": file.md5}


def browse(options: argparse.Namespace) -> None:
    """Print what one peer shares. Raises Failure for one who is not here."""
    with _desk(options, "ls") as desk:
        link = desk.ask(lambda session: session.link_of(options.whom))
        files = desk.ask(lambda session: session.browse(options.whom))
    if options.json:
        listed = [file_object(file) for file in files]
        say(json.dumps({"nick": options.whom, "link": link, "files": listed}))
        return
    say(f"{options.whom}, {LINKS[link]}: {len(files)} files")
    for file in files:
        say(f"{file.name}  {file.size}  {file.md5}")


def _desk(options: argparse.Namespace, what: str) -> Desk:
    nick = options.nick or f"{socket.gethostname()}-{what}-{os.getpid()}"
    if len(nick) > 64:
        raise Failure(f"{nick}: too long for a nick; name another with --nick")
    return Desk(options.directory, nick, time.monotonic() + options.wait)
