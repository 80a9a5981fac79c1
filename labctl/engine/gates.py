"""Puts a gate before the own command of each host, so that it can be watched from its first call.

The command is started by a shell that stops itself before it becomes the program; whoever
watches lets it go on.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable
from contextlib import closing
from typing import Any

from docker.errors import NotFound

from labctl.engine import labels
from labctl.engine.client import Engine, refused
from labctl.engine.passing import passing
from labctl.engine.processes import gated
from labctl.engine.routes import is_router

_OWN = frozenset({"labctl-base", "labctl-host", "labctl-observer"})
"""Images that are known to have a shell."""

_FAILURES = 1000
"""So often in a row a host behind a gate may fail its health check before it counts as unhealthy
and those that depend on it are not started. (A start period would do too, but engines since
version 25 then check every five seconds only, whatever the interval.)"""


def put_gates(
    engine: Engine, project: dict[str, Any], mark: Callable[[str], str | None]
) -> tuple[dict[str, Any], list[str]]:
    """Return the project with a gate before each host for which `mark` gives a gate's mark.

    A router gets none: its calls are nobody's concern. Also returned are the hosts whose image
    has no /bin/sh to make a gate of. A host behind a gate gets an init, if it has none: the
    kernel does not let process 1 stop itself.
    """
    changed = copy.deepcopy(project)
    without: list[str] = []
    shells: dict[str, bool] = {}
    for name, service in changed["services"].items():
        told = None if is_router(service.get("sysctls") or {}) else mark(name)
        if told is None:
            continue
        image = service["image"]
        if image not in shells:
            shells[image] = image.partition(":")[0] in _OWN or _has_shell(
                engine, image, project["name"]
            )
        if not shells[image]:
            without.append(name)
            continue
        argv = gated(_own_command(engine, service), told)
        service["entrypoint"] = [word.replace("$", "$$") for word in argv[:5]] + argv[5:]
        service["command"] = []
        service["init"] = True
        check = service.get("healthcheck")
        if check and not check.get("disable"):  # it fails as long as the gate is shut
            service["healthcheck"] = {**check, "retries": _FAILURES}
    return changed, without


def _own_command(engine: Engine, service: dict[str, Any]) -> list[str]:
    """Return what the host executes: the file's entrypoint and command before the image's."""
    entrypoint, command = service.get("entrypoint"), service.get("command")
    if entrypoint is None:
        with refused(f"looking at image {service['image']}"):
            config = engine.sdk.images.get(service["image"]).attrs["Config"]
        entrypoint = _words(config.get("Entrypoint"))
        if command is None:
            command = [word.replace("$", "$$") for word in config.get("Cmd") or []]
    return [*entrypoint, *(command or [])]


def _words(told: list[str] | None) -> list[str]:
    return [word.replace("$", "$$") for word in told or []]


def _has_shell(engine: Engine, image: str, lab_name: str) -> bool:
    """Look into an image, through a container that is never started."""
    api = engine.sdk.api
    told = labels.for_observer(lab_name, f"image {image}")

    def made() -> str:
        name = f"{lab_name}.probe-{secrets.token_hex(4)}"
        return str(api.create_container(image, ["/bin/sh"], name=name, labels=told)["Id"])

    with refused(f"looking into image {image}"), passing(engine, made) as container:
        try:
            stream, _ = api.get_archive(container, "/bin/sh")
        except NotFound:
            return False
        with closing(stream):
            return True
