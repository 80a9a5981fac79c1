"""What is up: labs and their hosts, read from the labels on the engine's containers."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from labctl.engine import labels, locks
from labctl.engine.client import Engine, refused
from labctl.errors import MachineError, UsageError

VARIABLE = "LABCTL_NAME"
"""The environment variable that names the lab meant where nothing else does."""


class State(Enum):
    """How a lab stands."""

    READY = "ready"
    STOPPED = "stopped"
    """It was ready once, and none of its hosts runs now."""
    COMING = "coming up"
    """A labctl is at work on it."""
    LEFT_OVER = "left over"
    """Its `up` never ended and nobody is at work on it, or whoever it was brought up for
    (a test, a demo) is gone: `labctl clean` removes it."""
    ELSEWHERE = "not ready"
    """Another user or machine brings it up, or did once: only there can one tell."""


@dataclass(frozen=True)
class LiveHost:
    """One host: `state` is Docker's word, `addresses` by the network's name in the lab file."""

    name: str
    lab_name: str
    container: str
    container_id: str
    image: str
    state: str
    status: str
    addresses: dict[str, str]

    @property
    def running(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True)
class LiveLab:
    """One lab under the name it was brought up with."""

    name: str
    lab: str
    file: Path
    state: State
    hosts: tuple[LiveHost, ...]
    networks: dict[str, str]
    """Subnet of each network, by its name in the lab file."""
    fresh: bool = False
    """Whether it is a copy for one test, demo or scenario only."""

    @property
    def usable(self) -> bool:
        """Whether it may be meant by who names none: it is no remains, and nobody else's copy."""
        return self.state is not State.LEFT_OVER and not self.fresh

    def host(self, name: str) -> LiveHost:
        """Return the host of that name. Raises UsageError where the lab has none such."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = [h.name for h in self.hosts]
        close = difflib.get_close_matches(name, names, 1)
        guess = f"Did you mean {close[0]}? " if close else ""
        raise UsageError(
            f"lab {self.name} has no host {name}", f"{guess}Its hosts: {', '.join(names)}."
        )


def name_lock(engine: Engine, name: str) -> Path:
    """Return the lock that whoever brings a lab up or down under this name holds."""
    return locks.lock_path("name", engine.id, name)


def life_lock(engine: Engine, name: str) -> Path:
    """Return the lock that whoever needs a fresh lab of this name holds while it does."""
    return locks.lock_path("life", engine.id, name)


def labs(engine: Engine) -> list[LiveLab]:
    """Return every lab that has anything on the engine, in the order of their names."""
    wanted = {"label": labels.NAME}
    with refused("listing labs"):
        containers = engine.sdk.api.containers(all=True, filters=wanted)
        networks = engine.sdk.api.networks(filters=wanted)
        volumes = engine.sdk.api.volumes(filters=wanted).get("Volumes") or []
    things: dict[str, dict[str, list[Any]]] = {}
    for kind, found in (("containers", containers), ("networks", networks), ("volumes", volumes)):
        for thing in found:
            own = things.setdefault(thing["Labels"][labels.NAME], {})
            own.setdefault(kind, []).append(thing)
    return [_lab(engine, name, things[name]) for name in sorted(things)]


def _lab(engine: Engine, name: str, things: dict[str, list[Any]]) -> LiveLab:
    marked = [thing["Labels"] for found in things.values() for thing in found]
    some = max(marked, key=len)  # an observer's has less to tell than what it watches
    keys = {n["Name"]: n["Labels"].get(labels.NETWORK, "") for n in things.get("networks", [])}
    containers = (c for c in things.get("containers", []) if labels.OBSERVER not in c["Labels"])
    found = (_host(c, name, keys) for c in containers)
    hosts = tuple(sorted(found, key=lambda h: _natural(h.name)))
    marks = [v["Labels"] for v in things.get("volumes", []) if labels.READY in v["Labels"]]
    subnets = {
        n["Labels"].get(labels.NETWORK, n["Name"]): n["IPAM"]["Config"][0]["Subnet"]
        for n in things.get("networks", [])
    }
    owned = some.get(labels.OWNER, labels.owner()) == labels.owner()
    state = _state(engine, name, hosts, marks, owned)
    return LiveLab(
        name,
        some.get(labels.LAB, ""),
        Path(some.get(labels.FILE, "")),
        state,
        hosts,
        subnets,
        any(labels.FRESH in mark for mark in marked),
    )


def _natural(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("-")
    return (stem, int(number)) if stem and number.isdigit() else (name, 0)


def _host(container: dict[str, Any], name: str, keys: dict[str, str]) -> LiveHost:
    told = container["Labels"]
    endpoints = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return LiveHost(
        name=told.get(labels.HOST, container["Id"][:12]),
        lab_name=name,
        container=container["Names"][0].lstrip("/"),
        container_id=container["Id"],
        image=container["Image"],
        state=container["State"],
        status=container["Status"],
        addresses={keys[n]: e["IPAddress"] for n, e in endpoints.items() if n in keys},
    )


def _state(
    engine: Engine,
    name: str,
    hosts: tuple[LiveHost, ...],
    marks: list[dict[str, str]],
    owned: bool,
) -> State:
    if marks and not (owned and _outlived(engine, name, marks)):
        return State.READY if any(h.running for h in hosts) else State.STOPPED
    if not owned:
        return State.ELSEWHERE
    return State.LEFT_OVER if locks.is_free(name_lock(engine, name)) else State.COMING


def _outlived(engine: Engine, name: str, marks: list[dict[str, str]]) -> bool:
    """Tell whether a fresh lab is still there although whoever it was for is gone."""
    fresh = any(labels.FRESH in mark for mark in marks)
    return fresh and locks.is_free(life_lock(engine, name))


def is_left_over(engine: Engine, name: str) -> bool:
    """Tell whether a lab is left over, for a caller that holds the lock on its name."""
    with refused(f"looking at lab {name}"):
        wanted = {"label": f"{labels.NAME}={name}"}
        volumes = engine.sdk.api.volumes(filters=wanted).get("Volumes") or []
    marks = [v["Labels"] for v in volumes if labels.READY in v["Labels"]]
    return not marks or _outlived(engine, name, marks)


def default_name() -> str | None:
    """Return what LABCTL_NAME of the environment has, None where it is empty or not there."""
    return os.environ.get(VARIABLE) or None


def find(engine: Engine, name: str | None) -> LiveLab:
    """Return the lab up under `name`, or, without a name, the only one that is up.

    LABCTL_NAME of the environment is that name where none is given. Of several it is the one
    whose file is in the current folder. Copies that somebody brought up for a test or a demo
    do not count.
    Raises UsageError when there is none, or several and no name.
    """
    found = labs(engine)
    variable = default_name() if name is None else None
    name = variable if name is None else name
    if name is not None:
        for lab in found:
            if lab.name == name:
                return lab
        close = difflib.get_close_matches(name, [lab.name for lab in found], 1)
        whose = f", which {VARIABLE} has" if variable else ""
        raise UsageError(
            f"no lab is up under the name {name}{whose}",
            f"Did you mean {close[0]}?" if close else "`labctl ps` lists what is up.",
        )
    usable = [lab for lab in found if lab.usable]
    if not usable:
        raise UsageError("no lab is up", "Bring one up: `labctl up LAB`; `labctl list` names them.")
    here = [lab for lab in usable if lab.file.parent == Path.cwd()]
    if len(here) == 1:
        return here[0]
    if len(usable) > 1:
        names = ", ".join(lab.name for lab in usable)
        raise UsageError(
            f"several labs are up: {names}",
            "Say which: `--name NAME`, or NAME/HOST; `labctl down NAME`.",
        )
    return usable[0]


def find_host(engine: Engine, told: str, name: str | None) -> LiveHost:
    """Return the host that HOST or NAME/HOST stands for. Raises UsageError as `find` does."""
    lab_name, slash, host = told.rpartition("/")
    if slash and name is not None and name != lab_name:
        raise UsageError(f"--name {name} and {told} name two labs", "Give one of them only.")
    return find(engine, lab_name if slash else name).host(host)


def require_running(host: LiveHost) -> None:
    """Raise MachineError unless the host runs."""
    if not host.running:
        raise MachineError(
            f"host {host.name} of lab {host.lab_name} is not running: {host.status}",
            f"`labctl logs {host.lab_name}/{host.name}` tells why; `labctl down {host.lab_name}` "
            "takes the lab down, so that it can come up anew.",
        )
