"""Reads fixed structures and attributes of netlink messages."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type (linux/netlink.h)
_TYPE = 0x3FFF
_U32 = struct.Struct("=I")


class Malformed(ValueError):
    """A message is not as its structure has it."""


def unpack(layout: struct.Struct, block: bytes, at: int = 0) -> tuple[Any, ...]:
    """Return the fields of a structure. Raises Malformed where the block is too short."""
    if len(block) < at + layout.size:
        raise Malformed(f"{len(block)} bytes where {at + layout.size} are needed")
    return layout.unpack_from(block, at)


def attributes(block: bytes) -> dict[int, bytes]:
    """Return the attributes that make up a block, by type. Raises Malformed where it does not
    end with the end of one."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(block):
        length, kind = unpack(_ATTRIBUTE, block, at)
        if length < _ATTRIBUTE.size or at + length > len(block):
            raise Malformed(f"an attribute of {length} bytes at {at} of {len(block)}")
        found[kind & _TYPE] = block[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def number(told: Mapping[int, bytes], kind: int, index: int = 0) -> int | None:
    """Return one of the 32-bit numbers of an attribute; None where it is not there."""
    block = told.get(kind, b"")
    at = index * _U32.size
    return _U32.unpack_from(block, at)[0] if len(block) >= at + _U32.size else None
