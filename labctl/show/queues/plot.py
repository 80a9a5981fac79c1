"""Queues over time as an image, by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labctl.show.figure.units import size
from labctl.show.plots import COLORS, grid, image, plain
from labctl.show.queues.picture import Panel, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (10.0, 6.4)


def draw(picture: Picture, form: str, below: Sequence[str] = ()) -> bytes:
    """Return an image of this form (`svg` or `png`), with lines of text below it."""

    def fill(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        figure.suptitle(plain(picture.title), x=0.01, ha="left", fontweight="bold")
        for axes, panel in zip((upper, lower), picture.panels, strict=True):
            _draw(axes, panel, picture)
        lower.set_xlabel("seconds")
        if below:
            figure.supxlabel(plain("\n".join(below)), x=0.01, ha="left", fontsize=8)

    return image(form, (_INCHES[0], _INCHES[1] + 0.17 * len(below)), fill)


def _draw(axes: Axes, panel: Panel, picture: Picture) -> None:
    axes.set_title(panel.title, loc="left")
    axes.set_xlim(picture.start, picture.end)
    axes.set_ylim(0, panel.highest)
    axes.yaxis.set_major_formatter(lambda value, _position: size(round(value)))
    grid(axes)
    for number, (flow, start, end) in enumerate(panel.marks):
        label = panel.mark if number == 0 else None
        axes.axvspan(start, end, color=COLORS[flow], alpha=0.12, linewidth=0.8, label=label)
    for curve in panel.curves:
        color = COLORS[curve.flow]
        axes.plot(*curve.limit, color=color, linewidth=1, linestyle="--")
        axes.plot(*curve.memory, color=color, linewidth=0.8, alpha=0.45)
        axes.plot(*curve.queue, color=color, linewidth=1.6, label=plain(curve.name))
    if panel.curves:
        axes.plot([], [], color="#555555", linewidth=0.8, alpha=0.45, label="memory it takes")
        axes.plot([], [], color="#555555", linewidth=1, linestyle="--", label="limit of memory")
        axes.legend(loc="best", fontsize=8, framealpha=0.9)
