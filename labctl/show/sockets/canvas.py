"""A sheet of character cells that grows downwards, each with a style."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text


def clean(text: str) -> str:
    """Return a text on one line and without what could move a terminal's cursor."""
    printable = (c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join("".join(printable).split())


def shortened(text: str, width: int) -> str:
    """Return a text of at most `width` cells; where something had to go, it ends in an ellipsis."""
    if cell_len(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= cell_len(character)
        if room < 0:
            break
        kept += character
    return kept + "…"


def folded(text: str, width: int) -> list[str]:
    """Return the lines of a text of at most `width` cells each, broken between words if it can
    be; at least one line."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if cell_len(lines[-1]) + cell_len(character) > width:
                lines.append("")
            lines[-1] += character
    return lines


class Canvas:
    """Cells at column `x` and row `y`, both from 0; what is not drawn on is blank."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = defaultdict(_Row)

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write a text; a character that takes two cells hides the one after it."""
        cells = _cells(text)
        row = self._rows[y]
        missing = x + len(cells) - len(row.cells)
        if missing > 0:
            row.cells += " " * missing
            row.styles += [""] * missing
        row.cells[x : x + len(cells)] = cells
        row.styles[x : x + len(cells)] = [style] * len(cells)

    def across(self, x: int, to: int, y: int, character: str = "─", style: str = "") -> None:
        """Draw a line from column `x` to column `to`, which is in it."""
        self.put(x, y, character * (to - x + 1), style)

    def down(self, x: int, y: int, to: int, character: str = "│", style: str = "") -> None:
        """Draw a line from row `y` to row `to`, which is in it."""
        for row in range(y, to + 1):
            self.put(x, row, character, style)

    def lines(self) -> list[Text]:
        """Return the sheet, one text a row."""
        return [self._rows[y].text() for y in range(max(self._rows, default=-1) + 1)]


@dataclass
class _Row:
    cells: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def text(self) -> Text:
        line = Text(no_wrap=True, overflow="crop")
        at = 0
        for style, run in groupby(self.styles):
            end = at + len(list(run))
            line.append("".join(self.cells[at:end]), style or None)
            at = end
        return line


def _cells(text: str) -> list[str]:
    """Return what stands in each cell: nothing in the second one of a wide character."""
    if text.isascii():
        return list(text)
    cells: list[str] = []
    for character in text:
        size = cell_len(character)
        if size == 0 and cells:
            cells[-1] += character
        else:
            cells += [character, ""] if size == 2 else [character]
    return cells
