"""Which scenario of a lab is meant."""

from __future__ import annotations

from pathlib import Path

from labctl.engine.live import LiveLab, State
from labctl.errors import MachineError, UsageError
from labctl.lab.discover import file_in, find, known
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.lab.model import Scenario
from labctl.lab.near import did_you_mean, nearest


def scenario_of(lab: Lab, name: str | None, first: bool = False) -> tuple[str, Scenario]:
    """Return the scenario of that name, or without a name the only one, with its name.

    With `first`, of several it is the first. Raises UsageError when there is none such, or
    several and no name.
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
    if len(known) > 1 and not first:
        raise UsageError(
            f"lab {lab.name} has several scenarios: {', '.join(known)}", "Name the one to play."
        )
    return next(iter(known.items()))


def chosen(
    lab: str | None, scenario: str | None, here: Path, first: bool = False
) -> tuple[Lab, str]:
    """Return the lab to bring up and the scenario to play on it, by what was typed in `here`.

    Where only a `scenario` was, it is one of ./compose.yaml, or else a lab, and stands for that
    lab's first. `first` is as in `scenario_of`. Raises UsageError where nothing of that name is
    known.
    """
    if lab is None and scenario is not None:
        return _meant(scenario, here)
    model = load(find(lab, here))
    return model, scenario_of(model, scenario, first)[0]


def _meant(word: str, here: Path) -> tuple[Lab, str]:
    """Return what one word stands for: a scenario of ./compose.yaml comes first."""
    named = _file_named(word, here)
    own = _lab_in(here, required=named is None)
    if own is not None and word in own.x.scenarios:
        return own, word
    if named is None:
        raise _neither(word, own, here)
    model = load(named)
    return model, scenario_of(model, None, first=True)[0]


def _file_named(word: str, here: Path) -> Path | None:
    """Return the lab file that a word names, if it does. A path must lead to one."""
    try:
        return find(word, here)
    except UsageError:
        if "/" in word:
            raise
        return None


def _lab_in(folder: Path, required: bool) -> Lab | None:
    """Return the lab of a folder, if it has one; a wrong one is an error where `required`."""
    file = file_in(folder)
    try:
        return None if file is None else load(file)
    except UsageError:
        if required:
            raise
        return None


def _neither(word: str, own: Lab | None, here: Path) -> UsageError:
    labs = known(here)
    scenarios = own.x.scenarios if own is not None else {}
    if own is None:
        message = f"there is no lab `{word}`, and no compose.yaml here whose scenario it could be"
    else:
        message = f"lab {own.name} has no scenario `{word}`, and there is no lab of that name"
    if not scenarios or nearest(word, [*scenarios, *labs]) is not None:
        return UsageError(message, did_you_mean(word, [*scenarios, *labs], "labs"))
    told = did_you_mean(word, scenarios, "scenarios"), did_you_mean(word, labs, "labs")
    return UsageError(message, "; ".join(told))


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
