"""Which files have a word in their name: the index behind the directory's searches. Pure.

A word is a run of letters and digits, in lower case: `Some_song (live).mp3` has the words
some, song, live and mp3. For each word there is a list of file numbers, four bytes each: a
million files with five words each need twenty megabytes. What is removed stays in the lists
until half of one is dead; then that list is written anew.
"""

import re
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable

WORD = re.compile(r"[^\W_]+")

FEWEST_DEAD = 16
"""A shorter list is not worth the work."""

WORTH_IT = 32
"""How many numbers of a list are gone through in the time that one file's name is looked at."""

LONG = 2_000
MOST_SETS = 64
"""Of a list longer than LONG that is searched in, the set is kept: for MOST_SETS words."""


def words_of(name: str) -> set[str]:
    """The words of a name."""
    return set(WORD.findall(name.lower()))


class Numbers:
    """The numbers of the files with one word; `dead` counts those that no longer have it."""

    __slots__ = ("as_set", "dead", "list")

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self.list = array("I", numbers)
        self.as_set: set[int] | None = None
        self.dead = 0

    def add(self, number: int) -> None:
        self.list.append(number)
        if self.as_set is not None:
            self.as_set.add(number)


class Index:
    """Word -> numbers. `has(number, word)` tells whether the file of that number has the word.

    A number that was removed may come back with another file: so the lists can hold a number
    twice, or one whose file has the word no more. Who reads them checks.
    """

    def __init__(self, has: Callable[[int, str], bool]) -> None:
        self._has = has
        self._numbers: dict[str, Numbers] = {}
        self._sets: deque[Numbers] = deque()

    def add(self, number: int, words: Iterable[str]) -> None:
        for word in words:
            numbers = self._numbers.get(word)
            if numbers is None:
                numbers = self._numbers[word] = Numbers()
            numbers.add(number)

    def remove(self, words: Iterable[str]) -> None:
        """A file with these words is gone: `has` must say so already."""
        for word in words:
            numbers = self._numbers[word]
            numbers.dead += 1
            if numbers.dead >= len(numbers.list):
                del self._numbers[word]
            elif numbers.dead >= FEWEST_DEAD and 2 * numbers.dead > len(numbers.list):
                living = dict.fromkeys(n for n in numbers.list if self._has(n, word))
                self._numbers[word] = Numbers(living)

    def with_all(self, words: Iterable[str]) -> tuple[Collection[int], bool]:
        """The numbers of the files that seem to have all of `words` (at least one), and whether
        that is sure.

        The list of the rarest word, less what is not in the others' lists. A list that is so
        much longer that going through it takes more time than it saves is left out.
        """
        try:
            lists = [self._numbers[word] for word in words]
        except KeyError:
            return (), True
        shortest, *others = sorted(lists, key=lambda numbers: len(numbers.list))
        found: Collection[int] = shortest.list
        sure = shortest.dead == 0
        for numbers in others:
            if len(numbers.list) > LONG:
                found = self._set(numbers).intersection(found)
            elif len(numbers.list) > WORTH_IT * len(found):
                return found, False
            else:
                found = set(found).intersection(numbers.list)
            sure = sure and numbers.dead == 0
        return found, sure

    def _set(self, numbers: Numbers) -> set[int]:
        if numbers.as_set is None:
            numbers.as_set = set(numbers.list)
            self._sets.append(numbers)
            if len(self._sets) > MOST_SETS:
                self._sets.popleft().as_set = None
        return numbers.as_set
