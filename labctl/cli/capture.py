"""`capture`: just the packets of a host or a network, on a lab that is up."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from labctl.cli.common import JsonOption, NameOption, told_console
from labctl.cli.complete import complete_host
from labctl.cli.files import require_writable, write_whole
from labctl.engine import live
from labctl.engine.client import connect
from labctl.engine.up import Reporter
from labctl.errors import UsageError
from labctl.observe.tracers import NONE
from labctl.observe.wishes import SMALLEST_SNAPLEN, Wishes
from labctl.play import capturing
from labctl.play.capturing import End, Summary
from labctl.play.words import plural

_LARGEST_SNAPLEN = 262144
"""What tcpdump(8) takes when it is to keep whole packets, in bytes."""

Write = Callable[[Iterator[bytes]], object]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("capture")(capture)


def capture(
    where: Annotated[
        str,
        typer.Argument(
            metavar="HOST|NETWORK",
            help="A host: all its packets; a network: those on it, as all its hosts see them. "
            "NAME/HOST and NAME/NETWORK where several labs are up.",
            autocompletion=complete_host,
        ),
    ],
    file: Annotated[
        str,
        typer.Option("--write", "-w", metavar="FILE", help="The pcapng file; - is the output."),
    ],
    name: NameOption = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds after which it ends.", show_default=False),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-c", min=1, help="End with this many packets.", show_default=False
        ),
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(min=65536, help="End when one host's packets come to this many bytes.")
    ] = Wishes.max_bytes,
    snaplen: Annotated[
        int,
        typer.Option(min=SMALLEST_SNAPLEN, max=_LARGEST_SNAPLEN, help="Bytes kept of each packet."),
    ] = _LARGEST_SNAPLEN,
    as_json: JsonOption = False,
) -> None:
    """Capture the packets of a host or a network, until Ctrl-C.

    Wireshark opens the file; a comment on each packet names the host that saw it. What was
    captured is summed up at the end.
    """
    write = _writer(file)
    told, slash, wanted = where.rpartition("/")
    if slash and name not in (None, told):
        raise UsageError(f"--name {name} and {where} name two labs", "Give one of them only.")
    engine = connect()
    place = capturing.place(live.find(engine, told if slash else name), wanted)
    wishes = Wishes(NONE, snaplen, max_bytes, hosts=place.hosts)
    console = told_console()

    def note(line: str) -> None:
        console.print(line, markup=False)

    def ready() -> None:
        until = "" if timeout or count else ", until Ctrl-C"
        note(f"capturing on {', '.join(place.hosts)}{until}")

    summary = capturing.capture(
        engine, place, wishes, End(timeout, count), write, Reporter(note=note), ready
    )
    tell(summary, file, as_json, note)


def tell(summary: Summary, file: str, as_json: bool, note: Callable[[str], None]) -> None:
    """Tell what was captured, and by `note` what is missing."""
    if as_json:
        output = sys.stderr if file == "-" else sys.stdout
        print(json.dumps({"file": file, **asdict(summary)}, indent=2), file=output)
        return
    for line in summary.notices:
        note(line)
    hosts = ", ".join(f"{host} {number:,}" for host, number in summary.hosts.items())
    note(f"{plural(summary.packets, 'packet')}, {plural(summary.bytes, 'byte')} ({hosts})")


def _writer(file: str) -> Write:
    """Return what writes to the file. Raises UsageError where it cannot be written."""
    if file == "-":
        if sys.stdout.isatty():
            raise UsageError(
                "packets are not for a terminal", "Name a file, or pipe: `-w - | wireshark -k -i -`"
            )
        return _write_out
    path = Path(file)
    require_writable(path)
    return lambda blocks: write_whole(path, blocks)


def _write_out(blocks: Iterator[bytes]) -> None:
    for block in blocks:
        sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
