"""Removes all that labctl ever made and no live lab owns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from labctl.engine import live, locks
from labctl.engine.client import Engine
from labctl.engine.down import Removed, down, down_left_over
from labctl.engine.evidence import remove_unowned
from labctl.engine.images.store import remove, stored, superseded
from labctl.engine.tracing import clean_kernel
from labctl.errors import LabctlError

_PATIENCE = 90.0
"""Seconds to wait for labs that are coming up: whoever brings them up may have died, and
then what it started still ends by itself."""


@dataclass
class Cleaned:
    """What was removed: per lab how much, traces in the kernel, volumes of killed observers, the
    images' tags; and labs that were left alone."""

    labs: dict[str, Removed] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)


def _if_left_over(engine: Engine, lab: live.LiveLab) -> Removed | None:
    return down_left_over(engine, lab.name) if lab.state is live.State.LEFT_OVER else None


def clean(engine: Engine, everything: bool, images: bool, note: Callable[[str], None]) -> Cleaned:
    """Take down labs that are left over, and remove images that newer ones replaced.

    What killed tracers have left in the kernel, and observers on the engine, is removed too.
    With `everything`, also labs that are up; with `images`, every image that labctl made. A lab
    that is coming up is waited for: it ends up ready, or left over. Those that begin to come up
    meanwhile are not: others may bring labs up without end.
    Raises EngineError, after all else is done, when the engine does not let go of a lab.
    """
    cleaned = Cleaned()
    deadline = time.monotonic() + _PATIENCE
    refusals: dict[str, LabctlError] = {}
    nap = 0.05
    found = live.labs(engine)
    awaited = {lab.name for lab in found if lab.state is live.State.COMING}
    while True:
        for lab in found:
            if lab.name in refusals or lab.state is live.State.COMING:
                continue
            try:
                removed = down(engine, lab.name) if everything else _if_left_over(engine, lab)
            except LabctlError as error:  # the others are cleaned all the same
                refusals[lab.name] = error
                continue
            if removed is not None:
                cleaned.labs[lab.name] = removed
                note(f"removed what was left of lab {lab.name}")
        coming = [
            lab.name for lab in found if lab.state is live.State.COMING and lab.name in awaited
        ]
        if not coming:
            break
        if time.monotonic() > deadline:
            cleaned.left_alone = coming
            note(f"left alone, as a labctl is at work on them: {', '.join(coming)}")
            break
        time.sleep(nap)
        nap = min(nap * 1.5, 1.0)
        found = live.labs(engine)
    cleaned.traces = clean_kernel(engine)
    for trace in cleaned.traces:
        note(f"removed {trace} from the kernel, which a killed tracer had left")
    try:
        cleaned.observed = remove_unowned(engine)
    except LabctlError as error:
        refusals.setdefault("", error)
    for volume in cleaned.observed:
        note(f"removed volume {volume}, which a killed labctl had left")
    gone = remove(engine, stored(engine) if images else superseded(engine))
    locks.discard_all()
    cleaned.images = [", ".join(image.tags) or image.id for image in gone]
    for image in cleaned.images:
        note(f"removed image {image}")
    if refusals:
        raise next(iter(refusals.values()))
    return cleaned
