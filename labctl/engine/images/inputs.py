"""What an image is made from, as a hash: the same inputs, the same tag."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAMES = ("base", "host", "observer")
"""The images in the order in which they are built; all others are made from the first."""

PREFIX = "labctl"

LABEL_IMAGE = "labctl.image"
LABEL_INPUTS = "labctl.inputs"

BUILT = "built"
"""The value of LABEL_IMAGE on what is built from the Dockerfile of a lab."""

HASH_LENGTH = 12
"""Hexadecimal digits of the SHA-256 that stand in a tag."""

_IGNORED_SUFFIXES = (".md", ".pyc")


@dataclass(frozen=True)
class Image:
    """One image: its name, the folder it is built from, and the hash of its inputs."""

    name: str
    folder: Path
    inputs: str

    @property
    def repository(self) -> str:
        return f"{PREFIX}-{self.name}"

    @property
    def tag(self) -> str:
        return f"{self.repository}:{self.inputs}"

    @property
    def latest(self) -> str:
        """The tag that a plain `docker compose up` uses."""
        return f"{self.repository}:latest"


def images(root: Path) -> dict[str, Image]:
    """Return all images by name; `root` is the folder that holds images/."""
    found: dict[str, Image] = {}
    for name in NAMES:
        folder = root / "images" / name
        below = [found["base"].inputs] if found else []
        found[name] = Image(name, folder, content_hash(folder, *below))
    return found


def content_hash(folder: Path, *more: str) -> str:
    """Return a hash over the files of a folder (names, modes, contents) and more inputs.

    Of the mode only the owner's right to execute counts, as in git: the rest depends on
    the umask of whoever made the copy. README files and compiled Python do not count.
    """
    total = hashlib.sha256()
    for item in more:
        total.update(f"input {item}\0".encode())
    for path in _files(folder):
        total.update(f"{_kind(path)} {path.relative_to(folder).as_posix()}\0".encode())
        total.update(hashlib.sha256(_content(path)).digest())
    return total.hexdigest()[:HASH_LENGTH]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        ignored = "__pycache__" in inside or path.suffix in _IGNORED_SUFFIXES
        if not ignored and (path.is_symlink() or path.is_file()):
            yield path


def _kind(path: Path) -> str:
    if path.is_symlink():
        return "link"
    return "program" if path.stat().st_mode & 0o100 else "file"


def _content(path: Path) -> bytes:
    return str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
