"""What hosts have logged: of several in the order of time, or as it comes."""

from __future__ import annotations

import heapq
import queue
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docker.errors import NotFound

from labctl.engine.client import Engine, refused
from labctl.engine.live import LiveHost
from labctl.errors import LabctlError, UsageError


@dataclass(frozen=True)
class Line:
    """One line: `time` is the engine's, RFC 3339 in UTC with nine digits of the second."""

    host: str
    time: str
    text: str


@dataclass(frozen=True)
class Part:
    """Which part of the logs: the last `tail` lines of each host, from `since` on (seconds
    since 1970)."""

    tail: int | None = None
    since: float | None = None


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment(text: str) -> float:
    """Return the seconds since 1970 that `30s`, `10m`, `2h`, `1d` ago, or a time of ISO 8601, was.

    Raises UsageError for anything else, and for a time before 1970.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    try:
        then = (
            time.time() - float(match[1]) * _SECONDS[match[2]]
            if match
            else datetime.fromisoformat(text).timestamp()
        )
    except (ValueError, OverflowError):
        then = 0.0
    if then <= 0:
        raise UsageError(
            f"not a time: {text}", "Write 30s, 10m, 2h or 1d, or 2026-01-31T12:00:00Z."
        )
    return then


def past(engine: Engine, hosts: Sequence[LiveHost], part: Part) -> Iterator[Line]:
    """Yield what the hosts have logged until now, in the order of time.

    Raises MachineError when the engine refuses; a host that is gone has no lines.
    """
    # The digits of the times are as many in each, so that they compare as text.
    streams = [_lines(engine, host, part, follow=False) for host in hosts]
    return heapq.merge(*streams, key=lambda line: line.time)


def follow(engine: Engine, hosts: Sequence[LiveHost], part: Part) -> Iterator[Line]:
    """Yield what the hosts have logged and go on as it comes, until all hosts have ended."""
    arrived: queue.Queue[Line | LabctlError | None] = queue.Queue(maxsize=1000)
    for host in hosts:
        threading.Thread(
            target=_pump, args=(engine, host, part, arrived), daemon=True, name=f"logs {host.name}"
        ).start()
    open_streams = len(hosts)
    while open_streams:
        item = arrived.get()
        if isinstance(item, LabctlError):
            raise item
        if item is None:
            open_streams -= 1
        else:
            yield item


def _pump(
    engine: Engine,
    host: LiveHost,
    part: Part,
    arrived: queue.Queue[Line | LabctlError | None],
) -> None:
    try:
        for line in _lines(engine, host, part, follow=True):
            arrived.put(line)
        arrived.put(None)
    except LabctlError as error:
        arrived.put(error)


def _lines(engine: Engine, host: LiveHost, part: Part, follow: bool) -> Iterator[Line]:
    api = engine.sdk.api
    with refused(f"reading the log of host {host.name}"):
        try:
            terminal = api.inspect_container(host.container_id)["Config"]["Tty"]
            frames: Any = api.logs(
                host.container_id,
                stream=True,
                follow=follow,
                timestamps=True,
                tail="all" if part.tail is None else part.tail,
                since=part.since,
            )
            yield from parse(host.name, regrouped(frames) if terminal else frames)
        except NotFound:
            return


def parse(host: str, frames: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines in what the engine sends, a frame each: `TIME TEXT` and a newline.

    A line longer than 16 KiB comes in several frames, each with a time and only the last
    with a newline. Bytes that are not UTF-8 become U+FFFD.
    """
    stamped, text = "", b""
    for frame in frames:
        stamp, _, rest = frame.partition(b" ")
        stamped = stamped or stamp.decode("ascii", "replace")
        text += rest
        if text.endswith(b"\n"):
            yield Line(host, stamped, _text(text))
            stamped, text = "", b""
    if stamped:
        yield Line(host, stamped, _text(text))


def _text(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")


def regrouped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream without frames, which a host with a terminal gives, into lines."""
    kept = b""
    for chunk in chunks:
        *whole, kept = (kept + chunk).split(b"\n") if b"\n" in chunk else [kept + chunk]
        yield from (line + b"\n" for line in whole)
    if kept:
        yield kept
