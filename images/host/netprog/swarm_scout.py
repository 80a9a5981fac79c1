"""What a swarm's file consists of: its pieces' hashes, asked of those who have it.

Where holders disagree on what the file is, the root that most of them name is believed.
Whether that was right tells in the end the checksum that the directory knows. A holder that
cannot be called is asked to call.
"""

import queue
import time
from collections import Counter

from command import Failure, reason
from manifest import Manifest
from messages import GoAhead
from napster import Malformed
from swarm_callers import Callers
from swarm_wire import Kind, frame
from swarm_words import PATIENCE, Asking, Word, await_frame

VOTE_SECONDS = 1.0
"""How long to wait for further words on what the file is, once there is one."""


def scout(
    holders: list[GoAhead], callers: Callers, nick: str, size: int, wrong: set[str]
) -> tuple[Manifest, str]:
    """The manifest of the file of `size` bytes, and the nick of who told it.

    `wrong` are roots that have been proved wrong. Raises Failure when no holder has the file
    and speaks the swarm's protocol.
    """
    asking = Asking(callers, nick, size)
    heard: list[Word] = []
    end = time.monotonic() + PATIENCE
    try:
        for where in holders:
            asking.ask(where)
        while True:
            before = len(heard)
            _hear(asking, callers, heard, len(holders), end, wrong)
            try:
                return _believed(heard, size)
            except Failure:
                # Who takes longer to read the file may know better than those who were fast, and
                # may have said so while one of these was waited for.
                over = time.monotonic() >= end and len(heard) == before
                if len(heard) == len(holders) or over:
                    raise
    finally:
        asking.close()
        for word in heard:
            if word.sock is not None:
                word.sock.close()


def _hear(
    asking: Asking, callers: Callers, heard: list[Word], most: int, end: float, wrong: set[str]
) -> None:
    """Take further words until `most` are heard or it is `end`, and what has been said by then;
    or VOTE_SECONDS after the first that names a file."""
    while len(heard) < most:
        try:
            word = asking.words.get(timeout=max(end - time.monotonic(), 0))
        except queue.Empty:
            break
        if word.unreachable and callers.add(word.where):
            asking.ask(word.where)
            continue
        if word.root in wrong:
            word = word._replace(root=None, why="its file proved wrong")
        heard.append(word)
        if word.root is not None:
            end = min(end, time.monotonic() + VOTE_SECONDS)


def _believed(heard: list[Word], size: int) -> tuple[Manifest, str]:
    """What the root says that most name; of those that prove false, `heard` remembers why."""
    votes = Counter(word.root for word in heard if word.root is not None)
    for root, _ in votes.most_common():
        for at, word in enumerate(heard):
            if word.root != root or word.sock is None:
                continue
            try:
                word.sock.sendall(frame(Kind.HASHES))
                hashes = await_frame(word.sock, Kind.HASHES, word.decoder).data
                return Manifest.parse(size, hashes, root), word.where.nick
            except (OSError, Malformed) as error:
                why = reason(error) if isinstance(error, OSError) else str(error)
                heard[at] = word._replace(root=None, why=why)
    why_not = {word.where.nick: word.why for word in heard if word.root is None}
    told = "; ".join(f"{nick}: {text}" for nick, text in why_not.items()) or "no answer in time"
    raise Failure(f"no holder tells what the file consists of: {told}")
