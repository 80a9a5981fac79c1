"""The reference part of docs/lab-format.md, and docs/lab.schema.json, from the models.

`python -m labctl.lab.reference docs/lab-format.md` rewrites both.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from labctl.lab import link, model, schema
from labctl.lab.sequence_form import FORM

BEGIN = "<!-- reference: made by `python -m labctl.lab.reference docs/lab-format.md` -->"
END = "<!-- end of reference -->"
SCHEMA_FILE = "lab.schema.json"

MODELS: list[tuple[str, type[BaseModel]]] = [
    ("x-lab", model.XLab),
    ("x-lab.links.HOST.NETWORK", link.Link),
    ("x-lab.scenarios.NAME", model.Scenario),
    ("steps[]", model.Step),
    ("steps[].when", model.Condition),
    ("steps[].when.output", model.OutputCondition),
    ("steps[].when.succeeds", model.CommandCondition),
    ("steps[].expect", model.Expect),
]
_SIMPLE = {
    "": "mapping",  # a reference to another model
    "string": "text",
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "number": "number",
}
_PATTERN_NAMES = {
    model.HOST_NAME: "name",
    model.HOST_PATH: "HOST:PATH",
    model.HOST_PORT: "HOST:PORT[/udp]",
}


def reference() -> str:
    """Return the tables of all keys, as Markdown."""
    return "\n\n".join(_section(title, part) for title, part in MODELS)


def rewritten(document: str) -> str:
    """Return the document with the part between the markers made anew.

    Raises ValueError when it lacks a marker.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


def _section(title: str, part: type[BaseModel]) -> str:
    properties = part.model_json_schema()["properties"]
    lines = [
        f"### `{title}`",
        "",
        (part.__doc__ or "").strip(),
        "",
        "| key | value | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in part.model_fields.items():
        meaning = field.description or properties[name].get("description") or _meaning(field)
        cells = (f"`{name}`", _kind(properties[name]), _default(field), meaning)
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join(lines)


def _meaning(field: FieldInfo) -> str:
    """Return what the model of a field says of itself, when the field says nothing."""
    for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return (kind.__doc__ or "").strip().partition("\n")[0]
    return ""


def _kind(part: dict[str, Any]) -> str:
    """Return a JSON Schema type in words."""
    if part == FORM:
        return "a [pattern](patterns.md)"
    if "const" in part:
        return f"`{part['const']}`"
    if "anyOf" in part:
        kinds = [_kind(option) for option in part["anyOf"] if option.get("type") != "null"]
        return " or ".join(kinds)
    if part.get("type") == "array":
        return f"list of {_kind(part['items'])}s"
    if part.get("type") == "object":
        named = [*part.get("patternProperties", {}).values(), part.get("additionalProperties")]
        return f"mapping of name to {_kind(named[0])}"
    return _PATTERN_NAMES.get(part.get("pattern", "")) or _SIMPLE[part.get("type", "")]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default is None:
        return ""
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, float):
        return f"`{field.default:g}s`"
    return f"`{field.default}`"


def main(arguments: list[str]) -> None:
    """Rewrite the document named on the command line, and the schema beside it."""
    document = Path(arguments[0])
    document.write_text(rewritten(document.read_text("utf-8")), "utf-8")
    document.with_name(SCHEMA_FILE).write_text(schema.text(), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
