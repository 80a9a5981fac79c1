"""What is distributed: a file of the user's, or a stand-in of the size that its kind has.

The kinds are those that most of P2P's traffic consists of: music, videos of 10 to 1000 MB and
more, software, pictures. Stand-ins do not compress, and are the same on every host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import UsageError

MEGABYTE = 1_000_000
KINDS = {
    "picture": ("picture.jpg", 2 * MEGABYTE),
    "song": ("song.mp3", 5 * MEGABYTE),
    "clip": ("clip.mp4", 10 * MEGABYTE),
    "software": ("software.deb", 60 * MEGABYTE),
    "video": ("video.mp4", 1000 * MEGABYTE),
}
"""By what `--file` calls it: the file's name, and its size in bytes."""

_MAKE = (
    "import random, sys\n"
    "source, left = random.Random(0), int(sys.argv[2])\n"
    "with open(sys.argv[1], 'wb') as file:\n"
    "    while left:\n"
    "        left -= file.write(source.randbytes(min(left, 1 << 20)))\n"
)


@dataclass(frozen=True)
class Item:
    """A file to distribute: its name on the hosts, its size in bytes; `path` where it is a
    real one."""

    name: str
    size: int
    path: Path | None = None

    def make(self, target: str) -> list[str]:
        """Return the command that makes the stand-in on a host."""
        return ["python3", "-c", _MAKE, target, str(self.size)]


def item(told: str) -> Item:
    """Return what a kind (`song`) or a path stands for. A path wins where there is such a file.

    Raises UsageError for one that is neither, is empty, or cannot be read.
    """
    path = Path(told)
    try:
        is_file, size = path.is_file(), path.stat().st_size if path.exists() else 0
    except OSError:
        is_file, size = False, 0
    if is_file:
        if not size:
            raise UsageError(f"{path} is empty: there is nothing to distribute", "Name another.")
        _require_readable(path)
        return Item(shared_name(path.name), size, path)
    if told in KINDS:
        return Item(*KINDS[told])
    kinds = ", ".join(f"{kind} ({size // MEGABYTE} MB)" for kind, (_, size) in KINDS.items())
    raise UsageError(
        f"there is no file {told}", f"Name a file, or have one made, of the size of a {kinds}."
    )


def shared_name(name: str) -> str:
    """Return a name that the Napster protocol can carry: no spaces, no quotes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-") or "file"


def _require_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Name another.") from error
