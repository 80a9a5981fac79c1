"""Reads which connections a pattern means, and how many there must be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labctl.sequence.pattern.errors import PatternError

_LARGEST = 10**60
_MOST = 999_999_999


def port(value: object) -> int | None:
    """Return the port that is meant, None for any. Raises PatternError, with an empty path."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_535:
        raise PatternError(f"port {shown(value)} is not 1 to 65535", "port: 8080")
    return value


def protocol(value: object) -> str | None:
    """Return `tcp` or `udp`, None where it is not said. Raises PatternError."""
    if value is None or (isinstance(value, str) and value in ("tcp", "udp")):
        return value
    raise PatternError(f"protocol {shown(value)} is neither tcp nor udp", "write tcp or udp")


def connections(value: object) -> tuple[int, int | None]:
    """Return how many there must be at least and at most, None for any. Raises PatternError."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value, value
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]{1,9})(\+?)", value)):
        return int(match[1]), None if match[2] else int(match[1])
    hint = "a whole number, or `3+` for at least three"
    raise PatternError(f"connections: {shown(value)} is not a number", hint)


def shown(value: object) -> str:
    """Return a value as an error shows it: in few letters, whatever it is."""
    if isinstance(value, str):
        return f'"{value[:60]}"'
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "a number of very many digits"  # which Python refuses to write (sys.int_info)
    return str(value)[:60] if isinstance(value, int | float | None) else _kind(value)


def _kind(value: object) -> str:
    return "a mapping" if isinstance(value, Mapping) else f"a {type(value).__name__}"
