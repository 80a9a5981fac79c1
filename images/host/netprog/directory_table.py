"""The directory's table for a reader: as a JSON object and as lines of text. Pure.

The object: {"directory": [ip, port],
 "users": [{"nick", "ip", "port", "link", "files": count}, ...],
 "files": [{"file", "size", "md5", "holders": [{"nick", "ip", "port", "link"}, ...]}, ...]}
"""

from typing import Any

from command import endpoint
from table import Table, User

LINKS = (
    *("unknown", "14.4k", "28.8k", "33.6k", "56.7k", "64k ISDN"),
    *("128k ISDN", "cable", "DSL", "T1", "T3"),
)
"""The names of the link types 0 to 10."""


def table_object(table: Table, address: tuple[str, int]) -> dict[str, Any]:
    """The live table as an object fit for json.dumps; `address` is the directory's own."""
    files = [
        {
            "file": file.name,
            "size": file.size,
            "md5": file.md5,
            "holders": [_user(holder) for holder in holders],
        }
        for file, holders in table.rows().items()
    ]
    users = [{**_user(user), "files": len(user.files)} for user in table.users()]
    return {"directory": list(address), "users": users, "files": files}


def _user(user: User) -> dict[str, Any]:
    return {"nick": user.nick, "ip": user.ip, "port": user.port, "link": user.link}


def table_lines(table: dict[str, Any]) -> list[str]:
    """The same object as lines: one a file, its holders after it."""
    lines = [f"{len(table['users'])} users, {len(table['files'])} files"]
    for row in table["files"]:
        holders = ", ".join(
            f"{holder['nick']} {endpoint((holder['ip'], holder['port']))} {LINKS[holder['link']]}"
            for holder in row["holders"]
        )
        lines.append(f"{row['file']}  {row['size']}  {row['md5']}  {holders}")
    return lines
