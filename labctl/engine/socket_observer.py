"""Starts the agents that look at the sockets of a host."""

from __future__ import annotations

from labctl.engine.client import Engine
from labctl.engine.sidecar import Beside, Sidecar

AGENT = ("python3", "/opt/agent/sockets_agent.py")
CAPABILITIES = ("SYS_PTRACE", "DAC_READ_SEARCH")
"""What it needs: to read /proc/PID/fd and to borrow descriptors; to do so as any user."""

QUEUES_AGENT = ("python3", "/opt/agent/queues_agent.py")


def watch_sockets(engine: Engine, image: str, lab: str, host: str, container_id: str) -> Sidecar:
    """Start an agent beside a host. Raises MachineError where it cannot start."""
    target = f"container:{container_id}"
    caps = (word for cap in CAPABILITIES for word in ("--cap-add", cap))
    place = Beside(lab, f"host {host}", ("--network", target, "--pid", target, *caps))
    return Sidecar(engine, place, image, AGENT)


def watch_queues(engine: Engine, image: str, lab: str, host: str, container_id: str) -> Sidecar:
    """Start an agent that writes down the queues of a host's sockets, once it is told to.

    It shares the host's network namespace only, and needs no capability. Raises MachineError
    where it cannot start.
    """
    place = Beside(lab, f"host {host}", ("--network", f"container:{container_id}"))
    return Sidecar(engine, place, image, QUEUES_AGENT)
