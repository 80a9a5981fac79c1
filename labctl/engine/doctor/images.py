"""The images that labs run on, and the road to the one they are made from."""

from __future__ import annotations

from labctl.engine.client import connect
from labctl.engine.doctor.model import Check, Fix, Look, Machine, Note, State
from labctl.engine.images import Image, base_roads, ensure, images, stored
from labctl.engine.images.inputs import NAMES
from labctl.engine.images.roads import REGISTRY_PATIENCE, present
from labctl.lab.places import data_root

_BASE = "base image"
_OWN = "images"


def base_road(machine: Machine) -> list[Check]:
    """Tell the road to the base image and, where there is none, why each is closed."""
    base = images(data_root())["base"]
    here = present(machine.reached, base)
    if here.usable:
        return [Check(_BASE, State.OK, here.reason)]
    roads = base_roads(machine.reached, base)
    told = "; ".join(f"{r.name}: {r.reason}" for r in roads if r.name != here.name)
    usable = [road for road in roads if road.usable]
    if usable:
        means = f"it will be made by the road `{usable[0].name}`"
        return [Check(_BASE, State.OK, told, means)]
    ways = [f"{r.name}: {r.fix}" for r in roads if r.fix and r.name != here.name]
    fix = Fix("Open one of the roads. " + "; ".join(ways))
    return [Check(_BASE, State.FAILED, told, "the images cannot be built", fix)]


def own(machine: Machine) -> list[Check]:
    """Tell whether the images of this version of labctl are built."""
    wanted = images(data_root())
    there = {tag for image in stored(machine.reached) for tag in image.tags}
    missing = [name for name in NAMES if wanted[name].tag not in there]
    if not missing:
        return [Check(_OWN, State.OK, f"up to date: {_list(wanted, NAMES)}")]
    return [
        Check(
            _OWN,
            State.WARNING,
            f"to be built: {_list(wanted, missing)}",
            "the first `labctl up` builds what it needs, and so takes longer",
            Fix("Build the images", "labctl images build", _build),
        )
    ]


def _list(wanted: dict[str, Image], names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(wanted[name].tag for name in names)


def _build(note: Note) -> None:
    ensure(connect(), NAMES, note)


LOOKS = (
    Look((_BASE,), base_road, seconds=REGISTRY_PATIENCE + 20.0),
    Look((_OWN,), own),
)
