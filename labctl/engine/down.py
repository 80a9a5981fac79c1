"""Takes labs down, and cleans up what no live lab owns: found by label, never by file."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from labctl.engine import labels, live, locks, networks
from labctl.engine.client import Engine, refused
from labctl.engine.removal import insist
from labctl.errors import EngineError

_TIMEOUT = 60.0


@dataclass
class Removed:
    """How many things were removed."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0


def down(engine: Engine, name: str) -> Removed:
    """Remove everything that carries the lab's name; wait for whoever works on it now.

    Raises EngineError, saying what remains, when the engine does not let go of something.
    """
    lock = live.name_lock(engine, name)
    with locks.held(lock, f"lab {name}", _TIMEOUT, once=True):
        removed = remove_all(engine, name)
        locks.discard(live.life_lock(engine, name))
        return removed


def remove_all(engine: Engine, name: str) -> Removed:
    """As `down`, for a caller that holds the lock on the name.

    It looks again until nothing is found: a request that was under way when its sender
    died may still bring something into being.
    """
    deadline = time.monotonic() + _TIMEOUT
    removed = Removed()
    late = False
    while not (found := _find(engine, name)).empty:
        if late:
            raise _remains(name, found)
        with refused(f"removing lab {name}"):
            _remove(engine, found, deadline)
        removed.containers += len(found.containers)
        removed.networks += len(found.networks)
        removed.volumes += len(found.volumes)
        # Looked at after the removal, so that one which took long is not called a failure.
        late = time.monotonic() > deadline
    return removed


def down_left_over(engine: Engine, name: str) -> Removed | None:
    """Remove a lab if it is left over; return None where it is not, or somebody works on it."""
    path = live.name_lock(engine, name)
    lock = locks.try_lock(path)
    if lock is None:
        return None
    try:
        if not live.is_left_over(engine, name):
            return None
        removed = remove_all(engine, name)
        locks.discard(live.life_lock(engine, name))
        return removed
    finally:
        locks.remove(path, lock)


@dataclass
class _Found:
    containers: list[Any] = field(default_factory=list)
    networks: list[Any] = field(default_factory=list)
    volumes: list[Any] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.containers or self.networks or self.volumes)


def _find(engine: Engine, name: str) -> _Found:
    wanted = {"label": f"{labels.NAME}={name}"}
    api = engine.sdk.api
    with refused(f"looking for what lab {name} has"):
        return _Found(
            api.containers(all=True, filters=wanted),
            api.networks(filters=wanted),
            api.volumes(filters=wanted).get("Volumes") or [],
        )


def _remove(engine: Engine, found: _Found, deadline: float) -> None:
    # The mark that the lab is up goes first: half taken down it must count as left over.
    marks = [v for v in found.volumes if labels.READY in v["Labels"]]
    others = [v for v in found.volumes if labels.READY not in v["Labels"]]
    with ThreadPoolExecutor(engine.at_once) as pool:
        for volume in marks:
            _remove_volume(engine, volume["Name"], deadline)
        _all(
            pool.map(
                lambda c: _remove_container(engine, c["Id"], _name(c), deadline),
                found.containers,
            )
        )
        for network in found.networks:
            networks.remove(engine, network["Id"], deadline)
        for volume in others:
            _remove_volume(engine, volume["Name"], deadline)


def _all(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _name(container: dict[str, Any]) -> str:
    return str(container["Labels"].get(labels.HOST, container["Names"][0]))


def _remove_container(engine: Engine, key: str, name: str, deadline: float) -> None:
    insist(
        lambda: engine.sdk.api.remove_container(key, v=True, force=True),
        f"host {name}",
        f"Try `docker rm -f {key[:12]}`.",
        deadline,
    )


def _remove_volume(engine: Engine, name: str, deadline: float) -> None:
    insist(
        lambda: engine.sdk.api.remove_volume(name),
        f"volume {name}",
        f"Try `docker volume rm {name}`.",
        deadline,
    )


def _remains(name: str, found: _Found) -> EngineError:
    things = [_name(c) for c in found.containers]
    things += [n["Name"] for n in found.networks] + [v["Name"] for v in found.volumes]
    return EngineError(
        f"of lab {name} there remain: {', '.join(things)}",
        f"`labctl down {name}` tries again; `docker rm -f`, `docker network rm` and "
        "`docker volume rm` remove them by hand.",
    )
