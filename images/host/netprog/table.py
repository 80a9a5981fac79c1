"""The directory's live table: who is there and has which files. Pure: no socket, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from messages import File, Result
from query import Search

MOST_FILES_A_USER = 5_000
MOST_FILES = 200_000
"""Files the whole table may hold: with names of up to 2 kB that bounds the memory."""


class TableFull(Exception):
    """No more files can be taken."""


@dataclass
class User:
    """A user who is logged in. `port` is the data port; 0 means nobody can connect to it."""

    nick: str
    ip: str
    port: int
    link: int
    files: dict[str, File] = field(default_factory=dict)
    lowered: dict[str, str] = field(default_factory=dict)
    """File name -> the same in lower case, so that a search need not convert it again."""


class Table:
    """Users by nick. Upper and lower case of a nick are the same user, as on OpenNap."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
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
        """Take the user and all its files out."""
        user = self._users.pop(nick.lower())
        self._files -= len(user.files)
        self._bytes -= sum(file.size for file in user.files.values())

    def share(self, nick: str, file: File) -> None:
        """Note that the user has `file`; the same name again replaces it. Raises TableFull."""
        user = self._users[nick.lower()]
        self.unshare(nick, file.name)
        if len(user.files) >= MOST_FILES_A_USER or self._files >= MOST_FILES:
            raise TableFull
        self._files += 1
        self._bytes += file.size
        user.files[file.name] = file
        user.lowered[file.name] = file.name.lower()

    def unshare(self, nick: str, name: str) -> bool:
        """Note that the user has the file no more; False when it was not noted."""
        user = self._users[nick.lower()]
        file = user.files.pop(name, None)
        if file is None:
            return False
        del user.lowered[name]
        self._files -= 1
        self._bytes -= file.size
        return True

    def search(self, wanted: Search, asker: str) -> list[Result]:
        """At most `wanted.most` results, exact names first; the asker's own are left out."""
        exact: list[Result] = []
        others: list[Result] = []
        for user in self._users.values():
            if user.nick.lower() == asker.lower():
                continue
            for name, file in user.files.items():
                lowered = user.lowered[name]
                if not wanted.matches(lowered, file, user.link):
                    continue
                found = exact if lowered == wanted.phrase else others
                if len(found) < wanted.most:
                    found.append(Result(file, user.nick, user.ip, user.link))
        return (exact + others)[: wanted.most]

    def statistics(self) -> tuple[int, int, int]:
        """How many users, files, and whole gigabytes (10^9 bytes) of files."""
        return len(self._users), self._files, self._bytes // 10**9

    def users(self) -> Iterator[User]:
        """Everybody, in the order in which they came."""
        return iter(self._users.values())

    def rows(self) -> dict[File, list[User]]:
        """Each file (name, checksum, size) and the users who have it, sorted by name."""
        found: dict[File, list[User]] = {}
        for user in self._users.values():
            for file in user.files.values():
                found.setdefault(file, []).append(user)
        return dict(sorted(found.items(), key=lambda row: (row[0].name, row[0].md5)))
