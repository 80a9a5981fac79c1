"""Follows a path one part at a time, through each link on its way. Pure.

An engine that is asked for a whole path follows the links in it without a word: only who
looks at each part knows through which folders the way goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import dirname, join

_MOST_LINKS = 40  # as the kernel: path_resolution(7)


@dataclass(frozen=True)
class Seen:
    """What is at a path itself: `size` in bytes; `link` is where a symbolic link leads."""

    folder: bool
    size: int
    link: str | None = None


def follow(path: str, look: Callable[[str], Seen | None]) -> tuple[str, Seen] | None:
    """Return where an absolute path leads and what is there, or None for nothing.

    `look` tells what is at a path whose folders are no links; it is asked of each part on
    the way, and what it raises ends the walk.
    """
    here, seen, links = "/", look("/"), 0
    ahead = _parts(path)
    while ahead and seen is not None:
        part = ahead.pop()
        before, here = here, dirname(here) if part == ".." else join(here, part)
        seen = look(here)
        if seen is None or seen.link is None:
            continue
        links += 1
        if links > _MOST_LINKS:
            return None
        here = "/" if seen.link.startswith("/") else before
        ahead += _parts(seen.link)
    return None if seen is None else (here, seen)


def _parts(path: str) -> list[str]:
    """Return the parts of a path below its root, the first one last."""
    return [part for part in reversed(PurePosixPath(path).parts) if not part.startswith("/")]
