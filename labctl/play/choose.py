"""Which scenario of a lab is meant."""

from __future__ import annotations

from labctl.errors import UsageError
from labctl.lab.lab import Lab
from labctl.lab.model import Scenario
from labctl.lab.near import did_you_mean


def scenario_of(lab: Lab, name: str | None) -> tuple[str, Scenario]:
    """Return the scenario of that name, or without a name the only one, with its name.

    Raises UsageError when there is none such, or several and no name.
    """
    known = lab.x.scenarios
    if name is not None and name in known:
        return name, known[name]
    if name is not None:
        raise UsageError(
            f"lab {lab.name} has no scenario `{name}`", did_you_mean(name, known, "scenarios")
        )
    if not known:
        raise UsageError(
            f"lab {lab.name} has no scenario",
            f"Write one in x-lab of {lab.path}; see `labctl show`.",
        )
    if len(known) > 1:
        raise UsageError(
            f"lab {lab.name} has several scenarios: {', '.join(known)}", "Name the one to play."
        )
    return next(iter(known.items()))
