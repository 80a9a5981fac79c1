"""`run` and `verify`: what a lab does, and whether it is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, NameOption, output, print_json
from labctl.cli.complete import complete_scenario
from labctl.engine import live
from labctl.engine.client import Engine, connect
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import MachineError, UsageError
from labctl.lab.discover import find, known
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.play import verify as verifying
from labctl.play.choose import scenario_of
from labctl.play.fresh import fresh
from labctl.play.player import Reporter, play
from labctl.play.results import ScenarioResult, StepResult
from labctl.show import scenario as showing
from labctl.show import verify as showing_verify
from labctl.show.progress import HostProgress


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("run")(run)
    app.command("verify")(verify)


def run(
    scenario: Annotated[
        str | None,
        typer.Argument(
            help="A scenario, or a lab, of which it is the first; without it the only one.",
            autocompletion=complete_scenario,
            show_default=False,
        ),
    ] = None,
    name: NameOption = None,
    lab: Annotated[
        str | None,
        typer.Option("--lab", help="Play it on a fresh copy of this lab, which is taken down."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play a scenario on a lab that is up; where none is, on a copy brought up for it."""
    if lab is not None and name is not None:
        raise UsageError(
            "--lab and --name exclude each other",
            "--name is a lab that is up, --lab one to bring up.",
        )
    engine = connect()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if lab is None and (name is not None or _any_up(engine)):
        result = _on_live(engine, live.find(engine, name), scenario, console)
    else:
        model, wanted = _chosen(lab, scenario)
        result = _on_fresh(engine, model, wanted, console)
    if as_json:
        print_json(showing.as_json(result))
    else:
        output().print(showing.table(result))
    failures = showing.failures(result)
    if failures:
        console.print(f"\n{failures}", markup=False)
    if not result.passed:
        raise typer.Exit(1)


def _any_up(engine: Engine) -> bool:
    return any(lab.state is not live.State.LEFT_OVER for lab in live.labs(engine))


def _on_live(
    engine: Engine, lab: live.LiveLab, scenario: str | None, console: Console
) -> ScenarioResult:
    if lab.state is not live.State.READY:
        raise MachineError(
            f"lab {lab.name} is not ready: it is {lab.state.value}", "`labctl ps` tells more."
        )
    if not lab.file.is_file():
        raise UsageError(
            f"the file of lab {lab.name} is gone: {lab.file}",
            f"Its scenarios were in it. `labctl down {lab.name}` still works.",
        )
    wanted, steps = scenario_of(load(lab.file), scenario)
    return play(engine, lab, wanted, steps, _lines(console))


def _chosen(lab: str | None, scenario: str | None) -> tuple[Lab, str]:
    """Return the lab to bring up and the scenario to play on it, by what was typed."""
    here = Path.cwd()
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


def _on_fresh(engine: Engine, model: Lab, scenario: str, console: Console) -> ScenarioResult:
    with _copy(engine, model, console) as lab:
        return play(engine, lab, scenario, model.x.scenarios[scenario], _lines(console))


@contextmanager
def _copy(engine: Engine, model: Lab, console: Console) -> Iterator[live.LiveLab]:
    progress = HostProgress(console, f"lab {model.name}")
    told = UpReporter(progress.host, progress.note, progress.hosts)
    with ExitStack() as stack:
        with progress:
            lab = stack.enter_context(fresh(engine, model, told))
        console.print(f"lab {lab.name} is up, for this scenario only")
        try:
            yield lab
        finally:
            console.print(f"taking lab {lab.name} down")


def _lines(console: Console) -> Reporter:
    def say(line: str) -> None:
        console.print(line, markup=False)

    def ended(step: StepResult) -> None:
        say(showing.line(step))

    return Reporter(
        waits=lambda name, host, words: say(f"{name}: waits until {words}"),
        starts=lambda name, host, command: say(f"{name}: on {host}: {showing.one_line(command)}"),
        ended=ended,
    )


def verify(
    labs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, folders or files; without one ./compose.yaml.", show_default=False
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every known lab that has tests.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("-k", help="Only tests whose names match this, as pytest has it.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the labs up, to look at them.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring each lab up under a fresh name, run its test_<lab>.py on it, take it down."""
    here = Path.cwd()
    if everything:
        wanted = verifying.with_tests(known(here).values())
    else:
        files = [find(lab, here) for lab in labs] if labs else [find(None, here)]
        wanted = [verifying.lab_tests(file) for file in dict.fromkeys(files)]
    connect()
    outcomes = verifying.verify(wanted, verifying.How(junit, only, keep, quiet=as_json))
    if as_json:
        print_json([showing_verify.as_json(outcome) for outcome in outcomes])
    else:
        output().print(showing_verify.table(outcomes))
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)
