"""Finds lab files by name, folder or path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import LabFileError, UsageError
from labctl.lab.lab import Lab
from labctl.lab.load import lab_name, load
from labctl.lab.near import did_you_mean
from labctl.lab.places import data_root
from labctl.lab.source import shown

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order in which Compose looks for them."""


@dataclass(frozen=True)
class Found:
    """A lab file that was found; `lab` is None when it is wrong, `problem` then its first one."""

    name: str
    path: Path
    lab: Lab | None
    problem: str | None = None


def find(name_or_path: str | None, cwd: Path) -> Path:
    """Return the lab file that a user means; None stands for the one in `cwd`.

    A name that a lab has wins over a path, except that a path with a `/` or an ending such
    as `.yaml` is always a path. Raises UsageError when there is none.
    """
    if name_or_path is None:
        file = file_in(cwd)
        if file is None:
            raise UsageError(
                "there is no compose.yaml in the current folder",
                f"name a lab: {', '.join(known(cwd)) or 'none is known here'}",
            )
        return file
    if "/" not in name_or_path and name_or_path in (labs := known(cwd)):
        return labs[name_or_path]
    path = cwd / Path(name_or_path).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        file = file_in(path)
        if file is not None:
            return file
        raise UsageError(
            f"there is no compose.yaml in {shown(path)}", "`labctl new NAME` makes a lab"
        )
    hint = did_you_mean(name_or_path, known(cwd), "labs")
    raise UsageError(f"there is no lab `{name_or_path}`", hint)


def labs(cwd: Path) -> list[Found]:
    """Return all known labs, the nearest first; wrong files are in it with their problem.

    Those that name their place in a course come last, in the order of the course.
    """
    return sorted((_load(name, path) for name, path in known(cwd).items()), key=_place)


def _place(found: Found) -> int:
    course = found.lab.x.course if found.lab else None
    return -1 if course is None else course


def known(cwd: Path) -> dict[str, Path]:
    """Return lab files by name: in ./labs and the folders of `cwd`, then those of labctl.

    In `cwd` only what belongs to the user or to root counts: in a folder that everybody
    may write to, such as /tmp, others could put a lab under a name that is already known.
    """
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    for path in _candidates(cwd):
        name = lab_name(path)
        if path.resolve() not in seen and name not in found:
            found[name] = path
            seen.add(path.resolve())
    return found


def file_in(folder: Path) -> Path | None:
    """Return the Compose file of a folder, if it has one."""
    return next((folder / name for name in FILE_NAMES if _is_file(folder / name)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that one may not look into
        return False


def _candidates(cwd: Path) -> list[Path]:
    candidates = _files_below(cwd / "labs") if _is_trusted(cwd / "labs") else []
    candidates += [path for path in _files_below(cwd) if _says_lab(path)]
    candidates = [path for path in candidates if _is_trusted(path.parent) and _is_trusted(path)]
    default = file_in(data_root())
    return candidates + ([default] if default else []) + _files_below(data_root() / "labs")


def _files_below(folder: Path) -> list[Path]:
    try:
        folders = sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []
    return [file for child in folders if (file := file_in(child)) is not None]


def _is_trusted(path: Path) -> bool:
    """Return whether a path, and what a link there leads to, is the user's own or root's."""
    trusted = {os.getuid(), 0}
    try:
        return {path.lstat().st_uid, path.stat().st_uid} <= trusted
    except OSError:
        return False


def _says_lab(path: Path) -> bool:
    """Tell a lab from somebody's ordinary Compose file."""
    try:
        return b"x-lab" in path.read_bytes()
    except OSError:
        return False


def _load(name: str, path: Path) -> Found:
    try:
        return Found(name, path, load(path))
    except LabFileError as error:
        return Found(name, path, None, str(error.problems[0]))
    except UsageError as error:
        return Found(name, path, None, error.message)
