"""Where a copy goes, by the rules of docker-cp(1). Pure.

Into a target that is a folder, over one that is a file, and under the target's name where
there is nothing yet; a source that ends in `/.` stands for what is in the folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from labctl.engine.live import LiveHost
from labctl.engine.tarstream import Entry
from labctl.errors import UsageError

_ON_HOST = re.compile(r"((?:[\w][\w.-]*/)?[\w][\w.-]*):(.*)", re.ASCII | re.DOTALL)


def split(text: str) -> tuple[str | None, str]:
    """Return host and path of HOST:PATH or NAME/HOST:PATH, or None and the path for another.

    A file of this machine with a colon in its name is written ./NAME.
    """
    match = _ON_HOST.fullmatch(text)
    return (match[1], match[2]) if match else (None, text)


@dataclass(frozen=True)
class Place:
    """A path on a host, or on this machine where `host` is None."""

    host: LiveHost | None
    path: str

    def __str__(self) -> str:
        return self.path if self.host is None else f"{self.host.name}:{self.path}"


@dataclass(frozen=True)
class Source:
    """What is to be copied.

    `contents` leaves out the folder itself; `size` is in bytes, where it is known;
    `special` names what cannot be copied; `close` ends the reading of `entries`.
    """

    name: str
    folder: bool
    contents: bool
    size: int | None
    entries: Iterator[Entry]
    special: list[str] = field(default_factory=list)
    close: Callable[[], None] = lambda: None


def contents_only(path: str) -> bool:
    """Return whether a source's path stands for what is in the folder."""
    return path == "." or path.endswith("/.")


def landing(
    target: Place,
    must_be_folder: bool,
    source: Source,
    is_folder: Callable[[str], bool | None],
) -> tuple[str, str | None]:
    """Return the folder that a copy goes into and its name there; None is for contents only.

    `is_folder` tells of a path whether it is a folder, or None where nothing is. Raises
    UsageError where the copy cannot go.
    """
    path = target.path
    there = is_folder(path)
    if there:
        if source.contents:
            return path, None
        inside = str(PurePosixPath(path) / source.name)
        if is_folder(inside) not in (None, source.folder):
            kind = "folder" if not source.folder else "file"
            raise UsageError(f"{target} has a {kind} named {source.name}", "Remove it first.")
        return path, source.name
    if there is False and source.folder:
        raise UsageError(f"{target} is a file, the source is a folder", "Name a folder.")
    parent, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
    missing = path if must_be_folder and not source.folder else parent
    if not is_folder(missing):
        raise UsageError(
            f"there is no folder {Place(target.host, missing)} to copy to",
            "Make it first (`mkdir -p`), or name one that is there.",
        )
    return parent, name
