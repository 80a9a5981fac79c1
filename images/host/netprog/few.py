"""None, one, or many values in one variable. Pure.

Nearly every file has one holder and a name of its own. A container for each of a million such
ones would need more memory than the values: so one value stands for itself, and only several
are a dict, in the order in which they came.
"""

from collections.abc import Hashable, Iterable
from typing import TypeAlias, TypeVar

T = TypeVar("T", bound=Hashable)
Few: TypeAlias = "T | dict[T, None] | None"


def more(few: "Few[T]", value: T) -> "Few[T]":
    """`few` with `value`."""
    if few is None:
        return value
    if isinstance(few, dict):
        few[value] = None
        return few
    return {few: None, value: None}


def less(few: "Few[T]", value: T) -> "Few[T]":
    """`few` without `value`, which is in it."""
    if not isinstance(few, dict):
        return None
    del few[value]
    return few or None


def each(few: "Few[T]") -> Iterable[T]:
    """All values, the oldest first."""
    if few is None:
        return ()
    return few if isinstance(few, dict) else (few,)
