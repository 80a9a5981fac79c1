"""Reads the x-lab part and says in plain words what is wrong with it."""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labctl.lab.dollars import unescape
from labctl.lab.model import HOST_NAME, HOST_PATH, HOST_PORT, SYSTEM_ID, XLab
from labctl.lab.near import did_you_mean
from labctl.lab.report import Report
from labctl.lab.source import KeyPath

SMALLEST = "x-lab:\n  title: what the lab shows"

_PATTERNS = {
    HOST_NAME: ("is not a name", "small letters, digits, `-` and `_`, first a letter or digit"),
    HOST_PATH: ("is not HOST:PATH", "write it as `server:/srv/files/a`"),
    HOST_PORT: ("is not HOST:PORT", "write it as `server:8080`, or `server:53/udp` for UDP"),
    SYSTEM_ID: ("is no row of docs/systems.md", "a letter and a number, as `A4`"),
}
_KINDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list (each item behind a `- `)",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "string_type": "a text",
}


def parse(report: Report) -> tuple[XLab | None, dict[str, Any]]:
    """Return x-lab (None when it is wrong; the report then says why) and its plain data."""
    data = report.source.data
    if "x-lab" not in data:
        report.at_key((), "`x-lab` is missing: this is a Compose file, not yet a lab", SMALLEST)
        return None, {}
    raw = unescape(data["x-lab"], ("x-lab",), report)
    if not isinstance(raw, dict):
        report.at_value(("x-lab",), "`x-lab` must be a mapping (`key: value`)", SMALLEST)
        return None, {}
    try:
        return XLab.model_validate(raw), raw
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _tell(details, report)
        return None, raw


def _tell(details: ErrorDetails, report: Report) -> None:
    loc = details["loc"]
    path: KeyPath = ("x-lab", *loc)
    match details["type"]:
        case "extra_forbidden":
            known = model_at(loc[:-1]).model_fields
            message = f"unknown key `{loc[-1]}` in {dotted(path[:-1])}"
            report.at_key(path, message, did_you_mean(str(loc[-1]), known, "keys"))
        case "missing":
            about = model_at(loc[:-1]).model_fields[str(loc[-1])].description or "a command"
            message = f"`{loc[-1]}` is missing in {dotted(path[:-1])}"
            report.at_key(path[:-1], message, f"`{loc[-1]}`: {about}")
        case _ if loc[-1] == "[key]":
            report.at_key(path[:-1], *_value_words(details, dotted(path[:-2])))
        case _:
            report.at_value(path, *_value_words(details, _label(path)))


def _value_words(details: ErrorDetails, label: str) -> tuple[str, str]:
    """Return message and hint for a value that is not as it must be."""
    kind, value, ctx = details["type"], details["input"], details.get("ctx", {})
    given = f'"{value}"' if isinstance(value, str) else str(value)
    match kind:
        case "string_pattern_mismatch":
            wrong, hint = _PATTERNS[ctx["pattern"]]
            message = f"{given} {wrong}"
        case "value_error":
            message, _, hint = str(ctx["error"]).partition(" (")
            hint = hint.removesuffix(")")
        case "greater_than_equal" | "less_than_equal" if label.endswith("course"):
            message, hint = f"{given} is not 0 to 9999", "its place among the labs of a course"
        case "greater_than_equal" | "less_than_equal":
            message, hint = f"{given} is not 0 to 255", "a command's exit code is 0 to 255"
        case "string_too_short" | "too_short":
            message, hint = "must not be empty", "write something, or remove the key"
        case "string_too_long":
            message, hint = f"{given} is longer than {ctx['max_length']} letters", "shorten it"
        case "literal_error":
            message = f"must be {ctx['expected']}, not {given}"
            hint = "this labctl knows no other"
        case "string_type" if isinstance(value, int | float):
            message, hint = "must be a text", f'put it in quotes: "{value}"'
        case _:
            message = f"must be {_KINDS[kind]}"
            hint = "`labctl schema` and docs/lab-format.md tell the form"
    return f"{label}: {message}", hint


def model_at(loc: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model that describes the mapping at `loc` inside x-lab."""
    kind: Any = XLab
    for part in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _without_none(kind.model_fields[str(part)].annotation)
        else:
            kind = get_args(kind)[-1]
    assert isinstance(kind, type) and issubclass(kind, BaseModel)
    return kind


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def dotted(path: KeyPath) -> str:
    """Return a path as text: `x-lab.scenarios.download.steps[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _label(path: KeyPath) -> str:
    """Return the short name of a key: inside a step, the step itself is left out."""
    last = max((i for i, part in enumerate(path[:-1]) if isinstance(part, int)), default=-1)
    return dotted(path[last + 1 :])
