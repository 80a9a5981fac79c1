"""Curves as text, by plotext."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from labctl.play.curve import Curve
from labctl.show.curve.words import seconds
from labctl.show.queues.picture import nice

_HEIGHT = 30
_LEAST_WIDTH = 50
_COLORS = ("blue", "red", "green", "magenta", "cyan", "orange")


def draw(curves: Sequence[Curve], width: int, color: bool) -> str:
    """Return answers a second above, and answer times below, `width` columns wide."""
    import plotext  # noqa: PLC0415  it takes long to load, and few need it

    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.subplots(2, 1)
    figure.plot_size(max(width, _LEAST_WIDTH), _HEIGHT)
    most = max(point.load for curve in curves for point in curve.points)
    _answers(plotext, figure.subplot(1, 1), curves, most)
    _times(plotext, figure.subplot(2, 1), curves, most)
    text = str(figure.build().string())
    if not color:
        text = str(plotext.uncolorize(text))
    return "\n".join(line.rstrip() for line in text.splitlines())


def _line(plotext: Any, plot: Any, number: int, points: list[tuple[float, float]]) -> None:
    marker = plotext.marker("braille", _COLORS[number % len(_COLORS)])
    xs, ys = zip(*points, strict=True)
    plot.draw(plot.signal(list(xs), list(ys), marker=marker).lines())


def _loads(plot: Any, most: float) -> None:
    ticks = nice(0, most, 8)
    plot.ruler("x").lim(0, most)
    plot.ruler("x").ticks(ticks, [f"{tick:g}" for tick in ticks])


def _answers(plotext: Any, plot: Any, curves: Sequence[Curve], most: float) -> None:
    plot.title("answers a second")
    _loads(plot, most)
    plot.ruler("y").lim(0, 1.05 * most)
    ticks = nice(0, most, 5)
    plot.ruler("y").ticks(ticks, [f"{tick:>9g}" for tick in ticks])
    dots = plotext.marker("·", "white")
    plot.draw(plot.signal([0, most], [0, most], marker=dots).lines())
    for number, curve in enumerate(curves):
        _line(plotext, plot, number, [(p.load, p.per_second) for p in curve.points])


def _times(plotext: Any, plot: Any, curves: Sequence[Curve], most: float) -> None:
    """Powers of ten are equally far apart: the times differ by a thousand."""
    plot.title("time until the answer: the median, and above it the time that 99 of 100 keep")
    _loads(plot, most)
    times = [max(t, 1e-6) for c in curves for p in c.points for t in (p.p50, p.p99)]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    high = max(high, low + 1)
    plot.ruler("y").lim(low, high)
    ticks = list(range(low, high + 1))
    plot.ruler("y").ticks(ticks, [f"{seconds(10.0**tick):>9}" for tick in ticks])
    for number, curve in enumerate(curves):
        for part in ("p50", "p99"):
            points = [(p.load, math.log10(max(getattr(p, part), 1e-6))) for p in curve.points]
            _line(plotext, plot, number, points)
    plot.label("asked a second", "x")
