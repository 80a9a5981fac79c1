"""Whether a host that something is done with is still there."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from docker.errors import APIError, NotFound

from labctl.engine.client import Engine, refused
from labctl.engine.live import LiveHost
from labctl.errors import MachineError

KILLED = 128 + 9
"""The exit code of what SIGKILL ended."""

_PATIENCE = 1.0
_NAP = 0.1


def gone(host: LiveHost) -> MachineError:
    """Return the error for a host that was there a moment ago."""
    return MachineError(
        f"host {host.name} of lab {host.lab_name} was removed meanwhile",
        "`labctl ps` lists what is up.",
    )


def require_survival(engine: Engine, host: LiveHost, argv: Sequence[str], exit_code: int) -> None:
    """Raise MachineError where a command ended with `exit_code` because its host did.

    The end of a host kills all that runs on it, some time before the engine says so.
    """
    deadline = time.monotonic() + (_PATIENCE if exit_code == KILLED else 0.0)
    require_still_running(engine, host, argv)
    while time.monotonic() < deadline:
        time.sleep(_NAP)
        require_still_running(engine, host, argv)


def require_still_running(engine: Engine, host: LiveHost, argv: Sequence[str] = ()) -> None:
    """Raise MachineError where the host has ended or is gone; `argv` is what ran on it."""
    with refused(f"looking at host {host.name}"):
        try:
            state = engine.sdk.api.inspect_container(host.container_id)["State"]
        except NotFound as error:
            raise gone(host) from error
    if not state["Running"]:
        during = f" while it ran `{shlex.join(argv)}`" if argv else ""
        raise MachineError(
            f"host {host.name} of lab {host.lab_name} ended{during} "
            f"(exit code {state['ExitCode']})",
            f"`labctl logs {host.name}` tells why.",
        )


@contextmanager
def watched(engine: Engine, host: LiveHost, argv: Sequence[str] = ()) -> Iterator[None]:
    """Give what the engine refuses in the block its real reason: the host has ended or is gone."""
    try:
        yield
    except APIError as error:
        if error.status_code in (404, 409):
            require_still_running(engine, host, argv)
        raise
