"""Curves as an image, by matplotlib: answers a second and answer times against the load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labctl.play.curve import Curve
from labctl.show.curve.words import seconds, summary
from labctl.show.plots import COLORS, grid, image, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (8.0, 7.0)


def draw(curves: Sequence[Curve], form: str) -> bytes:
    """Return an image of this form (`svg` or `png`) of one curve or several."""

    def fill(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        _answers(upper, curves)
        _times(lower, curves)
        below = "\n".join(summary(curve) for curve in curves)
        figure.supxlabel(plain(below), x=0.01, ha="left", fontsize=8)

    return image(form, (_INCHES[0], _INCHES[1] + 0.2 * len(curves)), fill)


def _answers(axes: Axes, curves: Sequence[Curve]) -> None:
    axes.set_title("answers a second", loc="left")
    loads = sorted({point.load for curve in curves for point in curve.points})
    axes.plot([0, loads[-1]], [0, loads[-1]], color="#999999", linestyle="--", label="all")
    for number, curve in enumerate(curves):
        xs = [point.load for point in curve.points]
        ys = [point.per_second for point in curve.points]
        label = plain(curve.title)
        axes.plot(xs, ys, color=COLORS[number % len(COLORS)], marker="o", label=label)
    axes.set_xlim(0, 1.03 * loads[-1])
    axes.set_ylim(0, 1.1 * loads[-1])
    _finish(axes)


def _times(axes: Axes, curves: Sequence[Curve]) -> None:
    axes.set_title("seconds until the answer", loc="left")
    for number, curve in enumerate(curves):
        color = COLORS[number % len(COLORS)]
        xs = [point.load for point in curve.points]
        for part, style in (("p50", "-"), ("p99", ":")):
            ys = [max(getattr(point, part), 1e-6) for point in curve.points]
            name = "median" if part == "p50" else "99 of 100 within"
            label = name if number == 0 else None
            axes.plot(xs, ys, color=color, linestyle=style, marker="o", label=label)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _position: seconds(value))
    axes.set_xlabel(f"{' or '.join(dict.fromkeys(curve.of for curve in curves))} asked a second")
    _finish(axes)


def _finish(axes: Axes) -> None:
    grid(axes)
    axes.legend(loc="best", fontsize=8, framealpha=0.9)
