"""The shared folder as the directory is to know it: names, sizes, checksums."""

import hashlib
import os
import stat
from collections.abc import Iterator

from folder import NotShared, open_shared
from messages import MOST_NAME, File
from napster import size
from receiving import HEAD

Identity = tuple[int, int, int]
"""Inode, size in bytes, modification time in ns: the same as long as the file is."""


class Share:
    """Watches a folder by looking at it again and again.

    Shared is every regular file directly inside it whose name does not start with a dot
    (those are still on their way in) and can be sent (no double quote). The checksum is the
    MD5 of the first 300,000 bytes, as the clients of 2000 made it.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._seen: dict[str, Identity] | None = None
        self._files: dict[str, tuple[Identity, File]] = {}

    def scan(self) -> dict[str, File]:
        """The files by name. A new or changed one counts once two scans saw it the same.

        So a file that is being copied into the folder is not shared half-written. What is
        there at the first scan counts at once. A folder that is gone has no files.
        """
        seen = dict(self._look())
        settled = seen if self._seen is None else self._seen
        self._seen = seen
        files: dict[str, tuple[Identity, File]] = {}
        for name, identity in seen.items():
            known = self._files.get(name)
            if known is not None and known[0] == identity:
                files[name] = known
            elif settled.get(name) == identity:
                try:
                    files[name] = (identity, self._describe(name))
                except (NotShared, OSError):
                    continue
        self._files = files
        return {name: file for name, (_, file) in files.items()}

    def _look(self) -> Iterator[tuple[str, Identity]]:
        try:
            entries = list(os.scandir(self._folder))
        except OSError:
            return
        for entry in entries:
            if entry.name.startswith(".") or '"' in entry.name or size(entry.name) > MOST_NAME:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield entry.name, (status.st_ino, status.st_size, status.st_mtime_ns)

    def _describe(self, name: str) -> File:
        with open_shared(self._folder, name) as file:
            head = b""
            while len(head) < HEAD and (piece := file.read(HEAD - len(head))):
                head += piece
            bytes_now = os.fstat(file.fileno()).st_size
        return File(name, hashlib.md5(head, usedforsecurity=False).hexdigest(), bytes_now)
