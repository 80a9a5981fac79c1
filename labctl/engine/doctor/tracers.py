"""Which of the tracers of system calls work here: each is tried as `labctl trace` uses it."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.engine.client import connect
from labctl.engine.doctor.model import Check, Fix, Look, Machine, Note, State
from labctl.engine.images import ensure
from labctl.engine.images.inputs import NAMES
from labctl.engine.tracing import TRACERS, observer_image, refusals

_SECONDS = 60.0
_CAN = {
    "strace": "can trace system calls, every argument decoded (strace(1))",
    "tracefs": "can trace system calls in the kernel, at almost no cost",
}
_NEEDS = {
    "strace": "SYS_PTRACE for containers: see kernel.yama.ptrace_scope, and the engine's "
    "seccomp profile",
    "tracefs": "Linux 6.1 or newer with CONFIG_FTRACE_SYSCALLS, SYS_ADMIN for containers, and an "
    "engine that is in no container itself",
}


def tracers(machine: Machine) -> list[Check]:
    """Try both in containers of the observer image."""
    image = observer_image(machine.reached)
    if image is None:
        fix = Fix("Build the images", "labctl images build", _build)
        found = "the observer's image is not built"
        return [Check(name, State.NOT_CHECKED, found, fix=fix) for name in TRACERS]
    return judge(refusals(machine.reached, image))


def judge(refused: Mapping[str, str | None]) -> list[Check]:
    """Return the checks; `refused` has, by tracer, why it does not work, None where it does."""
    working = [name for name in TRACERS if refused[name] is None]
    checks = []
    for name in TRACERS:
        why = refused[name]
        if why is None:
            checks.append(Check(name, State.OK, _CAN[name]))
            continue
        means = f"`labctl trace` uses {working[0]}" if working else "`labctl trace` does not work"
        fix = Fix(f"It needs {_NEEDS[name]}")
        checks.append(Check(name, State.WARNING, f"does not work: {why}", means, fix))
    return checks


def _build(note: Note) -> None:
    ensure(connect(), NAMES, note)


LOOKS = (Look(TRACERS, tracers, seconds=_SECONDS),)
