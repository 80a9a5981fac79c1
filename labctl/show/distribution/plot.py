"""A file's distribution as an image, by matplotlib: time against N, and who sent to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labctl.play.distribution import bounds
from labctl.play.distribution.model import Distribution, Run, Way
from labctl.show.distribution.tables import names, title
from labctl.show.plots import grid, image, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (11.0, 8.2)
_COLORS = {Way.SERVER: "#c8501e", Way.PEERS: "#0b5fa5"}
_MOST_NUMBERS = 10
"""Hosts up to which each field of a matrix has room for its number."""


def draw(found: Distribution, form: str) -> bytes:
    """Return an image of this form (`svg` or `png`)."""

    def fill(figure: Figure) -> None:
        figure.suptitle(plain(title(found)), x=0.01, ha="left", fontweight="bold")
        rows = figure.add_gridspec(2, 2, height_ratios=(1.1, 1))
        _times(figure.add_subplot(rows[0, :]), found)
        for column, way in enumerate(Way):
            runs = found.of(way)
            if runs:
                _flows(figure, figure.add_subplot(rows[1, column]), runs[-1])

    return image(form, _INCHES, fill)


def _times(axes: Axes, found: Distribution) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    most = max(run.n for run in found.runs)
    every = range(1, most + 1)
    rates = found.rates
    lines = {
        Way.SERVER: [bounds.client_server(n, found.size, rates.server) for n in every],
        Way.PEERS: [bounds.peer_to_peer(found.size, rates.seed, rates.peers[:n]) for n in every],
    }
    for way, color in _COLORS.items():
        axes.plot(every, lines[way], color=color, linestyle="--", label=f"{way.value}: bound")
        runs = found.of(way)
        counts = [run.n for run in runs]
        last, mean = [run.last for run in runs], [run.mean for run in runs]
        axes.plot(counts, last, "o-", color=color, label=f"{way.value}: last host")
        axes.plot(counts, mean, "x:", color=color, label=f"{way.value}: mean host", alpha=0.6)
    axes.set_title("Time until the hosts have the file", loc="left")
    axes.set_xlabel("hosts that want it (N)")
    axes.set_ylabel("seconds")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    grid(axes)
    axes.legend(loc="best", fontsize=8, ncols=2)


def _flows(figure: Figure, axes: Axes, run: Run) -> None:
    hosts = names([run])
    counts = [[run.flows.get((a, b), 0) / run.size for b in hosts] for a in hosts]
    image = axes.imshow(counts, cmap="Blues", vmin=0, vmax=max(1.0, *map(max, counts)))
    axes.set_title(f"{run.way.value}, N = {run.n}: who sent how much to whom", loc="left")
    axes.set_xticks(range(len(hosts)), hosts, rotation=90, fontsize=7)
    axes.set_yticks(range(len(hosts)), hosts, fontsize=7)
    axes.set_xlabel("to")
    axes.set_ylabel("from")
    if len(hosts) <= _MOST_NUMBERS:
        for row, line in enumerate(counts):
            for column, share in enumerate(line):
                if share >= 0.005:
                    color = "white" if share > 0.6 else "black"
                    text = f"{share:.2f}"
                    axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7)
    figure.colorbar(image, ax=axes, label="times the file")
