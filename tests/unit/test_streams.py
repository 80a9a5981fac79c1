"""How a command ends where nobody takes what it writes: a reader that is gone, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LONG, SHORT = ("schema",), ("version",)
"""More than a buffer holds is written at once, less at the end."""
PLAIN, JSON, HELP = ("list",), ("list", "--json"), ("--help",)
COMPLETION = ("--show-completion", "bash")
COMMANDS = [LONG, SHORT, PLAIN, JSON, HELP, COMPLETION]
FULL = "error: standard output cannot be written: No space left on device"


def ended(args: tuple[str, ...], out: int, err: int = subprocess.PIPE) -> tuple[int, str]:
    """Run a command; return its exit code, and what it said on standard error."""
    env = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    argv = [sys.executable, "-m", "labctl", *args]
    done = subprocess.run(argv, env=env, stdout=out, stderr=err, text=True, timeout=60, check=False)
    return done.returncode, done.stderr or ""


def closed(args: str) -> tuple[int, str, str]:
    """Run a command by a shell that closes or redirects its streams."""
    line = f"exec {sys.executable} -m labctl {args}"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def unread() -> int:
    """The end of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    return write


@pytest.mark.parametrize("args", COMMANDS)
def test_a_reader_that_is_gone_ends_it_quietly(args: tuple[str, ...], unread: int) -> None:
    try:
        assert ended(args, unread) == (141, "")
    finally:
        os.close(unread)


@pytest.mark.parametrize("args", COMMANDS)
def test_a_full_disk_is_told_once(args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        code, said = ended(args, full.fileno())
    first, second = said.splitlines()
    assert (code, first) == (3, FULL)
    assert second.startswith("  hint: Make room there")


def test_errors_that_nobody_takes_change_nothing(unread: int) -> None:
    try:
        assert ended(("show", "no-such-lab"), subprocess.DEVNULL, unread)[0] == 2
        assert ended(("list",), unread, unread)[0] == 141
    finally:
        os.close(unread)
    with Path("/dev/full").open("wb") as full:
        assert ended(("show", "no-such-lab"), subprocess.DEVNULL, full.fileno())[0] == 2
        assert ended(("list",), full.fileno(), full.fileno())[0] == 3


def test_streams_that_were_closed_beforehand() -> None:
    assert closed("list >&-") == (0, "", "")
    assert closed("show no-such-lab 2>&-") == (2, "", "")
    assert closed("list --json >/dev/full 2>&-") == (3, "", "")
    assert closed("images nothing 2>&-") == (2, "", "")
