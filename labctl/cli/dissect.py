"""`dissect`: messages of SNMP, captured from the wire, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import dissected_files
from labctl.cli.common import (
    JsonOption,
    NameOption,
    WithCommand,
    command_of,
    print_json,
    told_console,
)
from labctl.cli.files import show_and_write
from labctl.cli.playing import ScenarioOption, StepTimeoutOption, reporter
from labctl.engine.client import connect
from labctl.errors import CheckFailed, UsageError
from labctl.observe.dissect import Message
from labctl.observe.tracers import NONE
from labctl.observe.wishes import Wishes
from labctl.play import dissecting, tracing
from labctl.play.dissecting import Dissected
from labctl.play.judged import Judged
from labctl.show.dissect import asjson, text, words

_FILES = (".pcapng", ".pcap", ".cap")
_SNAPLEN = 65535 + 64
"""The largest IP packet, with its link layer."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("dissect", cls=WithCommand, options_metavar="[OPTIONS] [-- COMMAND...]")(dissect)


def dissect(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|LAB|SCENARIO|HOST]",
            help="A .pcapng or .pcap file; or what is played, as in `labctl trace`: a lab or a "
            "scenario, or before `-- COMMAND` the host that runs it.",
            show_default=False,
        ),
    ] = None,
    scenario: ScenarioOption = None,
    name: NameOption = None,
    port: Annotated[
        int, typer.Option("--port", "-p", min=1, max=65535, help="The agent's UDP port.")
    ] = 161,
    numbers: Annotated[
        list[int] | None,
        typer.Option(
            "--message",
            "-m",
            help="Draw the message of this number. Can be given again; without it the first "
            "request and its response, and what is wrong.",
            show_default=False,
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, by its suffix: .svg, .html, .txt, .json, or, of what is "
            "played, .pcapng. Can be given again.",
        ),
    ] = None,
    timeout: StepTimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take SNMP messages apart, field by field: tag, length, value, and what it means.

    They come from a file of packets, or from the wire while a scenario or a command is played.
    Ends with 1 where one cannot be read or is not as the standards have it, or a step failed.
    """
    command = command_of(context)
    from_file = what is not None and command is None and Path(what).suffix in _FILES
    dissected_files.require(files or [], played=not from_file)
    console = told_console()
    judged: Judged | None = None
    if what is not None and from_file:
        if scenario is not None or timeout is not None:
            raise UsageError(f"nothing is played from {what}", "Leave out what is to be played.")
        found = dissecting.of_file(Path(what), port)
    else:
        judged = _play(tracing.Asked(what, scenario, name, command, timeout), console)
        assert judged.observation is not None
        found = dissecting.of_observation(judged.observation, port)
    for note in found.notes:
        console.print(note, markup=False)
    title = judged.timeline.recording.title if judged else Path(str(what)).name
    _tell(found, title, port, numbers or [], files or [], as_json, judged, console)


def _play(asked: tracing.Asked, console: Console) -> Judged:
    return tracing.trace(
        connect(), asked, Wishes(NONE, _SNAPLEN), reporter(console), by_pattern=False
    )


def _tell(
    found: Dissected,
    title: str,
    port: int,
    numbers: Sequence[int],
    files: Sequence[Path],
    as_json: bool,
    judged: Judged | None,
    console: Console,
) -> None:
    """Show messages and write them to files, whatever becomes of either, and end as it went.

    What was played would be lost by an error: as much as can be is shown and written first.
    """
    messages = found.messages
    undrawn = _unknown(messages, numbers)
    if undrawn is not None and judged is None:
        raise undrawn
    chosen = words.drawn(messages) if undrawn else _chosen(messages, numbers)

    def show() -> None:
        if as_json:
            print_json({"port": port, "messages": [asjson.as_object(one) for one in messages]})
        elif messages and not files:
            _print(messages, chosen)

    unwritten = show_and_write(
        show,
        files if messages else (),
        lambda file: dissected_files.write(file, title, messages, chosen, judged),
        lambda line: console.print(line, markup=False),
    )
    if unwritten is not None and not as_json:
        _print(messages, chosen)
    wrong = unwritten or (undrawn if messages else None)
    if wrong is not None:
        raise wrong
    if judged is not None and judged.interrupted:
        raise typer.Abort
    if not messages:
        raise CheckFailed(
            f"no datagram to or from UDP port {port} was seen",
            "Does the agent have another port (--port)? `labctl capture` shows what there is.",
        )
    if not all(one.good for one in messages) or (judged is not None and not judged.passed):
        raise typer.Exit(1)


def _unknown(messages: Sequence[Message], numbers: Sequence[int]) -> UsageError | None:
    """Return what is wrong where a message is wanted that is not there."""
    for number in numbers:
        if not 1 <= number <= len(messages):
            return UsageError(
                f"there is no message {number}", f"There are {len(messages)}, counted from 1."
            )
    return None


def _chosen(messages: Sequence[Message], numbers: Sequence[int]) -> list[Message]:
    return [messages[n - 1] for n in numbers] if numbers else words.drawn(messages)


def _print(messages: Sequence[Message], chosen: Sequence[Message]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in text.table(messages):
        console.print(line)
    for message in chosen:
        console.print()
        for line in text.draw(message, messages[0]):
            console.print(line)
