"""Every error that labctl shows a user, as one tree.

    LabctlError
    ├── CheckFailed   1  a check, a scenario step or a test failed
    ├── UsageError    2  a wrong command line, an unknown lab, host or name
    │   └── LabFileError  2  a lab file that is wrong, with file, line and column
    └── MachineError  3  the engine or the machine cannot do it
        ├── EngineError    3  Docker is not there, not permitted, too old, or refused
        └── HostFailed     3  a host of the lab did not become ready

Each holds two lines: what is wrong and where, and what to do about it. The exit
code is an attribute of the class, so that no caller chooses one.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar


class LabctlError(Exception):
    """Base of all errors that are shown as two lines instead of a traceback.

    `message` says what is wrong and where, `hint` what to do; either may run over
    several lines when it quotes something (a host's last log lines).
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CheckFailed(LabctlError):
    """What happened is not what should have happened."""

    exit_code = 1


class UsageError(LabctlError):
    """The command line or a name on it is wrong."""

    exit_code = 2


class LabFileError(UsageError):
    """A lab file is wrong; all its problems are told at once.

    `problems` holds one entry per problem, in the order of the file.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__("\n".join(str(p) for p in problems), first.hint)


class Problem:
    """One thing wrong in a lab file: where (1-based line and column), what, the mend."""

    def __init__(self, file: Path, line: int, column: int, message: str, hint: str = "") -> None:
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class MachineError(LabctlError):
    """The machine lacks what is needed: memory, addresses, a kernel feature, a program."""

    exit_code = 3


class EngineError(MachineError):
    """The Docker engine cannot be reached, used, or refused what was asked."""


class HostFailed(MachineError):
    """A host of the lab did not become ready."""


def is_disk_full(error: OSError) -> bool:
    """Tell whether there was no room left on a disk, or none for this user (quota)."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
