"""The colours of a figure in a terminal: names of rich, none of which is a background."""

from __future__ import annotations

_CONNECTIONS = ("cyan", "magenta", "green", "yellow", "bright_blue", "bright_magenta")
DIM = "dim"
WRONG = "red"
TIME = "dim"
NAME = "bold"
LIFELINE = "dim"


def style_of(place: int | None) -> str:
    """Return the colour of a connection by its place in the figure; none for none."""
    return "" if place is None else _CONNECTIONS[place % len(_CONNECTIONS)]
