"""Starts the agents that observe hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labctl.engine.client import Engine, refused
from labctl.engine.images.build import ensure
from labctl.engine.routes import is_router
from labctl.engine.sidecar import Beside, Sidecar, alone, beside

KERNEL_CAPABILITIES = ("SYS_ADMIN", "SYS_PTRACE", "DAC_OVERRIDE")
"""What the agent that traces in the kernel needs: to mount tracefs; to read all of /proc."""

KERNEL_AGENT = ("python3", "/opt/agent/tracefs_agent.py")


def provide_image(engine: Engine, progress: Callable[[str], None]) -> str:
    """Return the tag of the observer's image, made first where it is missing."""
    return ensure(engine, ["observer"], progress)["observer"]


@dataclass(frozen=True)
class Container:
    """A container to observe: `first_process` is the number of its first process on the
    engine's machine, 0 where it does not run; a `router` forwards packets (ip_forward);
    `addresses` are those that the engine has given it, which it forgets when it ends."""

    id: str
    first_process: int
    router: bool
    addresses: tuple[str, ...] = ()


def container_of(engine: Engine, container: str) -> Container:
    """Look at a container by its name."""
    with refused(f"looking at {container}"):
        details = engine.sdk.api.inspect_container(container)
    sysctls = details["HostConfig"].get("Sysctls") or {}
    endpoints = (details["NetworkSettings"].get("Networks") or {}).values()
    addresses = tuple(e["IPAddress"] for e in endpoints if e.get("IPAddress"))
    return Container(details["Id"], int(details["State"]["Pid"]), is_router(sysctls), addresses)


def watch_host(engine: Engine, image: str, lab: str, host: str, container_id: str) -> Sidecar:
    """Start an agent beside a host. Raises MachineError where it cannot start."""
    return Sidecar(engine, beside(lab, host, container_id), image)


def watch_nothing(engine: Engine, image: str, name: str) -> Sidecar:
    """Start an agent beside no host, to learn what it could do there: `hello["strace"]`."""
    return Sidecar(engine, alone(name), image)


def watch_kernel(engine: Engine, image: str, lab: str) -> Sidecar:
    """Start the agent that traces in the kernel, for all hosts of a lab.

    It sees all processes of the engine's machine and may mount tracefs. As it starts it removes
    what killed ones have left in the kernel: `hello["removed"]`. Raises AgentRefused where
    tracefs cannot be used, MachineError where it cannot start.
    """
    options = [word for cap in KERNEL_CAPABILITIES for word in ("--cap-add", cap)]
    options += ["--pid", "host", "--network", "none", "--security-opt", "apparmor=unconfined"]
    place = Beside(lab, f"lab {lab}", tuple(options))
    return Sidecar(engine, place, image, KERNEL_AGENT)
