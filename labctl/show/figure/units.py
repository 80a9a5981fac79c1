"""Numbers, times and foreign text, as a figure shows them."""

from __future__ import annotations

import unicodedata

US, MS, S = 1_000, 1_000_000, 1_000_000_000
_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def duration(ns: int) -> str:
    """Return a length of time with two or three significant digits: `1.2 ms`, `340 µs`."""
    if ns < 60 * S:
        for unit, name in ((S, "s"), (MS, "ms")):
            if ns >= unit - unit // 2000:
                part = ns / unit
                return f"{part:.0f} {name}" if part >= 99.5 else f"{part:.2g} {name}"
        return f"{round(ns / US)} µs" if ns >= US else f"{ns} ns"
    minutes, seconds = divmod(round(ns / S), 60)
    return f"{minutes:,} min {seconds} s" if seconds else f"{minutes:,} min"


def size(count: int) -> str:
    """Return a number of bytes: `17 B`, `1.3 GB` (a GB has 10^9 bytes)."""
    for unit, name in _SIZES:
        if count >= unit:
            part = count / unit
            return f"{part:.0f} {name}" if part >= 99.5 else f"{part:.2g} {name}"
    return f"{count} B"


def clock_unit(longest: int) -> str:
    """Return the unit in which all times of a figure that lasts `longest` ns are written."""
    return "ms" if longest < S else "s"


def clock(ns: int, unit: str) -> str:
    """Return a time since the beginning, to the microsecond: `12.031` ms, `1.020 031` s."""
    whole = max(0, ns) // US
    if unit == "ms":
        return f"{whole // 1000}.{whole % 1000:03}"
    return f"{whole // 1_000_000}.{whole // 1000 % 1000:03} {whole % 1000:03}"


def plain(text: str) -> str:
    """Return foreign text with what does not print escaped: `\\n`, `\\x1b`, `\\u202e`.

    Names, arguments and data come from programs that may be hostile: a terminal's control
    sequences, marks that turn the direction of writing, halves of surrogate pairs.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _harmless(c) else _escaped(c) for c in text)


def _harmless(char: str) -> bool:
    return char.isprintable() and not unicodedata.combining(char)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters; an ellipsis stands for what is cut off."""
    if len(text) <= most:
        return text
    return text[: most - 1].rstrip() + "…" if most > 1 else text[:most]
