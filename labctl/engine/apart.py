"""Runs a command among a host's processes, but not as one of them.

A host that has as many processes as it may lets none be started in it, not even one that ends
the others. A container of its own that only shares the host's pid namespace is not counted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from math import ceil

from labctl.engine import labels
from labctl.engine.client import Engine, refused
from labctl.engine.inside import Done
from labctl.engine.live import LiveHost
from labctl.engine.passing import passing

_CAPABILITIES = ["KILL", "SYS_PTRACE", "DAC_READ_SEARCH"]
"""To signal processes of any user, and to read all of /proc about them."""


def run_apart(engine: Engine, host: LiveHost, argv: Sequence[str], timeout: float) -> Done:
    """Run a command of the host's image; return what came of it.

    Raises EngineError when it cannot be started or takes longer than `timeout` seconds.
    """
    began = time.monotonic()

    def made() -> str:
        container = engine.sdk.containers.create(
            host.image,
            list(argv[1:]),
            entrypoint=[argv[0]],
            name=f"{host.lab_name}.apart-{secrets.token_hex(4)}",
            labels=labels.for_observer(host.lab_name, f"host {host.name}"),
            pid_mode=f"container:{host.container_id}",
            network_mode="none",
            cap_drop=["ALL"],
            cap_add=_CAPABILITIES,
            user="0",
        )
        return str(container.id)

    with refused(f"running a command beside host {host.name}"), passing(engine, made) as key:
        api = engine.sdk.api
        api.start(key)
        code = api.wait(key, timeout=ceil(timeout))["StatusCode"]
        out, err = api.logs(key, stderr=False), api.logs(key, stdout=False)
        return Done(code, out, err, time.monotonic() - began)
