"""Queues over time as text, by plotext."""

from __future__ import annotations

from math import isnan
from typing import Any

from labctl.show.figure.units import size
from labctl.show.queues.picture import Panel, Picture, Steps, nice

_HEIGHT = 32
_LEAST_WIDTH = 50
_COLORS = ("blue", "red", "green", "magenta", "cyan", "orange")
"""One for each flow; in both panels the same."""


def draw(picture: Picture, width: int, color: bool) -> str:
    """Return both panels, one above the other, `width` columns wide; more on a narrow one."""
    import plotext  # noqa: PLC0415  it takes long to load, and few need it

    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.subplots(2, 1)
    figure.plot_size(max(width, _LEAST_WIDTH), _HEIGHT)
    for row, panel in enumerate(picture.panels, start=1):
        _draw(plotext, figure.subplot(row, 1), panel, picture)
    text = str(figure.build().string())
    if not color:
        text = str(plotext.uncolorize(text))
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join([picture.title, *lines, *_legend(picture)])


def _draw(plotext: Any, plot: Any, panel: Panel, picture: Picture) -> None:
    def line(flow: int, steps: Steps, symbol: str) -> None:
        points = [(x, y) for x, y in zip(*steps, strict=True) if not isnan(y)]
        if points:
            marker = plotext.marker(symbol, _COLORS[flow])
            xs, ys = zip(*points, strict=True)
            plot.draw(plot.signal(list(xs), list(ys), marker=marker).lines())

    top = panel.highest
    plot.title(panel.title)
    plot.ruler("x").lim(picture.start, picture.end)
    plot.ruler("y").lim(0, top)
    ticks = nice(0, top, 5)
    plot.ruler("y").ticks(ticks, [f"{size(round(tick)):>7}" for tick in ticks])
    seconds = nice(picture.start, picture.end, 8)
    plot.ruler("x").ticks(seconds, [f"{second:g}" for second in (round(s, 6) for s in seconds)])
    for curve in panel.curves:
        line(curve.flow, curve.limit, "·")
    for curve in panel.curves:
        line(curve.flow, curve.queue, "braille")
    for flow, start, end in panel.marks:
        line(flow, ([start, end], [top * 0.97] * 2), "#")
    if panel is picture.panels[1]:
        plot.label("seconds", "x")


def _legend(picture: Picture) -> list[str]:
    send, receive = picture.panels
    told = ["· · ·  the buffer's limit, which counts the kernel's overhead too"]
    if send.marks:
        told.append(f"###    above: {send.mark}")
    if receive.marks:
        told.append(f"###    below: {receive.mark}")
    return told
