"""PyYAML's node tree to plain data and positions, within bounds that no file can pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_VALUES = 100_000
MAX_DEPTH = 64

_PREFIX = "tag:yaml.org,2002:"
_MERGE = "<<"
_Pair = tuple[yaml.Node, yaml.Node]
_COMPOSE_TAGS = {"!reset", "!override"}
_CORE: list[tuple[str, str, str]] = [
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", "<<", "<"),
]


class LabLoader(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (one table for the class, as in PyYAML)


for _tag, _pattern, _first in _CORE:
    for _letter in _first:
        LabLoader.yaml_implicit_resolvers.setdefault(_letter.strip("\0"), []).append(
            (_PREFIX + _tag, re.compile(f"(?:{_pattern})\\Z"))
        )


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file: line and column, both from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: Any) -> Position:
        """Return the position of a PyYAML mark."""
        return cls(mark.line + 1, mark.column + 1)


class BadNode(Exception):
    """A node that no lab file may hold."""

    def __init__(self, node: yaml.Node, message: str, hint: str) -> None:
        super().__init__(message)
        self.position = Position.of(node.start_mark)
        self.message = message
        self.hint = hint


class Builder:
    """Turns nodes into data; `keys` and `values` tell where each stands."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str | int, ...], Position] = {}
        self.values: dict[tuple[str | int, ...], Position] = {}
        self._count = 0

    def build(self, node: yaml.Node, path: tuple[str | int, ...] = ()) -> Any:
        """Return the node's data. Raises BadNode, also when aliases make it endless."""
        self._count_one(node, len(path))
        self.values[path] = Position.of(node.start_mark)
        if node.tag == "!reset":
            return None
        if isinstance(node, yaml.MappingNode):
            self._want_tag(node, "map")
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._want_tag(node, "seq")
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        return _scalar(node)

    def _want_tag(self, node: yaml.Node, kind: str) -> None:
        if node.tag not in _COMPOSE_TAGS and node.tag != _PREFIX + kind:
            raise _unknown_tag(node)

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, (key, value) in self._pairs(node, len(path)).items():
            self.keys[(*path, name)] = Position.of(key.start_mark)
            data[name] = self.build(value, (*path, name))
        return data

    def _pairs(self, node: yaml.MappingNode, depth: int) -> dict[str, _Pair]:
        """Return a mapping's keys and values with what `<<` merges into it.

        Its own keys win over merged ones, of several merged mappings the first.
        """
        self._count_one(node, depth)
        own: dict[str, _Pair] = {}
        for key, value in node.value:
            name = _key(key)
            if name in own:
                line = own[name][0].start_mark.line + 1
                raise BadNode(
                    key, f"key `{name}` is given twice (first on line {line})", "remove one of them"
                )
            own[name] = (key, value)
        merged: dict[str, _Pair] = {}
        if _MERGE in own:
            for source in _sources_of_merge(own.pop(_MERGE)[1]):
                for name, pair in self._pairs(source, depth + 1).items():
                    merged.setdefault(name, pair)
        return merged | own

    def _count_one(self, node: yaml.Node, depth: int) -> None:
        self._count += 1
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise BadNode(
                node, "the file holds too much", "use fewer or shallower aliases (`*name`)"
            )


def _sources_of_merge(value: yaml.Node) -> Iterator[yaml.MappingNode]:
    for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
        if not isinstance(source, yaml.MappingNode):
            raise BadNode(source, "`<<` merges mappings only", "name an anchor of a mapping")
        yield source


def _key(node: yaml.Node) -> str:
    if node.tag == _PREFIX + "merge":
        return _MERGE
    if not isinstance(node, yaml.ScalarNode) or node.tag != _PREFIX + "str":
        given = f" `{node.value}`" if isinstance(node, yaml.ScalarNode) else ""
        raise BadNode(node, f"a key{given} that is not a text", "put the key in quotes")
    return str(node.value)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    kind = node.tag.removeprefix(_PREFIX)
    text = str(node.value)
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return {"true": True, "false": False}[text.lower()]
            case "int":
                return _whole(text)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
            case "str" | "merge" | "!override":
                return text
    except (ValueError, KeyError):
        raise BadNode(
            node, f"`{text[:40]}` is not a valid {kind}", "write it as a text in quotes"
        ) from None
    raise _unknown_tag(node)


def _whole(text: str) -> int:
    """Return the number that a text is. Raises ValueError of one that Python would not write."""
    number = int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    str(number)  # sys.set_int_max_str_digits
    return number


def _unknown_tag(node: yaml.Node) -> BadNode:
    tag = node.tag.replace(_PREFIX, "!!")
    return BadNode(node, f"the tag `{tag}` has no meaning here", "remove the tag")
