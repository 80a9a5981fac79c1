"""Plain data, as a lab file or a test has it, to a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.model import Mention, Pattern
from labctl.sequence.pattern.reader import Reader


class Examined(NamedTuple):
    """What plain data was read as: all that is wrong with it, and the hosts that it names.

    `pattern` is None where there are errors.
    """

    pattern: Pattern | None
    errors: tuple[PatternError, ...]
    mentions: tuple[Mention, ...]


def parse(data: Mapping[str, Any] | Pattern) -> Pattern:
    """Return the pattern that plain data describes; a pattern as it is.

    Raises PatternError with the first thing that is wrong.
    """
    if isinstance(data, Pattern):
        return data
    examined = examine(data)
    if examined.pattern is None:
        raise examined.errors[0]
    return examined.pattern


def examine(data: object) -> Examined:
    """Return the pattern that plain data describes, or else all that is wrong with it."""
    reader = Reader()
    pattern = reader.pattern(data)
    errors = tuple(reader.errors)
    return Examined(None if errors else pattern, errors, tuple(reader.mentions))
