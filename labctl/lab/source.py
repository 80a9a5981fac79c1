"""YAML text to plain data that remembers where each key and value stands.

PyYAML's own constructors lose positions, let a repeated key win silently and follow
YAML 1.1 (`on` is true, `22:22` is 1342). Here the node tree is turned into data with
the scalars of YAML 1.2 (core schema, section 10.3), as Compose reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from labctl.errors import LabFileError, Problem, UsageError
from labctl.lab.nodes import BadNode, Builder, LabLoader, Position

KeyPath = tuple[str | int, ...]

MAX_BYTES = 1_000_000

_YAML_HINTS = {
    r"'\t'": "indent with spaces: YAML does not allow tabs there",
    "mapping values are not allowed": "a text that holds `: ` needs quotes; or a line before "
    "this one is indented wrongly",
    "could not find expected ':'": "a key needs a colon and a space after it",
    "but got '?'": 'a text with `?`, `{` or `,` in a list needs quotes: ["ACK?"]',
    "but got '{'": 'a text with `?`, `{` or `,` in a list needs quotes: ["recv{2,3}"]',
    "expected <block end>": "check the indentation of this line and the ones above it",
    "undefined alias": "an anchor (`&name`) must stand above the `*name` that uses it",
    "single document": "a lab is one document: remove the `---`",
    "cannot start any token": "put the text in quotes",
    "end of stream": "a quote or bracket opened above is never closed",
}


@dataclass(frozen=True)
class Source:
    """One parsed file. Paths into it are tuples such as ("services", "server", "ports", 0)."""

    path: Path
    data: dict[str, Any]
    keys: dict[KeyPath, Position]
    values: dict[KeyPath, Position]

    def at(self, path: KeyPath) -> Position:
        """Return where the value at `path` stands, or else its nearest ancestor's key."""
        return self.values.get(path) or self.at_key(path)

    def at_key(self, path: KeyPath) -> Position:
        """Return where the key at `path` stands; for a list item, or what is not there, the
        nearest thing above it."""
        while path:
            found = self.keys.get(path) or (
                self.values.get(path) if isinstance(path[-1], int) else None
            )
            if found is not None:
                return found
            path = path[:-1]
        return Position(1, 1)

    def problem(self, position: Position, message: str, hint: str = "") -> Problem:
        """Return a problem at that position of this file."""
        return Problem(shown(self.path), position.line, position.column, message, hint)


def shown(path: Path) -> Path:
    """Return the path as messages show it: relative to the current folder when below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def read(path: Path) -> Source:
    """Read and parse a file.

    Raises UsageError when it cannot be read, LabFileError when it is not a YAML mapping.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read {shown(path)}: {error.strerror}", "give a lab's name, folder or file"
        ) from None
    if len(raw) > MAX_BYTES:
        _fail(path, Position(1, 1), f"the file is larger than {MAX_BYTES} bytes", "is it a lab?")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        _fail(path, _end_of(before), "the file is not UTF-8 text", "save it in UTF-8")
    return parse(text, path)


def parse(text: str, path: Path) -> Source:
    """Parse YAML text; `path` is only for messages. Raises LabFileError and nothing else."""
    loader: LabLoader | None = None
    try:
        loader = LabLoader(text)
        node = loader.get_single_node()
        builder = Builder()
        data = None if node is None else builder.build(node)
    except BadNode as error:
        _fail(path, error.position, error.message, error.hint)
    except yaml.reader.ReaderError as error:
        position = _end_of(text[: error.position])
        _fail(path, position, "a character that YAML does not allow", "remove it")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position.of(mark) if mark else Position(1, 1)
        _fail(path, position, f"this is not YAML: {error.problem}", _hint(error))
    except RecursionError:
        _fail(path, Position(1, 1), "the file is nested too deeply", "is it a lab?")
    except (ValueError, OverflowError):
        # PyYAML lets int() and chr() fail on numbers and escapes that are out of range.
        position = Position(loader.line + 1, loader.column + 1) if loader else Position(1, 1)
        _fail(path, position, "this is not YAML: a number out of range", "check the escape")
    finally:
        if loader is not None:
            loader.dispose()
    if data is None:
        _fail(
            path, Position(1, 1), "the file is empty", "`labctl new NAME` makes a lab to start from"
        )
    if not isinstance(data, dict):
        _fail(
            path,
            builder.values[()],
            "a lab file is a mapping, with `x-lab:` and `services:` at its top",
            "`labctl new NAME` makes a lab to start from",
        )
    return Source(path, data, builder.keys, builder.values)


def _fail(path: Path, position: Position, message: str, hint: str) -> NoReturn:
    problem = Problem(shown(path), position.line, position.column, message, hint)
    raise LabFileError([problem]) from None


def _end_of(text: str) -> Position:
    return Position(text.count("\n") + 1, len(text) - text.rfind("\n"))


def _hint(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.context} {error.problem}"
    for words, hint in _YAML_HINTS.items():
        if words in said:
            return hint
    return "check the quotes, brackets and indentation here and just above"
