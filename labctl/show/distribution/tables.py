"""A file's distribution for reading: times against their bounds, and who sent how much to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table

from labctl.lab.link import rate_words
from labctl.play.distribution.model import Distribution, Run, Way

MOST_COLUMNS = 12
"""Hosts that a matrix on a terminal has room for."""


def title(found: Distribution) -> str:
    """Return what was distributed, over which links."""
    rates = {found.rates.server, found.rates.seed, *found.rates.peers}
    links = " and ".join(rate_words(rate) for rate in sorted(rates))
    return f"{found.file}, {found.size:,} bytes, over links that send {links}"


def times(found: Distribution) -> Table:
    """Return the table of all runs."""
    table = _table("N", "WAY", "BOUND", "LAST HOST", "MEAN HOST", "LAST/BOUND", "SOURCE SENT")
    table.add_column("PEERS SENT", justify="right")
    for run in sorted(found.runs, key=lambda run: (run.n, run.way.value)):
        peers = sum(count for host, count in run.sent.items() if host in run.seconds)
        table.add_row(
            str(run.n),
            run.way.value,
            f"{run.bound:.2f} s",
            f"{run.last:.2f} s",
            f"{run.mean:.2f} s",
            f"{run.last / run.bound:.2f}",
            f"{run.copies:.2f} x file",
            f"{peers / run.size:.2f} x file",
        )
    return table


def hosts(runs: Iterable[Run]) -> Table:
    """Return who sent and received how many bytes in these runs, of one N."""
    runs = list(runs)
    table = _table("HOST")
    for run in runs:
        table.add_column(f"{run.way.value}: SENT", justify="right")
        table.add_column("RECEIVED", justify="right")
    for host in names(runs):
        cells = [(run.sent.get(host, 0), run.received.get(host, 0)) for run in runs]
        table.add_row(host, *(f"{count:,}" for pair in cells for count in pair))
    return table


def matrix(run: Run) -> Table | None:
    """Return who sent how many bytes (in MB) to whom; None where that is too wide."""
    columns = names([run])
    if len(columns) > MOST_COLUMNS:
        return None
    table = _table("MB from \\ to", *columns)
    for sender in columns:
        counts = [run.flows.get((sender, receiver), 0) for receiver in columns]
        table.add_row(sender, *(f"{c / 1e6:.2f}" if c >= 5000 else "." for c in counts))
    return table


def names(runs: Iterable[Run]) -> list[str]:
    """Return the hosts that had a part in these runs: sources, the directory, then peers."""
    runs = list(runs)
    peers = list(dict.fromkeys(host for run in runs for host in run.seconds))
    first = [run.source for run in runs]
    if any(run.way is Way.PEERS for run in runs):
        first.append(runs[0].directory)
    return [*dict.fromkeys(first), *sorted(peers, key=_number)]


def _number(host: str) -> tuple[int, str]:
    number = host.rpartition("-")[2]
    return (int(number) if number.isdigit() else 0, host)


def wrong(found: Distribution) -> Iterator[str]:
    """Yield a line for each thing that is not as it must be."""
    for run in found.runs:
        for sentence in run.wrong:
            yield f"{run.way.value}, N = {run.n}: {sentence}"


def line(run: Run) -> str:
    """Return one run as one line."""
    return (
        f"{run.way.value}, N = {run.n}: the last host has it after {run.last:.2f} s "
        f"(bound {run.bound:.2f} s); {run.source} sent {run.copies:.2f} times the file"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 or column == "WAY" else "right")
    return table
