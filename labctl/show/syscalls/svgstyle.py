"""The style of the picture, for light and for dark, as that of figures (show/figure/svgstyle)."""

from __future__ import annotations

from labctl.show.figure.metrics import MONO, SANS

_FIXED = f"""
.crossings text {{ font-family: {SANS}; font-size: 12px; }}
.crossings .title {{ font-size: 16px; font-weight: 650; }}
.crossings .host {{ font-size: 13px; font-weight: 650; }}
.crossings .side {{ font-size: 11px; font-weight: 600; }}
.crossings .small {{ font-size: 11px; }}
.crossings .program {{ font-family: {MONO}; font-weight: 650; }}
.crossings .call, .crossings .count {{ font-family: {MONO}; font-size: 11.5px; }}
.crossings .way {{ fill: none; stroke-linejoin: round; }}
.crossings .boundary {{ stroke-width: 3; }}
.crossings .box {{ stroke-width: 1.2; }}
"""

_COLOURED = (
    ("text", "fill", "#1f2328", "#e6edf3"),
    (".small, .side, .count", "fill", "#59636e", "#9aa4af"),
    (".paper", "fill", "#ffffff", "#0d1117"),
    (".kernel", "fill", "#eef2f7", "#161c26"),
    (".box", "fill", "#ffffff", "#0d1117"),
    (".box", "stroke", "#8c959f", "#6e7681"),
    (".boundary", "stroke", "#1f2328", "#e6edf3"),
    (".way", "stroke", "#0b63ce", "#6cb0ff"),
    (".tip", "fill", "#0b63ce", "#6cb0ff"),
    (".outside", "fill", "#1a7f37", "#56d364"),
    (".working", "fill", "#0b63ce", "#6cb0ff"),
    (".waiting", "fill", "#c3cad3", "#454d58"),
)


def sheet() -> str:
    """Return the style sheet."""
    dark = _colours(".crossings:not([data-theme='light'])", 1)
    light = _colours(".crossings", 0)
    return f"{_FIXED}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _colours(prefix: str, theme: int) -> str:
    lines = []
    for selectors, name, *colours in _COLOURED:
        each = ", ".join(f"{prefix} {selector}" for selector in selectors.split(", "))
        lines.append(f"{each} {{ {name}: {colours[theme]}; }}\n")
    return "".join(lines)
