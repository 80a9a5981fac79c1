"""Words of the pictures and tables. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import join, split

from labctl.sequence.crossings import Crossings, Kind
from labctl.sequence.crossings.findings import Finding
from labctl.show.figure.units import duration, plain

TRACER = {
    "strace": "strace stops a process twice at each call: most of the time inside is strace's own, "
    "ten microseconds a call and more; what waits for a processor cannot be told from what works",
    "tracefs": "the kernel itself writes down each entry and return: that adds under a microsecond "
    "a call",
}
"""What a tracer does to the times, by its name."""

MORE = "others"
"""What calls are named that there is no room to name."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A process with the kinds of call that are drawn, of which the last may be `MORE`."""

    process: Crossings
    kinds: tuple[Kind, ...]


def drawn(process: Crossings, most: int) -> Drawn:
    """Return a process with at most so many kinds, the rest added up as one."""
    kinds = process.kinds
    if len(kinds) <= most:
        return Drawn(process, kinds)
    rest = kinds[most - 1 :]
    more = Kind(
        f"{len(rest)} {MORE}",
        sum(kind.calls for kind in rest),
        sum(kind.inside for kind in rest),
        sum(kind.waiting for kind in rest),
    )
    return Drawn(process, (*kinds[: most - 1], more))


def command(process: Crossings) -> str:
    """Return a program as its user types it: without the folders of the program."""
    try:
        words = split(process.program)
    except ValueError:  # a title that a program has given itself
        return plain(process.program)
    short = [words[0].rpartition("/")[2] or words[0], *words[1:]] if words else []
    return plain(join(short))


def title(process: Crossings) -> str:
    """Return what stands above the table of a process's calls."""
    return f"{plain(process.host)}, process {process.pid}: {command(process)}"


def spent(ns: int | None) -> str:
    """Return a length of time; a dash where it is not known."""
    return "-" if ns is None else duration(ns)


def finding(one: Finding) -> str:
    """Return a finding as a sentence that names its process."""
    where = f"{plain(one.process.host)}, process {one.process.pid}"
    return f"{plain(one.process.name)} ({where}): {one.sentence}"
