"""The directory's table for a reader: on its way as JSON, as one object, and as text. Pure.

On its way it is one JSON object a line, so that a million files never stand in memory as text:
first {"directory": [ip, port], "users": count, "files": count}, then the users, then the files.

The one object: {"directory": [ip, port],
 "users": [{"nick", "ip", "port", "link", "files": count}, ...],
 "files": [{"file", "size", "md5", "holders": [{"nick", "ip", "port", "link"}, ...]}, ...]}
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from command import endpoint
from table import Table, User, present

LINKS = (
    *("unknown", "14.4k", "28.8k", "33.6k", "56.7k", "64k ISDN"),
    *("128k ISDN", "cable", "DSL", "T1", "T3"),
)
"""The names of the link types 0 to 10."""


def table_lines_json(table: Table, address: tuple[str, int]) -> Iterator[str]:
    """The live table, a JSON object a line; `address` is the directory's own."""
    rows = table.rows()
    users = list(table.users())
    yield json.dumps({"directory": list(address), "users": len(users), "files": len(rows)})
    for user in users:
        yield json.dumps({**_user(user), "files": len(user.items)})
    for item in rows:
        file, holders = item.file, [_user(holder) for holder in present(item)]
        yield json.dumps(
            {"file": file.name, "size": file.size, "md5": file.md5, "holders": holders}
        )


def _user(user: User) -> dict[str, Any]:
    return {"nick": user.nick, "ip": user.ip, "port": user.port, "link": user.link}


def table_object(lines: Iterable[str]) -> dict[str, Any]:
    """The lines as one object. Raises ValueError when they are not all there."""
    head, *rest = (json.loads(line) for line in lines)
    users, files = rest[: head["users"]], rest[head["users"] :]
    if (len(users), len(files)) != (head["users"], head["files"]):
        raise ValueError("the table is cut short")
    return {"directory": head["directory"], "users": users, "files": files}


def table_text(lines: Iterable[str]) -> Iterator[str]:
    """The lines for a person: how many there are, then each file and its holders.

    Raises ValueError when they are not all there.
    """
    left = iter(lines)
    head = json.loads(next(left, "{}"))
    if not head:
        raise ValueError("the table is cut short")
    yield f"{head['users']} users, {head['files']} files"
    count = 0
    for line in left:
        row = json.loads(line)
        count += 1
        if "file" in row:
            yield f"{row['file']}  {row['size']}  {row['md5']}  {_holders(row['holders'])}"
    if count != head["users"] + head["files"]:
        raise ValueError("the table is cut short")


def _holders(holders: list[dict[str, Any]]) -> str:
    return ", ".join(
        f"{holder['nick']} {endpoint((holder['ip'], holder['port']))} {LINKS[holder['link']]}"
        for holder in holders
    )
