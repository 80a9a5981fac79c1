"""Collects a lab file's problems, so that all of them are told at once."""

from __future__ import annotations

from labctl.errors import LabFileError, Problem
from labctl.lab.source import KeyPath, Source


class Report:
    """The problems of one file; a path stands for a position in it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def at_value(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Add a problem with the value at `path`."""
        self.problems.append(self.source.problem(self.source.at(path), message, hint))

    def at_key(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Add a problem with the key at `path`."""
        self.problems.append(self.source.problem(self.source.at_key(path), message, hint))

    def raise_if_any(self) -> None:
        """Raise LabFileError with the problems in the order of the file."""
        if self.problems:
            raise LabFileError(sorted(self.problems, key=lambda p: (p.line, p.column)))
