"""Draws messages as text: a line for each field, what lies within another one indented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from labctl.observe.dissect.model import Field, Message, Part
from labctl.show.dissect import words
from labctl.show.figure.units import plain

_A_ROW = 16
_MOST_ROWS = 8
_BYTES = 46
_KIND = 18
_NAME = 18
_HEADER_BYTES = 26
_HEADER_NAME = 24
_TAG, _LENGTH, _BAR = "bold cyan", "yellow", "dim"


def table(messages: Sequence[Message]) -> Iterator[Text]:
    """Yield a line for each message."""
    for message in messages:
        time = words.milliseconds(message, messages[0])
        to = "" if message.answers is None else f"(to {message.answers}) "
        line = Text(f"{message.number:4}  {time:>13}  {words.ends(message)}  {message.title} {to}")
        line.append(words.bindings(message))
        if not message.good:
            line.append("  wrong", "bold red")
        line.rstrip()
        yield line


def draw(message: Message, first: Message) -> Iterator[Text]:
    """Yield the lines of a drawing; `first` is the message from which times count."""
    head = f"message {message.number} at {words.milliseconds(message, first)}"
    yield Text(f"{head}: {words.title(message)}", "bold")
    yield Text(f"  seen by {plain(', '.join(message.seen))}", "dim")
    for part in message.parts:
        yield Text()
        yield Text(f"  {part.title}, {part.size} bytes from byte {part.at} on ({part.source})")
        yield from _header(part) if not any(f.tag for f in part.fields) else _nested(part)
    for line in words.wrong(message):
        yield Text(f"  wrong: {line}", "bold red")


def _header(part: Part) -> Iterator[Text]:
    for field in part.fields:
        rows = list(_rows(field.value, _HEADER_BYTES // 3))
        for number, row in enumerate(rows):
            line = Text(f"  {field.at + number * (_HEADER_BYTES // 3):4}  {row:{_HEADER_BYTES}}")
            if number == 0:
                line.append(f"{field.name:{_HEADER_NAME}} {plain(field.meaning)}")
            line.rstrip()
            yield line


def _nested(part: Part) -> Iterator[Text]:
    yield Text(
        f"    at  {'tag, length, value':{_BYTES}} {'type':{_KIND}} {'what':{_NAME}} meaning", "dim"
    )
    for field in part.fields:
        for depth, one in field.walk():
            yield from _field(one, depth)


def _field(field: Field, depth: int) -> Iterator[Text]:
    bar = "│ " * depth
    value = b"" if field.parts else field.value
    rows = list(_rows(value, _A_ROW)) or [""]
    line = Text(f"  {field.at:4}  ").append(bar, _BAR)
    line.append(field.tag.hex(), _TAG).append(" ").append(field.length.hex(" "), _LENGTH)
    used = len(bar) + 3 + len(field.length) * 3
    if used + len(rows[0]) < _BYTES:
        line.append(f"  {rows.pop(0)}")
    line.pad_right(max(0, _BYTES + 8 - len(line)))
    meaning = f" {field.kind:{_KIND}} {field.name:{_NAME}} {plain(field.meaning)}"
    line.append(meaning.rstrip())
    line.rstrip()
    yield line
    for row in rows[:_MOST_ROWS]:
        if row:
            yield Text("        ").append(f"{bar}      ", _BAR).append(row)
    if len(rows) > _MOST_ROWS:
        more = len(value) - _MOST_ROWS * _A_ROW
        yield Text("        ").append(f"{bar}      ... some {more:,} bytes more", _BAR)


def _rows(value: bytes, width: int) -> Iterator[str]:
    for at in range(0, len(value), width):
        yield value[at : at + width].hex(" ")
