"""What all plots have in common, which matplotlib draws: the style, and the way to an image."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0b5fa5", "#c8501e", "#2f7d32", "#7b3fa0", "#00838f", "#8d6e00")
_PIXELS_AN_INCH = 144
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "labctl",  # the same figures give the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def image(form: str, inches: tuple[float, float], draw: Callable[[Figure], None]) -> bytes:
    """Return the image of this form (`svg` or `png`) that `draw` makes on a figure of a size."""
    import matplotlib as mpl  # noqa: PLC0415  it takes long to load, and few need it
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_STYLE):
        figure = Figure(inches, layout="constrained")
        draw(figure)
        target = io.BytesIO()
        metadata = {"Date": None} if form == "svg" else None
        figure.savefig(target, format=form, dpi=_PIXELS_AN_INCH, metadata=metadata)
    return target.getvalue()


def plain(text: str) -> str:
    """Return a text in which no `$` begins mathematics."""
    return text.replace("$", r"\$")


def grid(axes: Axes) -> None:
    """Draw a grid behind everything else."""
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
