"""Ends what was begun on a host by somebody who has left it.

The engine lets a command run on when its client goes away, and tells nobody its process number
on the host. So the command gets a variable of its own, which its children have from it, and what
has that variable in its environment (proc(5), /proc/pid/environ) is ended.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

from docker.errors import APIError, DockerException
from urllib3.exceptions import HTTPError

from labctl.engine import execs
from labctl.engine.client import Engine
from labctl.engine.live import LiveHost

_NAME = "LABCTL_EXEC"
_PATIENCE = 5.0
"""Seconds that a command has to end by itself after SIGTERM."""
_NAP = 0.1
_GONE = (404, 409)
"""What the engine answers of a host that is not there, or does not run: nothing is left on it."""

# Prints how many there were.
_SIGNAL = """
command -v grep > /dev/null && command -v tr > /dev/null || exit 1
count=0
for each in /proc/[0-9]*; do
    { tr '\\0' '\\n' < "$each/environ"; } 2> /dev/null | grep -qxF "$1" || continue
    kill "-$2" "${each#/proc/}" 2> /dev/null && count=$((count + 1))
done
echo "$count"
"""


def mark() -> dict[str, str]:
    """Return the variable for a command that may have to be ended."""
    return {_NAME: secrets.token_hex(8)}


def end(engine: Engine, host: LiveHost, marked: Mapping[str, str], user: str | None) -> bool:
    """End what has the variable: by SIGTERM, or by SIGKILL where that does not in some seconds.

    Returns whether that could be done: not where the host has no shell, `grep` or `tr`, nor where
    the engine does not answer. What has become another `user` since is not found.
    """
    try:
        left = _signal(engine, host, marked, user, "TERM")
        deadline = time.monotonic() + _PATIENCE
        while left and time.monotonic() < deadline:
            time.sleep(_NAP)
            left = _signal(engine, host, marked, user, "0")
        if left:
            left = _signal(engine, host, marked, user, "KILL")
    except APIError as error:
        return error.status_code in _GONE
    except (DockerException, OSError, HTTPError):
        return False
    return left is not None


def _signal(
    engine: Engine, host: LiveHost, marked: Mapping[str, str], user: str | None, name: str
) -> int | None:
    """Send a signal to all that has the variable; return how many that were, None if unknown."""
    ((key, value),) = marked.items()
    argv = ["/bin/sh", "-c", _SIGNAL, "sh", f"{key}={value}", name]
    code, out, _ = execs.run(engine, host.container_id, argv, user=user)
    return int(out) if code == 0 and out.strip().isdigit() else None
