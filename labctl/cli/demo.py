"""`demo`: the default lab brought up, put to work on a file, and taken down."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import pictures
from labctl.cli.common import JsonOption, output, print_json, told_console
from labctl.engine.client import connect
from labctl.engine.up import Reporter
from labctl.errors import CheckFailed
from labctl.lab.load import load
from labctl.lab.places import data_root
from labctl.observe.wishes import MEBIBYTE, Wishes
from labctl.play.demo import OBSERVED, Demo, Told, default_file, require_file
from labctl.play.fresh import fresh
from labctl.play.judged import Judged
from labctl.play.observed import observer_of
from labctl.show import demo as showing
from labctl.show import trace as showing_trace
from labctl.show.figure.model import Options
from labctl.show.progress import HostProgress

FIGURE = Path("labctl-demo.html")
_MOST_BYTES = 32 * MEBIBYTE
"""What is kept of calls and packets of one host: those of some hundred thousand packets."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(demo)


def demo(
    file: Annotated[
        Path | None, typer.Option(help="The file to send; without it, one of some megabytes.")
    ] = None,
    figure: Annotated[
        Path, typer.Option(help="Where to draw the download as a page to look around in.")
    ] = FIGURE,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the default lab up, fetch a file from a server and from a peer, take it down.

    Ends with what client and server did: every system call, every packet, as one picture.
    """
    sent = file if file is not None else default_file()
    require_file(sent)
    pictures.require_forms([figure])
    lab = load(data_root() / "compose.yaml")
    engine = connect()
    console = told_console()
    progress = HostProgress(console, "the default lab")
    reporter = Reporter(progress.host, progress.note, progress.hosts)
    wishes = Wishes(max_bytes=_MOST_BYTES, hosts=OBSERVED)
    with ExitStack() as stack:
        with progress:
            observer = stack.enter_context(observer_of(engine, wishes, progress.note))
            live = stack.enter_context(fresh(engine, lab, reporter, keep=keep, attendant=observer))
            stack.callback(observer.end)
        console.print(
            f"lab {live.name} is up: {len(live.hosts)} hosts on {len(live.networks)} networks, "
            f"joined by the router r1, in {progress.seconds:.1f} s"
        )
        told, seen = _play(Demo(engine, live, sent, observer), sent, console)
    end(told, seen, figure, as_json, live.name if keep else None)


def end(told: Told, seen: Judged, figure: Path, as_json: bool, kept: str | None) -> None:
    """Show what happened, and draw it to a file; `kept` names the lab where it is still up.

    Raises CheckFailed where a copy differs, or else MachineError where the file could not be
    written: after all is shown.
    """
    unwritten = pictures.write_all(seen, Options(), [figure], lambda line: None)
    drawn = None if unwritten else figure
    if as_json:
        print_json({**showing.as_json(told), "figure": str(drawn) if drawn else None})
    else:
        _show(told)
        showing_trace.show(seen, Options(), output(), figure=True)
        _show_further(drawn, kept)
    if not told.whole:
        raise CheckFailed("the copies of the file differ", "The table shows which.")
    if unwritten:
        raise unwritten


def _play(play: Demo, file: Path, console: Console) -> tuple[Told, Judged]:
    console.print(f"putting {file} on the server and on peers a and b")
    play.give_out()
    console.print("the client fetches it from the server, both of them observed")
    exchanges = list(play.from_server())
    seen = play.seen()
    console.print("peer x asks the directory who has it, and fetches it from a holder")
    play.wait_until_shared()
    exchanges += play.from_peer()
    return play.told(exchanges), seen


def _show(told: Told) -> None:
    console = output()
    console.print(f"\n{told.file}, {told.bytes:,} bytes. Who sent what to whom:\n")
    console.print(showing.exchanges(told))
    holders = ", ".join(f"{nick} {ip}" for nick, ip in told.holders.items())
    console.print(f"\nThe directory named {holders}; x picked {told.chosen}.")
    console.print("\nThe copies, as each host's own sha256sum tells:\n")
    console.print(showing.proofs(told))
    verdict = "All are the same, bit for bit." if told.whole else "THEY DIFFER."
    console.print(f"\n{verdict}\n\nWhat client and server did, as it was seen on both hosts:\n")


def _show_further(figure: Path | None, kept: str | None) -> None:
    console = output()
    if figure:
        page = figure.resolve()
        console.print(f"\nThe same as a page to look around in: {page}\n", soft_wrap=True)
    if kept:
        console.print(f"The lab is still up: labctl ps; labctl down {kept}")
    console.print(
        "To look further:\n"
        "  labctl up default               the same lab, to stay\n"
        "  labctl exec server -- ss -tan   what runs inside a host\n"
        "  labctl sockets server           its descriptors, and the sockets behind them\n"
        "  labctl trace tcp -o tcp.html    another lab, played and drawn\n"
        "  labctl list                     all labs"
    )
