"""How wide text is in a browser, estimated: never less than in the fonts that are asked for."""

from __future__ import annotations

from rich.cells import cell_len

MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'

_MONO_EM = 0.62
"""The widest of the fonts in MONO, SF Mono, has characters of 0.616 em."""

_NARROW = frozenset(" .,:;'|!ijlI()[]ft")
_WIDE = frozenset("mwMW@%→≈×…")
_BOLD = 1.12


def width(text: str, size: float, *, mono: bool = False, bold: bool = False) -> float:
    """Return how wide a text is at most, in the unit of `size` (the height of the font).

    Without `mono` measured on DejaVu Sans, the widest of the fonts in SANS.
    """
    if mono:
        return cell_len(text) * _MONO_EM * size
    return sum(map(_sans_em, text)) * (_BOLD if bold else 1) * size


def _sans_em(char: str) -> float:
    if cell_len(char) > 1:
        return 1.1
    if char in _NARROW:
        return 0.42
    if char in _WIDE:
        return 1.02
    return 0.8 if char.isupper() else 0.66


def fit(text: str, most: float, size: float, *, mono: bool = False, bold: bool = False) -> str:
    """Return a text that is at most `most` wide; an ellipsis stands for what is cut off."""
    if width(text, size, mono=mono, bold=bold) <= most:
        return text
    while text and width(text + "…", size, mono=mono, bold=bold) > most:
        text = text[:-1].rstrip()
    return text + "…"
