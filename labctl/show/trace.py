"""What was seen of a play, for a terminal: the figure, the verdict, what is to be said of it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from labctl.play.judged import Judged
from labctl.sequence.diagnose.diagnosis import Diagnosis
from labctl.sequence.events import Notice
from labctl.sequence.pattern import Verdict
from labctl.show.figure import text
from labctl.show.figure.canvas import as_ascii
from labctl.show.figure.layout import layout
from labctl.show.figure.model import Options
from labctl.show.figure.units import plain
from labctl.show.preferred import preferring

NARROWEST, WIDEST = 80, 200
"""A figure for a terminal is no narrower and no wider than so many columns."""

_STYLES = {"info": "cyan", "warning": "yellow", "error": "bold red"}


def show(judged: Judged, options: Options, console: Console, figure: bool) -> None:
    """Print notices, the figure where it is wanted, the verdict, and the diagnoses."""
    ascii_only = not console.encoding.lower().startswith("utf")
    for line in _notices(judged.timeline.recording.notices):
        _print(console, line, ascii_only)
    if figure:
        _figure(judged, options, console, ascii_only)
    if judged.verdict is not None:
        _print(console, _verdict(judged.verdict, judged.whole), ascii_only)
    for diagnosis in judged.diagnoses:
        _print(console, _diagnosis(diagnosis), ascii_only)


def _figure(judged: Judged, options: Options, console: Console, ascii_only: bool) -> None:
    width = min(max(console.width, NARROWEST), WIDEST)
    shown = layout(judged.timeline, preferring(judged, options))
    drawn = text.coloured(shown, width=width, ascii_only=ascii_only)
    needed = text.width_of(shown, width)
    # A line that the terminal folds would tear the figure apart; a file can be as wide as it is.
    crop = console.is_terminal and needed > console.width
    console.print(drawn, soft_wrap=not crop, crop=crop, no_wrap=True, overflow="ignore", end="")
    if crop:
        hint = f"The figure is {needed} columns wide: -o trace.html shows all of it, --host less."
        _print(console, Text(hint, style="yellow"), ascii_only)
    console.print()


def _notices(notices: Iterable[Notice]) -> Iterable[Text]:
    for notice in notices:
        yield Text(f"note: {plain(str(notice))}", style="yellow")


def _verdict(verdict: Verdict, whole: str) -> Text:
    """Return the verdict with the wanted and the real sequence, the first difference in red.

    Where something was not judged, `whole` is the command that would judge it.
    """
    head, *rest = str(verdict).splitlines()
    made = Text(_line(head), style="bold green" if verdict else "bold red")
    for line in rest:
        made.append(
            f"\n{_line(line)}", style="red" if line.startswith("  > ") else "not bold default"
        )
        if line == verdict.unjudged and whole:
            way_out = f" (`{plain(whole)}` plays on a fresh copy, and judges all)"
            made.append(way_out, style="not bold default")
    return made.append("\n") if verdict.failures else made


def _diagnosis(diagnosis: Diagnosis) -> Text:
    made = Text(f"{diagnosis.level}: ", style=_STYLES[diagnosis.level])
    made.append(f"{plain(diagnosis.sentence)} ", style="default")
    return made.append(f"{plain(diagnosis.advice)} [{diagnosis.rule}]", style="dim")


def _line(line: str) -> str:
    return plain(line.rstrip())


def _print(console: Console, line: Text, ascii_only: bool) -> None:
    if ascii_only:
        line.plain = "\n".join(as_ascii(part) for part in line.plain.split("\n"))
    console.print(line, soft_wrap=True, highlight=False)
