"""The options of a TCP header (RFC 9293, 3.1; RFC 7323; RFC 2018)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from labctl.sequence.events import Value

_END = 0
_NOTHING = 1
_MSS = 2
_WINDOW_SCALE = 3
_SACK_PERMITTED = 4
_SACK = 5
_TIMESTAMP = 8


def parse(options: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the value of each option, as far as they can be read."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == _END:
            return
        if kind == _NOTHING:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            return
        yield kind, options[at + 2 : at + size]
        at += size


def _numbers(form: str, value: bytes) -> list[Value]:
    return list(struct.unpack(form, value))


def decode(options: bytes) -> dict[str, Value]:
    """Return the options by name; `sack` has the edges of its blocks one after the other.

    `timestamp` is its value and the echo reply. Options without a name are left out.
    """
    if len(options) == 12 and options[:4] == b"\x01\x01\x08\x0a":
        return {"timestamp": _numbers(">II", options[4:])}
    named: dict[str, Value] = {}
    for kind, value in parse(options):
        if kind == _MSS and len(value) == 2:
            named["mss"] = int.from_bytes(value, "big")
        elif kind == _WINDOW_SCALE and len(value) == 1:
            named["window_scale"] = value[0]
        elif kind == _SACK_PERMITTED and not value:
            named["sack_permitted"] = True
        elif kind == _TIMESTAMP and len(value) == 8:
            named["timestamp"] = _numbers(">II", value)
        elif kind == _SACK and value and len(value) % 8 == 0:
            named["sack"] = _numbers(f">{len(value) // 4}I", value)
    return named
