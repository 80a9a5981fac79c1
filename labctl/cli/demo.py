"""`demo`: the default lab brought up, put to work on a file, and taken down."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, output, print_json
from labctl.engine.client import Engine, connect
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter
from labctl.errors import CheckFailed
from labctl.lab.load import load
from labctl.lab.places import data_root
from labctl.play.demo import Demo, Told, default_file, require_file
from labctl.play.fresh import fresh
from labctl.show import demo as showing
from labctl.show.progress import HostProgress


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(demo)


def demo(
    file: Annotated[
        Path | None, typer.Option(help="The file to send; without it, one of some megabytes.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the default lab up, fetch a file from a server and from a peer, take it down."""
    sent = file if file is not None else default_file()
    require_file(sent)
    lab = load(data_root() / "compose.yaml")
    engine = connect()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    progress = HostProgress(console, "the default lab")
    reporter = Reporter(progress.host, progress.note, progress.hosts)
    with ExitStack() as stack:
        with progress:
            live = stack.enter_context(fresh(engine, lab, reporter, keep=keep))
        console.print(
            f"lab {live.name} is up: {len(live.hosts)} hosts on {len(live.networks)} networks, "
            f"joined by the router r1, in {progress.seconds:.1f} s"
        )
        told = _play(engine, live, sent, console)
    if as_json:
        print_json(showing.as_json(told))
    else:
        _show(told, live.name if keep else None)
    if not told.whole:
        raise CheckFailed("the copies of the file differ", "The table shows which.")


def _play(engine: Engine, live: LiveLab, file: Path, console: Console) -> Told:
    play = Demo(engine, live, file)
    console.print(f"putting {file} on the server and on peers a and b")
    play.give_out()
    console.print("the client fetches it from the server")
    exchanges = list(play.from_server())
    console.print("peer x asks the directory who has it, and fetches it from a holder")
    play.wait_until_shared()
    exchanges += play.from_peer()
    return play.told(exchanges)


def _show(told: Told, kept: str | None) -> None:
    console = output()
    console.print(f"\n{told.file}, {told.bytes:,} bytes. Who sent what to whom:\n")
    console.print(showing.exchanges(told))
    holders = ", ".join(f"{nick} {ip}" for nick, ip in told.holders.items())
    console.print(f"\nThe directory named {holders}; x picked {told.chosen}.")
    console.print("\nThe copies, as each host's own sha256sum tells:\n")
    console.print(showing.proofs(told))
    verdict = "All are the same, bit for bit." if told.whole else "THEY DIFFER."
    console.print(f"\n{verdict}\n")
    if kept:
        console.print(f"The lab is still up: labctl ps; labctl down {kept}")
    console.print(
        "To look further:\n"
        "  labctl up default               the same lab, to stay\n"
        "  labctl exec server -- ss -tan   what runs inside a host\n"
        "  labctl run demo                 the same steps as a scenario\n"
        "  labctl list                     the other labs"
    )
