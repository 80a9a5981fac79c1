"""What labs that never came up have left behind."""

from __future__ import annotations

from labctl.engine import live
from labctl.engine.client import Engine, connect
from labctl.engine.doctor.model import Check, Fix, Look, Machine, Note, State
from labctl.engine.down import down_left_over

_NAME = "left-overs"


def remains(machine: Machine) -> list[Check]:
    """Name the labs whose `up` never ended and that nobody works on."""
    names = _left_over(machine.reached)
    if not names:
        return [Check(_NAME, State.OK, "none")]
    return [
        Check(
            _NAME,
            State.WARNING,
            f"of labs whose `up` never ended: {', '.join(names)}",
            "they take up memory, names and addresses",
            Fix("Remove what is left of them", "labctl clean", _clean),
        )
    ]


def _left_over(engine: Engine) -> list[str]:
    return [lab.name for lab in live.labs(engine) if lab.state is live.State.LEFT_OVER]


def _clean(note: Note) -> None:
    engine = connect()
    for name in _left_over(engine):  # looked for again: one may have gone, or come, meanwhile
        if down_left_over(engine, name) is not None:
            note(f"removed what was left of lab {name}")


LOOKS = (Look((_NAME,), remains),)
