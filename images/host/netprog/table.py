"""The directory's live table: who is there and has which files. Pure: no socket, no clock.

Files that several users have under the same name, with the same checksum, size and so on,
are one item with several holders. Items are found by their words (index.py) and by their
whole name, and by their checksum.
"""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from few import Few, each, less, more
from index import Index, words_of
from messages import File
from napster import ip_number
from query import Search

MOST_FILES_A_USER = 5_000
MOST_FILES = 2_000_000
"""Files the whole table may hold: 1.7 GB of memory with names of usual length."""

MOST_EXAMINED = 100_000
"""Items one search looks at, so that no search holds the others up: some 10 ms."""


class TableFull(Exception):
    """No more files can be taken."""


@dataclass(slots=True, eq=False)
class Item:
    """A file, and who has it; `number` is its place in the index."""

    file: File
    number: int
    holders: "Few[User]" = None


@dataclass(slots=True, eq=False)
class User:
    """A user who is logged in. `port` is the data port; 0 means nobody can connect to it."""

    nick: str
    ip: str
    port: int
    link: int
    client: str = ""
    visitor: int = -1
    """The number of the connection."""
    since: float = 0
    items: dict[str, Item] = field(default_factory=dict)
    """By file name."""
    bytes: int = 0
    """Of all its files together."""
    gone: bool = False
    """It has left; its files may still be among the holders' of their items."""
    downloads: int = 0
    uploads: int = 0
    """How many are under way, as the user says (218 to 221)."""
    place: str = field(init=False)
    """What follows the file in a search's result: nick, address, link type."""

    def __post_init__(self) -> None:
        self.place = f"{self.nick} {ip_number(self.ip)} {self.link}"


class Table:
    """Users by nick. Upper and lower case of a nick are the same user, as on OpenNap."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._items: list[Item | None] = []
        self._free: list[int] = []
        self._by_name: dict[str, Few[Item]] = {}
        self._by_md5: dict[str, Few[Item]] = {}
        self._index = Index(self._has)
        self._left: deque[User] = deque()
        """Those who are gone and whose files have not all been taken out yet."""
        self._turn = 0
        self._files = 0
        self._bytes = 0

    def user(self, nick: str) -> User | None:
        return self._users.get(nick.lower())

    def join(self, user: User) -> bool:
        """Take the user in; False when the nick is there already."""
        if self.user(user.nick) is not None:
            return False
        self._users[user.nick.lower()] = user
        return True

    def leave(self, nick: str) -> None:
        """Forget the user and all its files; `tidy` takes them out."""
        user = self._users.pop(nick.lower())
        user.gone = True
        self._files -= len(user.items)
        self._bytes -= user.bytes
        self._left.append(user)

    @property
    def untidy(self) -> bool:
        """Whether there is something for `tidy` to do."""
        return bool(self._left)

    def tidy(self, most: int) -> None:
        """Take out files of those who have left, `most` at most: some 20 us each."""
        for _ in range(most):
            while self._left and not self._left[0].items:
                self._left.popleft()
            if not self._left:
                return
            user = self._left[0]
            _, item = user.items.popitem()
            self._let_go(item, user)

    def share(self, user: User, file: File) -> None:
        """Note that the user has `file`; the same name again replaces it. Raises TableFull."""
        self.unshare(user, file.name)
        # So that no more pile up, however many come and leave.
        self.tidy(1)
        if len(user.items) >= MOST_FILES_A_USER or self._files >= MOST_FILES:
            raise TableFull
        item = self._item(file)
        item.holders = more(item.holders, user)
        user.items[item.file.name] = item
        user.bytes += file.size
        self._files += 1
        self._bytes += file.size

    def unshare(self, user: User, name: str) -> bool:
        """Note that the user has the file no more; False when it was not noted."""
        item = user.items.pop(name, None)
        if item is None:
            return False
        self._let_go(item, user)
        user.bytes -= item.file.size
        self._files -= 1
        self._bytes -= item.file.size
        return True

    def _let_go(self, item: Item, user: User) -> None:
        item.holders = less(item.holders, user)
        if item.holders is None:
            self._forget(item)

    def _item(self, file: File) -> Item:
        """The item of `file`, a new one if there is none yet."""
        lowered = _lowered(file)
        namesakes = self._by_name.get(lowered)
        for item in each(namesakes):
            if item.file == file:
                return item
        if self._free:
            number = self._free.pop()
        else:
            number = len(self._items)
            self._items.append(None)
        item = self._items[number] = Item(file, number)
        self._by_name[lowered] = more(namesakes, item)
        self._by_md5[file.md5] = more(self._by_md5.get(file.md5), item)
        self._index.add(number, words_of(lowered))
        return item

    def _forget(self, item: Item) -> None:
        lowered = _lowered(item.file)
        for found, key in ((self._by_name, lowered), (self._by_md5, item.file.md5)):
            rest = less(found[key], item)
            if rest is None:
                del found[key]
            else:
                found[key] = rest
        self._items[item.number] = None
        self._index.remove(words_of(lowered))
        self._free.append(item.number)

    def _has(self, number: int, word: str) -> bool:
        item = self._items[number]
        return item is not None and word in words_of(item.file.name)

    def search(self, wanted: Search, asker: User | None) -> list[tuple[File, User]]:
        """At most `wanted.most` results, exact names first; the asker's own are left out.

        Of a file that many have, each search begins with another holder.
        """
        found: list[tuple[File, User]] = []
        self._turn += 1
        for item in self._candidates(wanted):
            holders = item.holders
            for user in self._rotated(holders) if isinstance(holders, dict) else each(holders):
                if len(found) >= wanted.most:
                    return found
                if user is not asker and not user.gone and wanted.admits(item.file, user.link):
                    found.append((item.file, user))
        return found

    def _rotated(self, holders: "dict[User, None]") -> Iterator[User]:
        first = self._turn % len(holders)
        return itertools.chain(
            itertools.islice(holders, first, None), itertools.islice(holders, first)
        )

    def _candidates(self, wanted: Search) -> Iterator[Item]:
        """The items with that very name, then those with all the words."""
        exact = tuple(each(self._by_name.get(wanted.phrase)))
        yield from exact
        words = words_of(wanted.phrase)
        seen = {item.number for item in exact}
        numbers, sure = self._index.with_all(words) if words else (range(len(self._items)), False)
        for number in itertools.islice(numbers, MOST_EXAMINED):
            item = self._items[number]
            if item is None or number in seen:
                continue
            if isinstance(item.holders, User) and item.holders.gone:
                continue
            if sure or words <= words_of(item.file.name):
                seen.add(number)
                yield item

    def same(self, md5: str, size: int, most: int) -> list[tuple[File, User]]:
        """At most `most` who have a file of that checksum and size in bytes, whatever its name."""
        items = itertools.islice(each(self._by_md5.get(md5)), MOST_EXAMINED)
        found = (
            (item.file, user) for item in items if item.file.size == size for user in present(item)
        )
        return list(itertools.islice(found, most))

    def statistics(self) -> tuple[int, int, int]:
        """How many users, files, and whole gigabytes (10^9 bytes) of files."""
        return len(self._users), self._files, self._bytes // 10**9

    def users(self) -> Iterator[User]:
        """Everybody, in the order in which they came."""
        return iter(self._users.values())

    def rows(self) -> list[Item]:
        """Each file (name, checksum, size) and the users who have it, sorted by name."""
        items = (item for item in self._items if item is not None and any(present(item)))
        return sorted(items, key=lambda item: (item.file.name, item.file.md5, item.file.size))


def present(item: Item) -> Iterator[User]:
    """Those who have the file, without any that have left."""
    return (user for user in each(item.holders) if not user.gone)


def _lowered(file: File) -> str:
    """The name in lower case; the very same object where that changes nothing."""
    lowered = file.name.lower()
    return file.name if lowered == file.name else lowered
