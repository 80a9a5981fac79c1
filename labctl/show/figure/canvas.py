"""A sheet of character cells to draw on: text, and below it slanted lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

BRAILLE = 0x2800
"""U+2800, BRAILLE PATTERN BLANK: a cell of 2 x 4 dots, each a bit (Unicode 15, 21.1)."""

_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of each dot, by column and row of the cell."""

_ONE_FOR_ONE = str.maketrans("×µ…≈→·│┃┇┊▶◀✕○┄┴●⋮─↻", "xu~~>.|#::><xo-+*:-@")


class Span(NamedTuple):
    """Neighbouring cells of one style."""

    text: str
    style: str


class Canvas:
    """`width` by `height` cells; with `ascii_only` nothing else comes out of it.

    What is written covers lines; lines cross each other. Outside of the sheet nothing is drawn.
    """

    def __init__(self, width: int, height: int, ascii_only: bool = False) -> None:
        self.width, self.height, self.ascii_only = width, height, ascii_only
        self.cells: list[list[str | None]] = [[None] * width for _ in range(height)]
        self.dots = [[0] * width for _ in range(height)]
        self.owners: list[list[int | None]] = [[None] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def safe(self, text: str) -> str:
        """Return a text as it will be written."""
        return as_ascii(text) if self.ascii_only else text

    def length(self, text: str) -> int:
        """Return how many cells a text takes."""
        return cell_len(self.safe(text))

    def write(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write a text from a cell on; a wide character takes two cells."""
        for char in self.safe(text):
            wide = cell_len(char)
            if x >= 0 and x + wide <= self.width and 0 <= y < self.height:
                self.cells[y][x : x + wide] = [char, *[""] * (wide - 1)]
                self.styles[y][x] = style
            x += wide

    def free(
        self, x: int, y: int, length: int, owner: int | None = None, over_lines: bool = False
    ) -> bool:
        """Return whether nothing is written there and no line goes but that of `owner`.

        With `over_lines` any lines may go there.
        """
        if x < 0 or x + length > self.width or not 0 <= y < self.height:
            return False
        return all(
            self.cells[y][at] is None and (over_lines or self.owners[y][at] in (None, owner))
            for at in range(x, x + length)
        )

    def line(
        self, start: tuple[int, int], end: tuple[int, int], owner: int, style: str = ""
    ) -> None:
        """Draw a line between the middles of two cells, from left to right or back."""
        (x0, y0), (x1, y1) = sorted((start, end))
        draw = self._steps if self.ascii_only else self._slant
        draw(x0, y0, x1, y1, owner, style)

    def _slant(self, x0: int, y0: int, x1: int, y1: int, owner: int, style: str) -> None:
        columns = range(2 * x0, 2 * x1 + 2)
        for place, column in enumerate(columns):
            part = place / max(len(columns) - 1, 1)
            y, row = divmod(round(4 * (y0 + (y1 - y0) * part) + 1.5), 4)
            self._dot(column // 2, y, _BITS[column % 2][row], owner, style)

    def _steps(self, x0: int, y0: int, x1: int, y1: int, owner: int, style: str) -> None:
        span = max(x1 - x0, 1)
        ys = [round(y0 + (y1 - y0) * (x - x0) / span) for x in range(x0, x1 + 1)]
        for place, y in enumerate(ys):
            before = ys[place - 1] if place else y
            after = ys[place + 1] if place + 1 < len(ys) else y
            down, up = before < y, after < y
            char = "`" if down else "'" if up else "." if after > y or before > y else "-"
            self._dot(x0 + place, y, ord(char), owner, style)

    def _dot(self, x: int, y: int, bits: int, owner: int, style: str) -> None:
        if not (0 <= x < self.width and 0 <= y < self.height):
            return
        self.dots[y][x] = bits if self.ascii_only else self.dots[y][x] | bits
        self.owners[y][x] = owner
        if self.cells[y][x] is None:
            self.styles[y][x] = style

    def rows(self) -> Iterator[list[Span]]:
        """Yield each line of the sheet as spans, without what is blank at its end."""
        for y in range(self.height):
            cells = [(self._char(x, y), self.styles[y][x]) for x in range(self.width)]
            while cells and cells[-1][0] in (" ", ""):
                cells.pop()
            yield [
                Span("".join(char for char, _ in some), style)
                for style, some in groupby(cells, key=lambda cell: cell[1])
            ]

    def _char(self, x: int, y: int) -> str:
        char = self.cells[y][x]
        if char is not None:
            return char
        bits = self.dots[y][x]
        if not bits:
            return " "
        return chr(bits) if self.ascii_only else chr(BRAILLE + bits)


def as_ascii(text: str) -> str:
    """Return a text of as many characters, all of them ASCII."""
    return text.translate(_ONE_FOR_ONE).encode("ascii", "replace").decode("ascii")
