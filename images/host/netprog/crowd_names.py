"""The files that a crowd shares, and what it searches for. Pure, and the same for each seed.

A name is five words and a number. The k-th word of 20,000 is k times rarer than the first, as in
a language; who searches takes one to three words that stand together in some name.
"""

import itertools
import random
import string
from collections.abc import Iterator

WORDS = 20_000


class Names:
    """`count` names; that of file `number` is `names[number]`."""

    def __init__(self, count: int, seed: int) -> None:
        self._chance = random.Random(seed)
        letters = string.ascii_lowercase
        known = [
            "".join(self._chance.choices(letters, k=self._chance.randrange(3, 9)))
            for _ in range(WORDS)
        ]
        weights = list(itertools.accumulate(1 / rank for rank in range(1, WORDS + 1)))
        drawn = self._chance.choices(known, cum_weights=weights, k=5 * count)
        self.names = [
            f"{' '.join(drawn[5 * number : 5 * number + 5])} {number}.mp3"
            for number in range(count)
        ]

    def searches(self) -> Iterator[tuple[str, ...]]:
        """Endless words to search for."""
        while True:
            words = self._chance.choice(self.names).split()[:5]
            yield tuple(words[: self._chance.randrange(1, 4)])


class Expected:
    """What a search must find: the numbers of the files with each word."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._numbers: dict[str, set[int]] = {}
        for number, name in enumerate(names):
            for word in name.split()[:5]:
                self._numbers.setdefault(word, set()).add(number)

    def numbers(self, words: tuple[str, ...]) -> set[int]:
        """The files with all the words."""
        return set.intersection(*(self._numbers.get(word, set()) for word in words))

    def are_right(self, found: list[str], words: tuple[str, ...], count: int) -> bool:
        """Whether `found` are names of `count` different files with all the words."""
        numbers = {int(name.rpartition(" ")[2].removesuffix(".mp3")) for name in found}
        return len(found) == len(numbers) == count and numbers <= self.numbers(words)
