"""How several directories may share a load: who tells which about a file, and who is asked. Pure.

`peers`: a peer tells one directory, chosen by its nick; whoever searches asks them all.
`copies`: a peer tells all; whoever searches asks one, chosen by the nick.
`words`: a peer tells of a file those that own a word of its name; one word's owner is asked.
"""

from zlib import crc32

WAYS = ("peers", "copies", "words")


class Split:
    """One way of sharing a load between `count` directories, known by their places 0, 1, ..."""

    def __init__(self, way: str, count: int) -> None:
        self._way = way
        self._count = count

    def _of(self, text: str) -> int:
        return crc32(text.encode()) % self._count

    def told(self, nick: str, name: str) -> set[int]:
        """Who is told that `nick` shares a file called `name`."""
        if self._way == "peers":
            return {self._of(nick)}
        if self._way == "copies":
            return set(range(self._count))
        return {self._of(word) for word in name.split()}

    def asked(self, nick: str, words: tuple[str, ...]) -> list[int]:
        """Who is asked for files with all the words; together they know of each."""
        if self._way == "peers":
            return list(range(self._count))
        return [self._of(nick if self._way == "copies" else words[0])]
