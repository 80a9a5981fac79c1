"""The search of message 200: its little language and which files it means. Pure.

FILENAME CONTAINS "words" MAX_RESULTS 50 BITRATE "AT LEAST" "128" LINESPEED "EQUAL TO" 10
"""

from dataclasses import dataclass

from messages import File
from napster import Malformed, fields, number, quoted

MOST_RESULTS = 100
MOST_WORDS = 32
LIMITS = ("LINESPEED", "BITRATE", "FREQ")
FLAGS = ("WMA-FILE", "LOCAL_ONLY")
"""Words without a value that change nothing for one directory that takes every file."""


@dataclass(frozen=True)
class Limit:
    """One of `LIMITS`, how to compare, and with what."""

    what: str
    compare: str
    value: int

    def admits(self, value: int) -> bool:
        if self.compare == "AT LEAST":
            return value >= self.value
        if self.compare == "AT BEST":
            return value <= self.value
        return value == self.value


@dataclass(frozen=True)
class Search:
    """`words` (lower case) must all be in a file's name, in any case; results up to `most`."""

    words: tuple[str, ...]
    most: int = MOST_RESULTS
    limits: tuple[Limit, ...] = ()

    @classmethod
    def parse(cls, data: str) -> "Search":
        """Read a query; its parts may stand in any order. Raises Malformed."""
        words: list[str] = []
        most = MOST_RESULTS
        limits: list[Limit] = []
        parts = iter(fields(data))
        try:
            for part in parts:
                if part == "FILENAME" and next(parts) == "CONTAINS":
                    words += next(parts).lower().split()
                elif part == "MAX_RESULTS":
                    most = min(number(next(parts)), MOST_RESULTS)
                elif part in LIMITS:
                    compare = next(parts)
                    if compare not in ("AT LEAST", "AT BEST", "EQUAL TO"):
                        raise Malformed(f"{compare[:40]!r} compares nothing")
                    limits.append(Limit(part, compare, number(next(parts))))
                elif part not in FLAGS:
                    raise Malformed(f"{part[:40]!r} is no part of a search")
        except StopIteration:
            raise Malformed("the search ends too early") from None
        if len(words) > MOST_WORDS:
            raise Malformed(f"more than {MOST_WORDS} words")
        return cls(tuple(words), most, tuple(limits))

    @property
    def phrase(self) -> str:
        """All words with single spaces: what a name is that is meant exactly."""
        return " ".join(self.words)

    def admits(self, file: File, link: int) -> bool:
        """Whether the limits admit `file` of a user with `link`."""
        if not self.limits:
            return True
        values = {"LINESPEED": link, "BITRATE": file.bitrate, "FREQ": file.frequency}
        return all(limit.admits(values[limit.what]) for limit in self.limits)


def search_data(words: str, most: int = MOST_RESULTS) -> str:
    """The data of a 200 that looks for `words` (the first 32) in names. Raises Malformed for
    a quote."""
    return f"FILENAME CONTAINS {quoted(' '.join(words.split()[:MOST_WORDS]))} MAX_RESULTS {most}"
