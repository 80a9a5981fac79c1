"""Brings a lab up: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from labctl.engine import compose, down, labels, live, locks, networks, ready
from labctl.engine.attending import Attendant, attended
from labctl.engine.client import Engine, refused
from labctl.engine.foreign import below, provide
from labctl.engine.gates import put_gates
from labctl.engine.images.build import ensure
from labctl.engine.images.inputs import NAMES
from labctl.engine.links import Linker, wanted
from labctl.engine.plan import Plan, complete
from labctl.engine.shape import Shape, shape
from labctl.engine.shield import deferred, shielded
from labctl.engine.starting import bounded
from labctl.errors import EngineError, LabctlError, UsageError
from labctl.lab.load import Lab


@dataclass(frozen=True)
class Wishes:
    """How a lab is to come up.

    `timeout` is in seconds and counts from when all hosts have been started; where hosts wait
    for others (`depends_on`), also from when the last host that could be started was. `keep` leaves
    a lab that failed as it is, for a look at it. A `fresh` lab lives no longer than its
    maker, who holds `live.life_lock` on its name.
    """

    name: str | None = None
    scale: Mapping[str, int] = field(default_factory=dict)
    timeout: float = 60.0
    keep: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Reporter:
    """Who is told how it goes: `host` of each host's stages, `note` of all else."""

    host: ready.Progress = lambda host, stage: None
    note: Callable[[str], None] = lambda line: None
    hosts: Callable[[list[str]], None] = lambda names: None


def up(
    engine: Engine,
    lab: Lab,
    wishes: Wishes,
    reporter: Reporter,
    attendant: Attendant | None = None,
) -> live.LiveLab:
    """Bring the lab up and return it when every host is ready.

    An `attendant` is told of each host as soon as it has started; a host that it has put
    behind a gate waits there until the attendant lets it go on.

    Raises UsageError when its name is taken, HostFailed when a host does not become ready,
    and whatever else stands in the way; nothing of it is left then, nor after Ctrl-C.
    """
    name = wishes.name or lab.name
    path = live.name_lock(engine, name)
    lock = locks.try_lock(path, patience=0.5)
    if lock is None:
        raise UsageError(
            f"another labctl is at work on a lab named {name}",
            "Give this one another name: `labctl up --name NAME`.",
        )
    is_up = False
    try:
        _require_free(engine, name)
        project = compose.read(engine, lab.path)
        planned = shape(project, name, wishes.scale)
        _require_unused(engine, planned)
        linker = Linker(engine, wanted(lab.x.links, planned), reporter.note)
        tags = _images(engine, lab, planned, reporter)
        with _undone_on_failure(engine, name, wishes.keep, reporter):
            _bring_up(engine, lab, planned, tags, linker, wishes, reporter, lock, attendant)
            found = live.find(engine, name)
        is_up = True
        return found
    finally:
        locks.release(lock)
        if not is_up:
            locks.discard(path)  # not removed at once: Compose, if it lives on, holds it too


def _require_free(engine: Engine, name: str) -> None:
    for lab in live.labs(engine):
        if lab.name != name:
            continue
        if lab.state is live.State.COMING:  # it is ours to bring up: we hold the lock
            raise UsageError(
                f"remains of a lab named {name} are there; its `up` never ended",
                "`labctl clean` removes them; or give this one another name with --name.",
            )
        raise UsageError(
            f"a lab named {name} is already up ({lab.state.value})",
            f"`labctl down {name}` takes it down; `--name NAME` brings up another copy.",
        )


def _require_unused(engine: Engine, planned: Shape) -> None:
    """Raise UsageError when a container or network has a name that this lab would use."""
    with refused("looking for names in use"):
        there = {n.lstrip("/") for c in engine.sdk.api.containers(all=True) for n in c["Names"]}
        networks_there = {n["Name"] for n in engine.sdk.api.networks()}
    wanted = {f"{planned.name}-{host.name}" for host in planned.hosts}
    taken = sorted(wanted & there)
    taken += sorted({n.engine_name for n in planned.networks} & networks_there)
    if taken:
        raise UsageError(
            f"lab {planned.name} cannot have the name {taken[0]} on the engine: it is in use",
            "Give the lab another name: `labctl up --name NAME`.",
        )


def _images(engine: Engine, lab: Lab, planned: Shape, reporter: Reporter) -> dict[str, str]:
    wanted = {h.config.get("image", "").removesuffix(":latest") for h in planned.hosts}
    wanted |= {image for h in planned.hosts for image in below(h.config.get("build") or {})}
    own = {f"labctl-{name}": name for name in NAMES}
    needed = sorted(wanted & set(own))
    made = ensure(engine, [own[image] for image in needed], reporter.note) if needed else {}
    provide(engine, lab.name, planned.hosts, own, reporter.note)
    return {image: made[own[image]] for image in needed}


def _bring_up(
    engine: Engine,
    lab: Lab,
    planned: Shape,
    tags: Mapping[str, str],
    linker: Linker,
    wishes: Wishes,
    reporter: Reporter,
    lock: int,
    attendant: Attendant | None,
) -> None:
    origin = labels.Origin(planned.name, lab.name, lab.path, wishes.fresh)
    reporter.hosts([h.name for h in planned.hosts])
    subnets = networks.create(engine, planned.networks, origin)
    plan = complete(planned, subnets, tags, origin)
    if attendant is not None:
        project, without = put_gates(engine, plan.project, attendant.gate)
        attendant.without_gate(without)
        plan = replace(plan, project=project)
    with attended(engine, plan, attendant, reporter.host):
        _start(engine, plan, lock, wishes.timeout)
    linker.put_in_force(plan)
    waiting = _waiting(plan)
    if attendant is not None:
        waiting = [replace(one, may_end=attendant.outlives(one.host)) for one in waiting]
    ready.wait(engine, waiting, wishes.timeout, reporter.host)
    _mark(engine, origin)


def _start(engine: Engine, plan: Plan, lock: int, timeout: float) -> None:
    child = compose.Up(engine, plan.project, lock)
    try:
        trouble = child.wait(bounded(engine, plan.project, timeout))
    except BaseException:
        with shielded():
            child.stop()
        raise
    if trouble is None:
        return
    compose.require(engine)
    for waiting in _waiting(plan):
        state = _start_error(engine, waiting.container)
        if state:
            raise ready.failed(engine, waiting, f"could not be started: {state}")
    raise EngineError(
        f"Compose could not bring up lab {plan.shape.name}: {trouble}", "See `labctl doctor`."
    )


def _start_error(engine: Engine, container: str) -> str:
    with refused(f"looking for {container}"):
        found = engine.sdk.api.containers(all=True, filters={"name": f"^/{container}$"})
        if not found:
            return ""
        state: dict[str, Any] = engine.sdk.api.inspect_container(found[0]["Id"])["State"]
    return str(state.get("Error") or "")


def _waiting(plan: Plan) -> list[ready.Waiting]:
    services = plan.project["services"]
    return [
        ready.Waiting(
            h.name,
            services[h.name]["container_name"],
            (services[h.name].get("healthcheck") or {}).get("test"),
        )
        for h in plan.shape.hosts
    ]


def _mark(engine: Engine, origin: labels.Origin) -> None:
    with refused("marking the lab as up"), deferred():
        engine.sdk.api.create_volume(
            labels.marker_name(origin.name), labels=labels.for_marker(origin)
        )


@contextmanager
def _undone_on_failure(engine: Engine, name: str, keep: bool, reporter: Reporter) -> Iterator[None]:
    try:
        yield
    except LabctlError as error:
        if keep:
            error.hint += f" `labctl down {name}` removes it."
            raise
        with shielded():
            _undo(engine, name, error)
        raise
    except BaseException:
        with shielded():
            reporter.note(f"taking down what was made of {name}")
            down.remove_all(engine, name)
        raise


def _undo(engine: Engine, name: str, error: LabctlError) -> None:
    try:
        down.remove_all(engine, name)
    except LabctlError as second:
        error.hint += f"\nAlso: {second.message}. {second.hint}"
