"""What is said of programs whose first calls were missed: which sockets they had by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from labctl.sequence.events import Notice, OpenSocket

_TOLD = 3
_LONGEST_COMMAND = 60


def missed(found: Iterable[OpenSocket], programs: Mapping[str, Mapping[int, str]]) -> list[Notice]:
    """Return a notice for each host that had Internet sockets before it was observed.

    `programs` has the command lines of the processes that ran then, by host and number.
    """
    hosts: dict[str, dict[int, OpenSocket]] = {}
    for one in found:
        if "INET" in one.family:
            hosts.setdefault(one.host, {}).setdefault(one.inode, one)
    return [
        Notice(host, f"its first calls are missed, as it ran before: {_list(sockets, programs)}")
        for host, sockets in hosts.items()
    ]


def _list(sockets: Mapping[int, OpenSocket], programs: Mapping[str, Mapping[int, str]]) -> str:
    told = list(_words(sockets.values(), programs))
    more = len(told) - _TOLD
    return ", ".join([*told[:_TOLD], *([f"and {more} sockets more"] if more > 0 else [])])


def _words(
    sockets: Iterable[OpenSocket], programs: Mapping[str, Mapping[int, str]]
) -> Iterator[str]:
    last = None
    for one in sockets:
        whose = "" if one.pid == last else f"{_process(one, programs)} had "
        last = one.pid
        yield f"{whose}socket {one.fd}{_what(one)}"


def _process(one: OpenSocket, programs: Mapping[str, Mapping[int, str]]) -> str:
    words = programs.get(one.host, {}).get(one.pid, "").split()
    # The first two are paths, where a script is run by its interpreter.
    command = " ".join([*(PurePosixPath(word).name for word in words[:2]), *words[2:]])
    if not command:
        return f"process {one.pid}"
    short = command if len(command) <= _LONGEST_COMMAND else f"{command[:_LONGEST_COMMAND]}..."
    return f"process {one.pid} ({short})"


def _what(one: OpenSocket) -> str:
    if one.state == "LISTEN":
        return f" listening at {one.local}"
    if one.remote is not None:
        return f" connected from {one.local} to {one.remote}"
    return f" bound to {one.local}" if one.local is not None else ""
