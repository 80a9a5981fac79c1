"""The lines that tell how a scenario goes."""

from __future__ import annotations

from rich.console import Console

from labctl.play.player import Reporter
from labctl.play.results import StepResult
from labctl.show import scenario as showing


def lines(console: Console) -> Reporter:
    """Return who prints a line for each step that waits, starts or ends."""

    def say(line: str) -> None:
        console.print(line, markup=False)

    def ended(step: StepResult) -> None:
        say(showing.line(step))

    return Reporter(
        waits=lambda name, host, words: say(f"{name}: waits until {words}"),
        starts=lambda name, host, command: say(f"{name}: on {host}: {showing.one_line(command)}"),
        ended=ended,
    )
