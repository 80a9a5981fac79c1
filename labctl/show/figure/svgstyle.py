"""The style of an SVG figure, for light and for dark.

Colours are written out, not as variables, as many programs that read SVG know none. A page may
set `data-theme` on the picture; without it the reader's own setting decides.
"""

from __future__ import annotations

from labctl.show.figure.metrics import MONO, SANS
from labctl.show.figure.svgrows import CALL, NAME, SMALL, TITLE, WORD

CONNECTIONS = (
    ("#0b63ce", "#6cb0ff"),
    ("#b4480a", "#ffa657"),
    ("#1a7f37", "#56d364"),
    ("#8250df", "#c9a2ff"),
    ("#0f7b83", "#4fd6d6"),
    ("#bf3989", "#ff8fcf"),
)
"""Each connection's colour on light and on dark; each contrasts with the paper by 4.5 to 1."""

_ROLES = {
    "ink": ("#1f2328", "#e6edf3"),
    "dim": ("#59636e", "#9aa4af"),
    "line": ("#8c959f", "#6e7681"),
    "faint": ("#d8dee4", "#2d333b"),
    "box": ("#f3f5f8", "#1a2029"),
    "paper": ("#ffffff", "#0d1117"),
    "wrong": ("#cf222e", "#ff7b72"),
}

_COLOURED = (
    ("text", "fill", "ink"),
    (".dim, .time, .aside, .below, .foot", "fill", "dim"),
    (".call, .word, .state, .aside", "stroke", "paper"),
    (".paper", "fill", "paper"),
    (".dot", "stroke", "paper"),
    (".lifeline, .tick, .ground", "stroke", "line"),
    (".cut, .guide", "stroke", "faint"),
    (".host rect", "fill", "box"),
    (".host rect", "stroke", "line"),
    (".wrong .stroke, .wrong .bar", "stroke", "wrong"),
    (".wrong .head, .wrong .bar", "fill", "wrong"),
    (".wrong .call, .wrong .word", "fill", "wrong"),
)

_FIXED = f"""
.figure text {{ font-family: {SANS}; font-size: {WORD}px; }}
.figure .title {{ font-size: {TITLE}px; font-weight: 650; }}
.figure .name {{ font-size: {NAME}px; font-weight: 650; }}
.figure .call, .figure .below, .figure .time {{ font-family: {MONO}; font-size: {CALL}px; }}
.figure .below, .figure .time, .figure .small {{ font-size: {SMALL}px; }}
.figure .lane-name, .figure .state {{ font-size: {SMALL}px; font-weight: 600; }}
.figure .call, .figure .word, .figure .state {{
  paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }}
.figure .lifeline {{ stroke-width: 1.2; }}
.figure .cut {{ stroke-width: 1; stroke-dasharray: 2 5; }}
.figure .guide {{ stroke-width: 1; stroke-dasharray: 1 4; }}
.figure .ground, .figure .tick {{ stroke-width: 1.2; fill: none; }}
.figure .stroke {{ stroke-width: 1.5; fill: none; }}
.figure .ack .stroke {{ stroke-width: 1.1; }}
.figure .fork .stroke {{ stroke-dasharray: 5 4; }}
.figure .bar {{ stroke-width: 1.2; }}
.figure .blocked .bar {{ fill-opacity: 0.18; }}
.figure .hit {{ stroke: #000; stroke-opacity: 0; stroke-width: 12; fill: none; }}
.figure .dot {{ stroke-width: 1.6; }}
.figure .dimmed {{ opacity: 0.55; }}
.figure .band {{ fill-opacity: 0.13; stroke: none; }}
"""


def sheet() -> str:
    """Return the style sheet of a figure."""
    dark = _colours(".figure:not([data-theme='light'])", 1)
    return "".join(
        (
            _FIXED,
            _colours(".figure", 0),
            f"@media (prefers-color-scheme: dark) {{\n{dark}}}\n",
            _colours(".figure[data-theme='dark']", 1),
        )
    )


def _colours(prefix: str, theme: int) -> str:
    lines = [
        f"{_each(prefix, selector)} {{ {property_}: {_ROLES[role][theme]}; }}"
        for selector, property_, role in _COLOURED
    ]
    lines[1:1] = _of_connections(prefix, theme)
    return "\n".join(lines) + "\n"


def _of_connections(prefix: str, theme: int) -> list[str]:
    colours = {"c-": _ROLES["dim"][theme]}
    colours |= {f"c{number}": pair[theme] for number, pair in enumerate(CONNECTIONS)}
    lines = []
    for name, colour in colours.items():
        stroked = _each(prefix, f".{name} .stroke, .{name} .bar, .{name} .ring")
        filled = _each(prefix, f".{name} .head, .{name} .bar, .{name} .band, .{name} .word")
        lines += [f"{stroked} {{ stroke: {colour}; }}", f"{filled} {{ fill: {colour}; }}"]
    return lines


def _each(prefix: str, selectors: str) -> str:
    return ", ".join(f"{prefix} {selector}" for selector in selectors.split(", "))


def colour_class(place: int | None) -> str:
    """Return the class of a connection's colour by its place in the figure."""
    return "c-" if place is None else f"c{place % len(CONNECTIONS)}"
