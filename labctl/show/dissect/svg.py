"""Draws messages as SVG: headers in rows of 32 bits, BER as boxes within boxes."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, tostring

from labctl.observe.dissect.model import Field, Message, Part
from labctl.show.dissect import words
from labctl.show.dissect.svgstyle import sheet
from labctl.show.figure.markup import add, root
from labctl.show.figure.metrics import fit, width
from labctl.show.figure.units import plain

_MARGIN = 24.0
_BYTE = 190.0
_ROW = 46.0
_CELL = 24.0
_LINE = 26.0
_INDENT = 16.0
_GAP = 5.0
_A_ROW = 16
_MOST_ROWS = 8
_WIDTH = 2 * _MARGIN + 4 * _BYTE
_TEXT = 13.0
_SMALL = 11.0


def draw(messages: Sequence[Message], first: Message) -> str:
    """Return one picture of all messages, one below the other, as an SVG document."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + element(messages, first)


def element(messages: Sequence[Message], first: Message) -> str:
    """Return the picture as an SVG element, to stand in a page."""
    svg = root("svg", xmlns="http://www.w3.org/2000/svg", class_="dissected")
    add(svg, "style").text = sheet()
    paper = add(svg, "rect", class_="paper", x=0, y=0)
    y, widest = _MARGIN, _WIDTH
    for message in messages:
        y, right = _message(svg, message, first, y)
        y, widest = y + 30, max(widest, right + _MARGIN)
    for one in (svg, paper):
        one.set("width", f"{widest:.0f}")
        one.set("height", f"{y:.0f}")
    svg.set("viewBox", f"0 0 {widest:.0f} {y:.0f}")
    return tostring(svg, encoding="unicode") + "\n"


def _message(svg: Element, message: Message, first: Message, y: float) -> tuple[float, float]:
    head = f"{message.number}  {words.title(message)}"
    add(svg, "text", head, class_="title", x=_MARGIN, y=y + 14)
    seen = f"{words.milliseconds(message, first)}, seen by {plain(', '.join(message.seen))}"
    add(svg, "text", fit(seen, 2 * _WIDTH, _SMALL), class_="dim", x=_MARGIN, y=y + 34)
    y, right = y + 48, _MARGIN + width(head, 16, bold=True)
    for part in message.parts:
        told = f"{part.title}, {part.size} bytes ({part.source})"
        add(svg, "text", told, class_="part", x=_MARGIN, y=y + 14)
        y += 24
        if any(field.tag for field in part.fields):
            for field in part.fields:
                y, reached = _nested(svg, field, _MARGIN, y)
                right = max(right, reached)
        else:
            y = _header(svg, part, y)
        y += 12
    for line in words.wrong(message):
        add(svg, "text", line, class_="wrong", x=_MARGIN, y=y + 12)
        y, right = y + 20, max(right, _MARGIN + width(line, _TEXT))
    return y, right


def _header(svg: Element, part: Part, y: float) -> float:
    """Draw a header as the standards do: four bytes a row. A long field takes whole rows."""
    row = 0
    for field in part.fields:
        size = len(field.value)
        top, left = y + field.at // 4 * _ROW, _MARGIN + field.at % 4 * _BYTE
        rows = max(1, size // 4)
        box = add(svg, "g", class_="field")
        add(box, "rect", x=left, y=top, width=min(size, 4) * _BYTE, height=rows * _ROW)
        room = min(size, 4) * _BYTE - 14
        head = fit(f"{field.at}  {field.name}", room, _SMALL)
        add(box, "text", head, class_="dim", x=left + 7, y=top + 16)
        shown = field.value if size <= 4 else field.value[: 16 * rows]
        hexed = fit(shown.hex(" "), room, _TEXT, mono=True)
        add(box, "text", hexed, class_="hex", x=left + 7, y=top + 35)
        used = width(hexed, _TEXT, mono=True) + 12
        meaning = fit(plain(field.meaning), max(0, room - used), _TEXT) if field.meaning else ""
        add(box, "text", meaning, x=left + 7 + used, y=top + 35)
        add(box, "title", f"{field.name}: {field.value.hex(' ')} {plain(field.meaning)}")
        row = max(row, field.at // 4 + rows)
    return y + row * _ROW


def _nested(svg: Element, field: Field, x: float, y: float) -> tuple[float, float]:
    """Draw a field and what is within it; return where it ends, downwards and to the right."""
    frame = add(svg, "rect", class_="nest", x=x, y=y, rx=5) if field.parts else None
    top = y
    y += _GAP if frame is not None else 0
    left = x + (_GAP if frame is not None else 0)
    y, right = _one(svg, field, left, y)
    for part in field.parts:
        y, reached = _nested(svg, part, x + _INDENT, y)
        right = max(right, reached)
    if frame is not None:
        y += _GAP
        right += _GAP
        frame.set("height", f"{y - top:.1f}")
        frame.set("width", f"{right - x:.1f}")
        y += 3
    return y, right


def _one(svg: Element, field: Field, x: float, y: float) -> tuple[float, float]:
    group = add(svg, "g")
    at = x
    value = b"" if field.parts else field.value
    rows = [value[i : i + _A_ROW] for i in range(0, len(value), _A_ROW)]
    for name, data in (("tag", field.tag), ("length", field.length), ("value", rows[:1])):
        for byte in data[0] if isinstance(data, list) and data else data:
            _cell(group, name, int(byte), at, y)
            at += _CELL + 2
        at += 4 if data else 0
    told = " ".join(filter(None, (field.kind, field.name and f"{field.name}:", field.meaning)))
    words_ = f"{plain(told).rstrip(':')}"
    add(group, "text", f"{field.at}", class_="at", x=at + 6, y=y + 17)
    offset = width(f"{field.at}", _SMALL) + 14
    add(group, "text", words_, class_="meaning", x=at + offset, y=y + 17)
    add(group, "title", f"byte {field.at}: {field.data[:64].hex(' ')}")
    right = at + offset + width(words_, _TEXT)
    y += _LINE
    for row in rows[1:_MOST_ROWS]:
        for number, byte in enumerate(row):
            _cell(group, "value", byte, x + 60 + number * (_CELL + 2), y)
        y += _LINE
    if len(rows) > _MOST_ROWS:
        more = f"... {len(value) - _MOST_ROWS * _A_ROW:,} bytes more"
        add(group, "text", more, class_="dim", x=x + 60, y=y + 15)
        y += _LINE
    return y, right


def _cell(group: Element, name: str, byte: int, x: float, y: float) -> None:
    add(group, "rect", class_=name, x=x, y=y, width=_CELL, height=_CELL - 2, rx=2)
    middle = x + _CELL / 2
    add(group, "text", f"{byte:02x}", class_="byte", x=middle, y=y + 16, text_anchor="middle")
