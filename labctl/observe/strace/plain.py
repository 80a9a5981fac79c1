"""From values as strace writes them to those of an event (JSON). Pure."""

from __future__ import annotations

from typing import NamedTuple

from labctl.observe.strace.values import Applied, Changed, Raw, Words
from labctl.sequence.events import Value


class Asked(NamedTuple):
    """What a call was asked: its arguments in order, those with a name, and strace's remark.

    The remark is what stands in brackets behind the result: `(flags O_RDWR)`.
    """

    values: list[Raw]
    names: dict[str, Raw]
    remark: str

    def at(self, place: int) -> Raw:
        """Return an argument; `...`, as strace writes what it leaves out, where it is missing."""
        return self.values[place] if place < len(self.values) else "..."


def plain(raw: Raw) -> Value:
    """Return any value as JSON has it; of one that the call has changed, what became of it."""
    if isinstance(raw, Changed):
        raw = raw.after
    if isinstance(raw, list):
        return [plain(item) for item in raw]
    if isinstance(raw, dict):
        return {name: plain(field) for name, field in raw.items()}
    if isinstance(raw, Words):
        return " ".join(str(plain(term)) for term in raw.terms)
    if isinstance(raw, Applied):
        return _applied(raw)
    return _simple(raw)


_CONVERSIONS = ("htons", "htonl", "inet_addr", "if_nametoindex")


def _applied(raw: Applied) -> Value:
    inner = [plain(argument) for argument in raw.arguments]
    if raw.name in _CONVERSIONS and inner:
        return inner[0]
    return f"{raw.name}({', '.join(map(str, inner))})"


def _simple(raw: Raw) -> Value:
    if isinstance(raw, bytes):
        return text(raw)
    return raw if isinstance(raw, int | str) and raw != "NULL" else None


def text(raw: bytes) -> str:
    """Return bytes that are meant as text (a path, an argument of a program)."""
    return raw.decode("utf-8", "backslashreplace")


def flags(raw: Raw) -> list[Value]:
    """Return names joined by `|`, in strace's order; a number without a name in hexadecimal."""
    if isinstance(raw, int):
        return [hex(raw)] if raw else []
    if isinstance(raw, str) and raw not in ("NULL", "..."):
        return list(raw.split("|"))
    return []


def flag_field(raw: Raw) -> dict[str, Value]:
    """Return the field `flags`; nothing where the call has not got as far."""
    return {} if raw == "..." else {"flags": flags(raw)}


def within(raw: Raw) -> Raw:
    """Return what a pointer to one value points at: 1 of `[1]`; of `[128 => 16]`, 16."""
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    return raw.after if isinstance(raw, Changed) else raw


def before(raw: Raw) -> Raw:
    """Return what the program gave, where the call has changed it."""
    return raw.before if isinstance(raw, Changed) else raw


def numbers(raw: Raw) -> list[Value]:
    """Return the numbers of a set or an array: `[3 4]`, `[3, 4]`."""
    found: list[Value] = []
    for item in raw if isinstance(raw, list) else []:
        terms = item.terms if isinstance(item, Words) else [item]
        found += [term for term in terms if isinstance(term, int)]
    return found


def structs(raw: Raw) -> list[dict[str, Raw]]:
    """Return the structs of an array, without what strace has left out."""
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def whole(raw: Raw) -> bool:
    """Whether strace shows an array with all its elements."""
    return isinstance(raw, list) and "..." not in raw


def milliseconds(raw: Raw) -> int | None:
    """Return how long a struct timeval or timespec is, rounded up; -1 (for ever) of NULL."""
    if raw == "NULL":
        return -1
    if isinstance(raw, Changed):
        raw = raw.before
    if not isinstance(raw, dict):
        return None
    seconds = raw.get("tv_sec")
    fraction = raw.get("tv_nsec", raw.get("tv_usec"))
    if not isinstance(seconds, int) or not isinstance(fraction, int):
        return None
    per_millisecond = 1_000_000 if "tv_nsec" in raw else 1000
    return seconds * 1000 - (-fraction // per_millisecond)


def known(**found: Value) -> dict[str, Value]:
    """Return what is there: arguments that strace has not shown are None and left out."""
    return {name: value for name, value in found.items() if value is not None}


def integer(raw: Raw) -> int | None:
    return raw if isinstance(raw, int) else None


def word(raw: Raw) -> str | None:
    """Return the name of a constant; a number without a name in hexadecimal."""
    if isinstance(raw, int):
        return hex(raw)
    return raw if isinstance(raw, str) and raw not in ("...", "NULL") else None
