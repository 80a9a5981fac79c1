"""`exec`, `shell`, `logs` and `cp`: what is done with the hosts of a lab that is up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from typer.core import TyperCommand

from labctl.cli.common import JsonOption, NameOption, told_console
from labctl.cli.complete import complete_host
from labctl.engine import attached, copying, landing, live, logs
from labctl.engine.client import Engine, connect
from labctl.errors import UsageError
from labctl.show import loglines

HostArgument = Annotated[
    str, typer.Argument(metavar="HOST", help="A host, or NAME/HOST.", autocompletion=complete_host)
]
UserOption = Annotated[
    str | None, typer.Option("--user", "-u", help="Run as this user, not the host's own.")
]


class HostCommand(TyperCommand):
    """A command `HOST [OPTIONS] CMD...` where all that follows CMD belongs to CMD."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse with a `--` before CMD, which the user need not write."""
        valued = {o for p in self.params if not getattr(p, "is_flag", True) for o in p.opts}
        return super().parse_args(ctx, fenced(args, valued))


def fenced(args: list[str], valued: set[str]) -> list[str]:
    """Return the arguments with `--` before the second word that is no option.

    `valued` are the options that take a value.
    """
    at, words = 0, 0
    while at < len(args):
        arg = args[at]
        if arg == "--":
            return args
        if arg.startswith("-") and arg != "-":
            at += 1 + _takes_next(arg, valued)
            continue
        words += 1
        if words == 2:
            return [*args[:at], "--", *args[at:]]
        at += 1
    return args


def _takes_next(option: str, valued: set[str]) -> bool:
    if option.startswith("--"):
        return option in valued
    for at, letter in enumerate(option[1:], start=1):  # -Tu root, -uroot
        if f"-{letter}" in valued:
            return at == len(option) - 1
    return False


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("exec", cls=HostCommand)(exec_)
    app.command("shell")(shell)
    app.command("logs")(show_logs)
    app.command("cp")(cp)


def exec_(
    host: HostArgument,
    command: Annotated[list[str], typer.Argument(metavar="CMD", help="What to run.")],
    user: UserOption = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", "-e", help="Set a variable: K=V.")
    ] = None,
    cwd: Annotated[
        str | None, typer.Option("--workdir", "-w", help="Run in this folder of the host.")
    ] = None,
    no_tty: Annotated[
        bool, typer.Option("--no-tty", "-T", help="No terminal, also where there is one.")
    ] = False,
    name: NameOption = None,
) -> None:
    """Run a command on a host; the exit code is the command's own."""
    variables = _variables(env or [])
    engine = connect()
    found = live.find_host(engine, host, name)
    code = attached.interactive(
        engine,
        found,
        command,
        user=user,
        env=variables,
        cwd=cwd,
        tty=False if no_tty else None,
        left=_tell,
    )
    raise typer.Exit(code)


def _variables(told: Iterable[str]) -> dict[str, str]:
    variables = {}
    for item in told:
        key, equals, value = item.partition("=")
        if not (key and equals):
            raise UsageError(f"--env {item}: not K=V", "Write it as --env LANG=C.UTF-8.")
        variables[key] = value
    return variables


def shell(host: HostArgument, user: UserOption = None, name: NameOption = None) -> None:
    """Open a shell on a host: bash where it has one, otherwise sh."""
    engine = connect()
    found = live.find_host(engine, host, name)
    raise typer.Exit(attached.interactive(engine, found, attached.SHELL, user=user, left=_tell))


def _tell(words: str) -> None:
    told_console().print(words, markup=False)


def show_logs(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HOST", help="Without one, all hosts.", autocompletion=complete_host
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until all hosts have ended, or Ctrl-C.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option(min=0, help="Only the last N lines of each host.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only since then: 30s, 10m, 2h, or 2026-01-31T12:00:00Z.")
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Show when each line was written.")
    ] = False,
    name: NameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what hosts have logged, in the order of time."""
    part = logs.Part(tail, None if since is None else logs.moment(since))
    engine = connect()
    found = (
        [live.find_host(engine, host, name) for host in dict.fromkeys(hosts)]
        if hosts
        else list(live.find(engine, name).hosts)
    )
    console = Console(highlight=False, soft_wrap=True)
    style = loglines.Style([h.name for h in found], timestamps, console.color_system is not None)
    lines = logs.follow(engine, found, part) if follow else logs.past(engine, found, part)
    try:
        for line in lines:
            text = json.dumps(vars(line), ensure_ascii=False) if as_json else style.render(line)
            print(text, flush=follow)
    except KeyboardInterrupt:
        if not follow:  # the ordinary end of following
            raise


def cp(
    source: Annotated[str, typer.Argument(metavar="SRC", help="PATH, HOST:PATH, NAME/HOST:PATH.")],
    target: Annotated[str, typer.Argument(metavar="DST", help="PATH, HOST:PATH, NAME/HOST:PATH.")],
    name: NameOption = None,
) -> None:
    """Copy a file or folder to a host, from a host, or between two hosts.

    A relative path on a host begins in its working folder. What is copied to a host belongs
    to the user that the host runs as. SRC/. stands for what is in the folder SRC.
    """
    if landing.split(source)[0] is None and landing.split(target)[0] is None:
        raise UsageError(
            f"neither {source} nor {target} is on a host", "Write one of them as HOST:PATH."
        )
    engine = connect()
    ends = [_place(engine, text, name) for text in (source, target)]
    console = Console(stderr=True, highlight=False)
    with _bar(console, source) as progress:
        copied = copying.copy(engine, ends[0], ends[1], progress.started, progress.moved)
    console.print(f"{copied.files} files, {copied.bytes} bytes copied to {target}", markup=False)
    for skipped in copied.skipped:
        console.print(f"left out: {skipped} (a device, a socket, or a link out)", markup=False)


def _place(engine: Engine, text: str, name: str | None) -> landing.Place:
    host, path = landing.split(text)
    return landing.Place(None if host is None else live.find_host(engine, host, name), path)


class _Bar:
    """A bar for one copy, on a terminal."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._what = what

    def started(self, size: int | None) -> None:
        self._task = self._progress.add_task(self._what, total=size)

    def moved(self, count: int) -> None:
        self._progress.advance(self._task, count)


@contextmanager
def _bar(console: Console, what: str) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield _Bar(progress, what)
