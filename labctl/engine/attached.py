"""Runs a command inside a host on the user's own input, output and terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from labctl.engine import compose, live
from labctl.engine.client import Engine
from labctl.engine.live import LiveHost
from labctl.engine.presence import require_survival

SHELL = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh")
"""The command that is the best shell a host has."""

_PATIENCE = 5.0


def options(user: str | None, env: Mapping[str, str] | None, cwd: str | None) -> list[str]:
    """Return how a command is to run as options of docker-exec(1)."""
    words = ["--user", user] if user else []
    words += [word for k, v in (env or {}).items() for word in ("--env", f"{k}={v}")]
    return words + (["--workdir", cwd] if cwd else [])


def exit_code(returncode: int) -> int:
    """Return a child's returncode as a shell has it: 128 + n for one that signal n ended."""
    return returncode if returncode >= 0 else 128 - returncode


def interactive(
    engine: Engine,
    host: LiveHost,
    argv: Sequence[str],
    *,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    tty: bool | None = None,
    stdin: bool = True,
) -> int:
    """Run a command inside the host on this process's own input and output; return its code.

    `tty` None gives it a terminal when both standard input and output are one; without
    `stdin` it reads nothing. An engine that cannot start the command says so and gives
    126 or 127. Raises MachineError when the host does not run or goes away meanwhile.
    """
    live.require_running(host)
    if tty is None:
        tty = stdin and _is_terminal(sys.stdin) and _is_terminal(sys.stdout)
    how = options(user, env, cwd)
    how += (["--interactive"] if stdin else []) + (["--tty"] if tty else [])
    try:
        child = subprocess.Popen(
            ["docker", "exec", *how, host.container_id, *argv],
            env=engine.env,
            stdin=None if stdin and sys.stdin is not None else subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise compose.no_client() from error
    code = _wait(child)
    if code != 0:
        require_survival(engine, host, argv, code)
    return code


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child to end; an interrupt ends it, and is then passed on."""
    try:
        code = child.wait()
    except BaseException:
        child.terminate()
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    return exit_code(code)
