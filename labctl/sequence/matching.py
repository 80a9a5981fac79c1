"""Gives each of several things one of several others, each at most once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Choice = TypeVar("Choice")

DEPTH = 40
"""How many earlier decisions are changed at most to make room for one more."""


class Matching(Generic[Item, Choice]):
    """A matching as large as the choices allow (Kuhn's algorithm, with bounded paths).

    `choices` returns what an item may be given, best first; it is asked once per item. The
    things are told apart by identity.
    """

    def __init__(self, choices: Callable[[Item], Sequence[Choice]]) -> None:
        self._choices = choices
        self._asked: dict[int, Sequence[Choice]] = {}
        self._owner: dict[int, Item] = {}
        self.given: dict[int, Choice] = {}
        """What each item was given, by the item's `id`."""

    def match(self, items: Iterable[Item]) -> None:
        for item in items:
            self._asked[id(item)] = self._choices(item)
            self._place(item, set(), DEPTH)

    def taken(self, choice: Choice) -> bool:
        return id(choice) in self._owner

    def take(self, item: Item, choice: Choice) -> None:
        """Give an item something that is certain."""
        self._owner[id(choice)] = item
        self._asked[id(item)] = (choice,)
        self.given[id(item)] = choice

    def _place(self, item: Item, tried: set[int], depth: int) -> bool:
        choices = self._asked[id(item)]
        for choice in choices:
            if id(choice) not in self._owner:
                self._owner[id(choice)] = item
                self.given[id(item)] = choice
                return True
        if not depth:
            return False
        for choice in choices:
            if id(choice) in tried:
                continue
            tried.add(id(choice))
            if self._place(self._owner[id(choice)], tried, depth - 1):
                self._owner[id(choice)] = item
                self.given[id(item)] = choice
                return True
        return False
