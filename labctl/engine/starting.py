"""Bounds how long Compose waits for a host that others depend on: by itself it waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from labctl.engine import labels
from labctl.engine.client import Engine, refused
from labctl.engine.holdups import Holdups, Standing
from labctl.engine.ready import log_tail
from labctl.errors import HostFailed


def bounded(engine: Engine, project: dict[str, Any], timeout: float) -> Callable[[], None] | None:
    """Return what is to be called now and then while Compose starts the project's hosts.

    It raises HostFailed when for `timeout` seconds nothing has moved, as all hosts that are
    not started wait for others. None where no host depends on another.
    """
    services = project["services"]
    if not any(service.get("depends_on") for service in services.values()):
        return None
    holdups = Holdups({host: s.get("depends_on") or {} for host, s in services.items()})

    def look() -> None:
        held = holdups.held(_standings(engine, project["name"]), time.monotonic())
        if held is None or held[1] < timeout:
            return
        holdup = held[0]
        tail = log_tail(engine, services[holdup.awaited]["container_name"])
        raise HostFailed(
            f"host {holdup.host} was not started after {timeout:g} seconds: {holdup}{tail}",
            f"Mend the command or the health check of {holdup.awaited}, or the condition, in the "
            "lab file; --timeout gives it more time; `--keep` leaves the lab as it is, for a look.",
        )

    return look


def _standings(engine: Engine, name: str) -> dict[str, Standing]:
    with refused(f"looking at the hosts of lab {name}"):
        found = engine.sdk.api.containers(all=True, filters={"label": f"{labels.NAME}={name}"})
    return {
        c["Labels"][labels.HOST]: Standing(c["State"], c["Status"])
        for c in found
        if labels.HOST in c["Labels"]
    }
