"""Which scenario of a lab is meant."""

from __future__ import annotations

from pathlib import Path

from labctl.engine.live import LiveLab, State
from labctl.errors import MachineError, UsageError
from labctl.lab.discover import find, known
from labctl.lab.lab import Lab
from labctl.lab.load import load
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


def chosen(lab: str | None, scenario: str | None, here: Path) -> tuple[Lab, str]:
    """Return the lab to bring up and the scenario to play on it, by what was typed in `here`.

    A `scenario` that names no scenario of ./compose.yaml but a lab stands for that lab's first.
    Raises UsageError where nothing of that name is known.
    """
    if lab is None and scenario is not None and _first_word_is_lab(scenario, here):
        model = load(find(scenario, here))
        scenario = next(iter(model.x.scenarios), None)
    else:
        model = load(find(lab, here))
    return model, scenario_of(model, scenario)[0]


def _first_word_is_lab(word: str, here: Path) -> bool:
    """Tell whether a word names a lab; a scenario of ./compose.yaml comes first."""
    try:
        own = load(find(None, here)).x.scenarios
    except UsageError:
        own = {}
    return word not in own and word in known(here)


def lab_of(up: LiveLab) -> Lab:
    """Return the lab that is up, so that its scenarios can be played on it.

    Raises MachineError where not all of its hosts are ready, UsageError where its file is gone.
    """
    if up.state is not State.READY:
        raise MachineError(
            f"lab {up.name} is not ready: it is {up.state.value}", "`labctl ps` tells more."
        )
    if not up.file.is_file():
        raise UsageError(
            f"the file of lab {up.name} is gone: {up.file}",
            f"Its scenarios were in it. `labctl down {up.name}` still works.",
        )
    return load(up.file)
