"""What the engine's kernel lets links do, tried out inside a short-lived container."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from docker.errors import ImageNotFound

from labctl.engine import labels, live, locks
from labctl.engine.client import Engine, connect, refused
from labctl.engine.doctor.model import Check, Fix, Look, Machine, Note, State
from labctl.engine.images import ensure, images
from labctl.engine.images.inputs import NAMES
from labctl.engine.passing import passing
from labctl.errors import EngineError
from labctl.lab.places import data_root

_SECONDS = 30.0
_LOCK_PATIENCE = 1.0


@dataclass(frozen=True)
class Ability:
    """One ability: how it is tried (a shell command), its use, and what it needs."""

    name: str
    trial: str
    use: str
    needs: str
    command: str | None = None


def _queue(name: str, settings: str, use: str) -> Ability:
    trial = f"tc qdisc add dev lo root {name} {settings} && tc qdisc del dev lo root"
    module = f"sch_{name}"
    return Ability(name, trial, use, f"the kernel module {module}", f"sudo modprobe {module}")


ABILITIES = (
    _queue("netem", "delay 1ms", "give links a delay (tc-netem(8))"),
    _queue("tbf", "rate 1mbit burst 10kb latency 50ms", "give links a rate (tc-tbf(8))"),
    _queue("htb", "default 1", "share a link's rate among flows (tc-htb(8))"),
    Ability(
        "loss",
        "tc qdisc add dev lo root netem loss 1% && tc qdisc del dev lo root || "
        "{ tc qdisc add dev lo root handle 1: htb && "
        "tc class add dev lo parent 1: classid 1:2 htb rate 1gbit && "
        "tc qdisc add dev lo parent 1:2 blackhole && tc qdisc del dev lo root && "
        "iptables -w -t mangle -A POSTROUTING -m statistic --mode random --probability 0.01 "
        "-j CLASSIFY --set-class 1:2; }",
        "have links lose packets (by netem, or by iptables and a blackhole)",
        "the kernel module sch_netem, or sch_htb, xt_statistic and xt_CLASSIFY",
        "sudo modprobe sch_netem",
    ),
    Ability(
        "ifb",
        "ip link add labctl-ifb type ifb && ip link del labctl-ifb",
        "shape what arrives at a host",
        "the kernel module ifb",
        "sudo modprobe ifb",
    ),
)


def script(abilities: tuple[Ability, ...] = ABILITIES) -> str:
    """Return the shell script that tries each and prints `NAME ok`, or `NAME no REASON`."""
    trials = [
        f"if said=$( {{ {a.trial}; }} 2>&1 ); then echo '{a.name} ok'; "
        f'else echo "{a.name} no $(echo $said)"; fi'
        for a in abilities
    ]
    return "ip link set lo up\n" + "\n".join(trials)


def missing(engine: Engine, image: str, names: Sequence[str]) -> dict[str, str]:
    """Try the named abilities in a container of the observer image; return why some are missing.

    Raises EngineError where that cannot be tried.
    """
    wanted = tuple(a for a in ABILITIES if a.name in names)
    checks = read(_try(engine, image, wanted), wanted)
    return {check.name: check.found for check in checks if check.state is not State.OK}


def abilities(machine: Machine) -> list[Check]:
    """Try all abilities in one container of the observer image."""
    image = images(data_root())["observer"]
    if not _present(machine.reached, image.tag):
        fix = Fix("Build the images", "labctl images build", _build)
        found = f"{image.tag} is not built"
        return [Check(a.name, State.NOT_CHECKED, found, fix=fix) for a in ABILITIES]
    return read(_try(machine.reached, image.tag))


def _present(engine: Engine, tag: str) -> bool:
    with refused("looking for the observer image"):
        try:
            engine.sdk.images.get(tag)
        except ImageNotFound:
            return False
    return True


def _build(note: Note) -> None:
    ensure(connect(), NAMES, note)


def read(output: str, wanted: tuple[Ability, ...] = ABILITIES) -> list[Check]:
    """Return the checks for what the script has printed. Raises EngineError for anything else."""
    told = dict(line.split(" ", 1) for line in output.splitlines() if " " in line)
    checks = []
    for ability in wanted:
        verdict, _, reason = told.get(ability.name, "").partition(" ")
        if verdict == "ok":
            checks.append(Check(ability.name, State.OK, f"can {ability.use}"))
        elif verdict == "no":
            fix = Fix(f"It needs {ability.needs}", ability.command)
            means = f"labctl cannot {ability.use} here"
            checks.append(Check(ability.name, State.WARNING, f"missing: {reason}", means, fix))
        else:
            raise EngineError(f"the observer did not tell of {ability.name}: {output.strip()}")
    return checks


def _try(engine: Engine, image: str, wanted: tuple[Ability, ...] = ABILITIES) -> str:
    name = f"labctl-doctor-{secrets.token_hex(4)}"
    # Labelled like a lab, so that `labctl clean` finds it should this process die; and
    # locked like one that is coming up, so that nobody removes it before.
    lock = locks.held(live.name_lock(engine, name), name, _LOCK_PATIENCE, once=True)

    def made() -> str:
        container = engine.sdk.containers.create(
            image,
            ["sh", "-c", script(wanted)],
            name=name,
            labels={labels.NAME: name, labels.OWNER: labels.owner(), labels.FRESH: "1"},
            network_mode="none",
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN"],
            user="0",
        )
        return str(container.id)

    with lock, refused("trying out the kernel"), passing(engine, made) as key:
        api = engine.sdk.api
        api.start(key)
        api.wait(key, timeout=int(_SECONDS))
        return str(api.logs(key).decode("utf-8", "replace"))


LOOKS = (Look(tuple(a.name for a in ABILITIES), abilities, seconds=_SECONDS + 10.0),)
