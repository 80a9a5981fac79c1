"""Starts the agent that films what the programs of a host hold, call by call."""

from __future__ import annotations

from labctl.engine.client import Engine
from labctl.engine.sidecar import Beside, Sidecar

AGENT = ("python3", "/opt/agent/steps_agent.py")
CAPABILITIES = ("SYS_PTRACE", "KILL", "DAC_READ_SEARCH")
"""What it needs: to stop programs and look into them; to let them go on; as any user's."""


def step_host(engine: Engine, image: str, lab: str, host: str, container_id: str) -> Sidecar:
    """Start an agent beside a host. Raises MachineError where it cannot start."""
    target = f"container:{container_id}"
    caps = (word for cap in CAPABILITIES for word in ("--cap-add", cap))
    place = Beside(lab, f"host {host}", ("--network", target, "--pid", target, *caps))
    return Sidecar(engine, place, image, AGENT)
