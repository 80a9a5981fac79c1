"""Runs a command inside a host on the user's own input, output and terminal."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labctl.engine import compose, leaving, live
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
    left: Callable[[str], None] = lambda words: None,
) -> int:
    """Run a command inside the host on this process's own input and output; return its code.

    `tty` None gives it a terminal when both standard input and output are one. An engine that
    cannot start the command says so and gives 126 or 127. An interrupt ends the command with its
    children, and is then passed on; so does a reader of the output that has gone, which gives 141
    (128 + SIGPIPE). `left` is told where the command may still run. Raises MachineError when the
    host does not run or goes away meanwhile.
    """
    live.require_running(host)
    if tty is None:
        tty = _is_terminal(sys.stdin) and _is_terminal(sys.stdout)
    marked = leaving.mark()
    how = options(user, {**(env or {}), **marked}, cwd)
    how += ["--interactive", *(["--tty"] if tty else [])]
    try:
        child = subprocess.Popen(
            ["docker", "exec", *how, host.container_id, *argv],
            env=engine.env,
            stdin=None if sys.stdin is not None else subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise compose.no_client() from error
    ended = False
    try:
        code = _wait(child)
        # In `labctl exec HOST yes | head -1` SIGPIPE ends the client, and not the command.
        ended = child.returncode >= 0
    finally:
        if not ended and not leaving.end(engine, host, marked, user):
            left(
                f"`{shlex.join(argv)}` may still run on host {host.name}: it could not be ended "
                "from here. `labctl down` ends it with its host."
            )
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
