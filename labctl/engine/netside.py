"""A container beside a host that shares its network namespace only, with the right to change it.

It takes part in nothing: it runs commands of the observer's image (tc, iptables, ip) for labctl.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labctl.engine import execs, labels
from labctl.engine.client import Engine, refused
from labctl.engine.passing import passing
from labctl.errors import MachineError


@dataclass(frozen=True)
class NetSide:
    """One such container; `host` names the host it is beside."""

    engine: Engine
    host: str
    container_id: str

    def run(self, script: str) -> str:
        """Run a shell script there as root; return what it printed.

        Raises MachineError, with what it said, where it ends with another exit code than 0.
        """
        with refused(f"working on the network of host {self.host}"):
            code, out, err = execs.run(self.engine, self.container_id, ["sh", "-c", script])
        if code != 0:
            said = " ".join((err or out).decode(errors="replace").split())
            raise MachineError(
                f"the network of host {self.host} cannot be changed: {said or f'exit code {code}'}",
                "`labctl doctor` shows what this machine's kernel can do.",
            )
        return out.decode(errors="replace")


@contextmanager
def beside_network(
    engine: Engine, image: str, lab_name: str, host: str, container: str
) -> Iterator[NetSide]:
    """Within the block there is such a container beside a host. `image` is the observer's."""
    beside = f"host {host}"

    def made() -> str:
        with refused(f"starting a container beside {beside}"):
            container_beside = engine.sdk.containers.create(
                image,
                ["sleep", "infinity"],
                name=f"{lab_name}.network-{secrets.token_hex(4)}",
                labels=labels.for_observer(lab_name, beside),
                network_mode=f"container:{container}",
                cap_drop=["ALL"],
                cap_add=["NET_ADMIN", "NET_RAW"],
                user="0",
            )
        return str(container_beside.id)

    with passing(engine, made) as key:
        with refused(f"starting a container beside {beside}"):
            engine.sdk.api.start(key)
        yield NetSide(engine, host, key)
