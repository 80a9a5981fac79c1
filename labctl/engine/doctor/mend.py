"""Applies the fixes that are safe."""

from __future__ import annotations

from collections.abc import Iterable

from labctl.engine.doctor.model import Check, Note, State
from labctl.errors import LabctlError


def mend(checks: Iterable[Check], note: Note) -> int:
    """Apply the safe fix of each check that is not ok; return how many were applied.

    `note` is told each and how it goes. A fix that fails is told too, and the others follow.
    """
    applied = 0
    done = set()
    for check in checks:
        fix = check.fix
        if check.state is State.OK or fix is None or fix.apply is None or fix.what in done:
            continue
        done.add(fix.what)
        note(f"{check.name}: {fix.what}")
        try:
            fix.apply(note)
        except LabctlError as error:
            note(f"that did not work: {error.message}")
        else:
            applied += 1
    return applied
