"""Checks of the machine, each paired with its fix."""

from labctl.engine.doctor.examine import examine
from labctl.engine.doctor.mend import mend
from labctl.engine.doctor.model import Check, Fix, State

__all__ = ["Check", "Fix", "State", "examine", "mend"]
