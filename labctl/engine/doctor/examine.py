"""Runs all checks, each within its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labctl.engine.client import connect
from labctl.engine.deadline import within
from labctl.engine.doctor import (
    addresses,
    client,
    images,
    kernel,
    leftovers,
    python,
    resources,
    tracers,
)
from labctl.engine.doctor.model import Check, Fix, Look, Machine, State
from labctl.errors import EngineError, LabctlError

LOOKS: tuple[Look, ...] = (
    *client.LOOKS,
    *images.LOOKS,
    *addresses.LOOKS,
    *resources.LOOKS,
    *kernel.LOOKS,
    *tracers.LOOKS,
    *leftovers.LOOKS,
    *python.LOOKS,
)
"""All checks in the order in which they are shown: what others rest on comes first."""


def examine(
    done: Callable[[Check], None] = lambda check: None,
    looks: Sequence[Look] = LOOKS,
    patience: float = 10.0,
) -> list[Check]:
    """Return what all checks find; `done` is told each as soon as it is known.

    `patience` is how many seconds the engine has to answer at all. It ends, and raises
    nothing, whatever state the engine is in: a check that is not done within its time has
    failed.
    """
    machine = _machine(patience)
    checks = []
    for look in looks:
        for check in _one(look, machine):
            done(check)
            checks.append(check)
    return checks


def _machine(patience: float) -> Machine:
    try:
        return Machine(within(2 * patience, lambda: connect(patience)))
    except LabctlError as error:
        return Machine(None, error)
    except Exception as error:
        trouble = EngineError(
            f"the Docker engine cannot be used: {error}",
            "Is DOCKER_HOST or the docker context right, and does `docker version` answer?",
        )
        return Machine(None, trouble)


def _one(look: Look, machine: Machine) -> list[Check]:
    if look.needs_engine and machine.engine is None:
        return _all(look, State.NOT_CHECKED, "the engine cannot be asked")
    try:
        return within(look.seconds, lambda: look.look(machine))
    except LabctlError as error:
        return _all(look, State.FAILED, error.message, Fix(error.hint) if error.hint else None)
    except Exception as error:  # one check that breaks must not hide all others
        return _all(look, State.FAILED, f"{type(error).__name__}: {error}")


def _all(look: Look, state: State, found: str, fix: Fix | None = None) -> list[Check]:
    return [Check(name, state, found, fix=fix) for name in look.names]
