"""The style of the picture of a message, for light and for dark."""

from __future__ import annotations

from labctl.show.figure.metrics import MONO, SANS

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "dim": "#59636e",
    "line": "#8c959f",
    "box": "#f3f5f8",
    "tag": "#cfe3fb",
    "length": "#fbe3c0",
    "value": "#cfeed6",
    "wrong": "#cf222e",
}
_DARK = {
    "paper": "#0d1117",
    "ink": "#e6edf3",
    "dim": "#9aa4af",
    "line": "#6e7681",
    "box": "#1a2029",
    "tag": "#17406d",
    "length": "#5f4213",
    "value": "#17502a",
    "wrong": "#ff7b72",
}
_FIXED = f"""
.dissected text {{ font-family: {SANS}; font-size: 13px; }}
.dissected .title {{ font-size: 16px; font-weight: 650; }}
.dissected .part {{ font-weight: 600; }}
.dissected .dim, .dissected .at {{ font-size: 11px; }}
.dissected .hex, .dissected .byte {{ font-family: {MONO}; font-size: 13px; }}
.dissected .nest {{ fill: none; stroke-width: 1.2; }}
.dissected .wrong {{ font-weight: 600; }}
"""


def sheet() -> str:
    """Return the style sheet."""
    dark = "\n".join(_colours(_DARK))
    light = "\n".join(_colours(_LIGHT))
    return f"{_FIXED}{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _colours(colours: dict[str, str]) -> list[str]:
    rules = (
        ("text", "fill", "ink"),
        ("text.dim", "fill", "dim"),
        ("text.at", "fill", "dim"),
        ("text.wrong", "fill", "wrong"),
        ("rect.paper", "fill", "paper"),
        ("rect.nest", "stroke", "line"),
        (".field rect", "fill", "box"),
        (".field rect", "stroke", "line"),
        ("rect.tag", "fill", "tag"),
        ("rect.length", "fill", "length"),
        ("rect.value", "fill", "value"),
    )
    return [f".dissected {what} {{ {how}: {colours[colour]}; }}" for what, how, colour in rules]
