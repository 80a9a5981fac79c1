"""Wanted and real sequence side by side, the first difference marked with `>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from labctl.sequence.events import Call
from labctl.sequence.pattern.difference import WIRE, Difference
from labctl.sequence.pattern.show import (
    bytes_of,
    call_text,
    count,
    milliseconds,
    time_of,
    token_text,
)
from labctl.sequence.pattern.signs import Token

MOST_MATCHED = 24
MOST_AFTER = 10
_FOLD = 4


class _Row(NamedTuple):
    wanted: str
    real: str = ""
    time: str = ""
    mark: str = " "


def table(difference: Difference, zero: int) -> str:
    """Return the two sequences as aligned plain text; times count from `zero`, in ns."""
    who = "on the wire" if difference.scene.role == WIRE else f"{difference.scene.subject} did"
    rows = [_Row("wanted", who), *_elided(list(_matched(difference, zero)))]
    rows += _from_there(difference, zero)
    left = max(len(row.wanted) for row in rows)
    right = max(len(row.real) for row in rows)
    times = max(len(row.time) for row in rows)
    lines = (
        f"  {row.mark} {row.wanted:<{left}}   {row.real:<{right}}   {row.time:>{times}}"
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _matched(difference: Difference, zero: int) -> Iterator[_Row]:
    """Yield the rows before the difference, also of elements that nothing needed to match."""
    shown = -1
    tokens = [
        (element, token)
        for element, token in zip(difference.matched, difference.tokens, strict=False)
        if element is not None
    ]
    for element, group in groupby(tokens, key=lambda pair: pair[0]):
        for skipped in range(shown + 1, element):
            yield _Row(difference.elements[skipped])
        shown = max(shown, element)
        name = difference.elements[element]
        for row in _folded([token for _, token in group], zero):
            yield row._replace(wanted=name)
            name = ""
    for skipped in range(shown + 1, difference.element):
        yield _Row(difference.elements[skipped])


def _folded(tokens: Sequence[Token], zero: int) -> Iterator[_Row]:
    for _, group in groupby(tokens, key=lambda token: (token.sign, token.event.__class__)):
        same = list(group)
        if len(same) < _FOLD:
            yield from (_row(token, zero) for token in same)
            continue
        total = count(sum(bytes_of(token.event) for token in same), "byte")
        name = token_text(same[0]).partition(" = ")[0].partition(" (")[0]
        yield _Row("", f"{name} x {len(same):,} ({total})", _time(same[0], zero))


def _row(token: Token, zero: int) -> _Row:
    return _Row("", token_text(token), _time(token, zero))


def _time(token: Token, zero: int) -> str:
    return milliseconds(time_of(token.event) - zero)


def _elided(rows: list[_Row]) -> list[_Row]:
    if len(rows) <= MOST_MATCHED:
        return rows
    half = MOST_MATCHED // 2
    between = _Row("...", f"... {count(len(rows) - 2 * half, 'row')} like these")
    return [*rows[:half], between, *rows[-half:]]


def _from_there(difference: Difference, zero: int) -> Iterator[_Row]:
    """Yield the row of the difference and what remains on both sides, unaligned."""
    wanted = list(difference.elements[difference.element :]) or ["(nothing more)"]
    if difference.element in difference.matched:
        wanted[0] = f"{wanted[0]} (goes on)"
    rest = difference.tokens[difference.at :]
    real = [_row(token, zero) for token in rest[:MOST_AFTER]]
    if len(rest) > MOST_AFTER:
        real.append(_Row("", f"... and {len(rest) - MOST_AFTER:,} more"))
    real = real or [_Row("", "(nothing more)")]
    real += [
        _Row("", call_text(call), milliseconds(call.start - zero)) for call in _hung(difference)
    ]
    for index in range(max(len(wanted), len(real))):
        name = wanted[index] if index < len(wanted) else ""
        row = real[index] if index < len(real) else _Row("")
        yield row._replace(wanted=name, mark=" " if index else ">")


def _hung(difference: Difference) -> list[Call]:
    """Return the calls that never returned and did not count."""
    shown = {id(token.event) for token in difference.tokens}
    return [c for c in difference.scene.calls if c.result is None and id(c) not in shown]
