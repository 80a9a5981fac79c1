"""How a container has ended, as the engine tells it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from docker.errors import NotFound

from labctl.engine.client import Engine, refused
from labctl.engine.observers import Container

_NAP = 0.05


@dataclass(frozen=True)
class Ending:
    """When a container ended, in ns since the epoch, and with which exit code.

    Both are None where the engine does not know any more: it was removed, or started again.
    """

    time: int | None = None
    code: int | None = None
    out_of_memory: bool = False


def ending_of(engine: Engine, container: Container, patience: float) -> Ending | None:
    """Return how a container has ended that was running; None where it still runs.

    What is beside it ends with it, some time before the engine says so: so it is looked for
    `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while (ending := _look(engine, container)) is None and time.monotonic() < deadline:
        time.sleep(_NAP)
    return ending


def _look(engine: Engine, container: Container) -> Ending | None:
    with refused(f"looking at container {container.id[:12]}"):
        try:
            state = engine.sdk.api.inspect_container(container.id)["State"]
        except NotFound:
            return Ending()
    if state["Pid"] == container.first_process:
        return None
    if state["Running"] or state.get("Restarting"):
        return Ending()
    return Ending(moment(state["FinishedAt"]), state["ExitCode"], bool(state.get("OOMKilled")))


def moment(told: str) -> int:
    """Return a time of the engine's (RFC 3339, with nanoseconds, UTC) in ns since the epoch."""
    whole, _, fraction = told.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)
