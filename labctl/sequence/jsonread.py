"""Builds events from what JSON has of them, and checks each field against its type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

from labctl.errors import UsageError
from labctl.sequence.events import Endpoint, Sighting

_LONGEST = 60
"""As many characters of something wrong are shown at most."""


class Reader:
    """Reads one line; `where` names it in errors."""

    def __init__(self, where: str) -> None:
        self._where = where

    def wrong(self, why: str) -> UsageError:
        return UsageError(
            f"{self._where}: {why}", "Name a .jsonl file that `labctl trace` has written."
        )

    def object(self, line: str) -> dict[str, Any]:
        """Return the object of a line. Raises UsageError where it is none."""
        try:
            told = json.loads(line, parse_float=_no_number, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise self.wrong(f"not JSON: {error}") from None
        if not isinstance(told, dict):
            raise self.wrong("not a JSON object")
        return told

    def build(self, kind: type, told: Mapping[str, Any]) -> Any:
        """Return a dataclass of the fields that are told.

        Raises UsageError where they are not those of the class.
        """
        types = _types(kind)
        for name in told:
            if name not in types:
                raise self.wrong(f"no field {shown(name)} is known here")
        made = {}
        for field in fields(kind):
            if field.name in told:
                made[field.name] = self._value(field.name, told[field.name], types[field.name])
            elif field.default is MISSING and field.default_factory is MISSING:
                raise self.wrong(f"`{field.name}` is missing")
        return kind(**made)

    def _value(self, name: str, value: Any, wanted: Any) -> Any:
        choices = get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)
        for choice in choices:
            found = self._as(name, value, choice)
            if found is not _NO:
                return found
        raise self.wrong(f"`{name}` is not what it should be: {shown(value)}")

    def _as(self, name: str, value: Any, wanted: Any) -> Any:
        make = _MAKERS.get(wanted)
        if make is not None:
            return make(value)
        if wanted in (int, bool, str, NoneType):
            return value if type(value) is wanted else _NO
        inside = get_args(wanted)
        if get_origin(wanted) is tuple:
            items = value if isinstance(value, list) else None
            return _NO if items is None else tuple(self._value(name, i, inside[0]) for i in items)
        return self._mapping(name, value, inside) if isinstance(value, dict) else _NO

    def _mapping(self, name: str, value: dict[str, Any], inside: tuple[Any, ...]) -> Any:
        if inside[0] is int:
            if not all(key.isascii() and key.isdecimal() and len(key) < 20 for key in value):
                return _NO
            return {int(key): self._value(name, item, inside[1]) for key, item in value.items()}
        if inside[1] is str:
            return {key: self._value(name, item, str) for key, item in value.items()}
        return value


_NO = object()
"""What stands for a value that does not fit; None may be one that does."""


def shown(value: Any) -> str:
    """Return the beginning of a value as it stands in the file, for errors."""
    try:
        text = json.dumps(value)
    except RecursionError:
        return "something too deep"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"all numbers are whole here, not {text[:_LONGEST]}")


def _endpoint(value: Any) -> Any:
    try:
        return Endpoint.parse(value) if isinstance(value, str) else _NO
    except ValueError:
        return _NO


def _sighting(value: Any) -> Any:
    if not isinstance(value, dict) or value.keys() != {"host", "network", "time"}:
        return _NO
    names = isinstance(value["host"], str) and isinstance(value["network"], str)
    return Sighting(**value) if names and type(value["time"]) is int else _NO


_MAKERS = {Endpoint: _endpoint, Sighting: _sighting}
