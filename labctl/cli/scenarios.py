"""`run` and `verify`: what a lab does, and whether it is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import distribution, verdict
from labctl.cli.common import JsonOption, NameOption, output, print_json, told_console
from labctl.cli.complete import complete_scenario
from labctl.cli.distribution import Asked
from labctl.cli.files import require_writable
from labctl.cli.steps import lines
from labctl.engine import live
from labctl.engine.client import Engine, connect
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import UsageError
from labctl.lab.discover import find, known
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.play import verify as verifying
from labctl.play.choose import chosen, lab_of, scenario_of
from labctl.play.distribution.files import KINDS
from labctl.play.fresh import fresh
from labctl.play.junit import Outcome
from labctl.play.player import play
from labctl.play.results import ScenarioResult
from labctl.show import scenario as showing
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
    peers: Annotated[
        str | None,
        typer.Option(
            help="Of a lab that is an experiment: how many peers; 8 measures 2, 4 and 8, "
            "while 3,5 measures these.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help=f"Of an experiment: the file, or the kind of a stand-in: {', '.join(KINDS)}.",
            show_default=False,
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Of an experiment: write to this file, by its suffix: .svg, .png, .json. "
            "Can be given again.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play a scenario on a lab that is up; where none is, on a copy brought up for it.

    A lab that is an experiment (`labctl run distribution --peers 8 --file song`) is measured, on
    a copy brought up for it.
    """
    if lab is not None and name is not None:
        raise UsageError(
            "--lab and --name exclude each other",
            "--name is a lab that is up, --lab one to bring up.",
        )
    asked = Asked(peers, file, files or ())
    experiment = _experiment(scenario, lab, name, asked)
    if experiment is not None:
        distribution.run(connect, experiment, asked, as_json)
        return
    engine = connect()
    console = told_console()
    if lab is None and (name is not None or _any_up(engine)):
        result = _on_live(engine, live.find(engine, name), scenario, console)
    else:
        model, wanted = chosen(lab, scenario, Path.cwd())
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


def _experiment(word: str | None, lab: str | None, name: str | None, asked: Asked) -> Lab | None:
    """Return the lab to measure, where it is one that is meant: by its name or by an option.

    Raises UsageError where an option is given that only an experiment has, for something else.
    """
    if asked.anything and name is not None:
        raise UsageError(
            "an experiment is not measured on a lab that is up",
            "Leave --name out: it is on a copy brought up for it.",
        )
    if asked.anything:
        return load(find(lab or word, Path.cwd()))
    if name is not None or word is None or lab is not None:
        return None
    try:
        named = load(find(word, Path.cwd()))
    except UsageError:  # it is a scenario, or else whoever plays it tells what is wrong
        return None
    return named if named.x.experiment else None


def _any_up(engine: Engine) -> bool:
    return live.default_name() is not None or any(lab.usable for lab in live.labs(engine))


def _on_live(
    engine: Engine, lab: live.LiveLab, scenario: str | None, console: Console
) -> ScenarioResult:
    wanted, steps = scenario_of(lab_of(lab), scenario)
    return play(engine, lab, wanted, steps, lines(console))


def _on_fresh(engine: Engine, model: Lab, scenario: str, console: Console) -> ScenarioResult:
    with _copy(engine, model, console) as lab:
        return play(engine, lab, scenario, model.x.scenarios[scenario], lines(console))


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
    without: list[Outcome] = []
    if everything:
        wanted = verifying.with_tests(known(here).values())
    else:
        files = [find(lab, here) for lab in labs] if labs else [find(None, here)]
        wanted, without = verifying.of_each(dict.fromkeys(files))
    if junit is not None:
        _require_report(junit)
    connect()
    verified = verifying.verify(wanted, verifying.How(only, keep, quiet=as_json))
    verdict.tell(replace(verified, outcomes=[*verified.outcomes, *without]), junit, as_json)


def _require_report(file: Path) -> None:
    """Make the folder that a report is to be in. Raises UsageError where it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: there is no folder {file.parent}: {error.strerror}",
            "Name a file in a folder of yours.",
        ) from error
    require_writable(file)
