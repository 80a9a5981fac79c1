"""The JSON Schema (draft 2020-12) of a lab file, for editors.

The Compose part knows the keys and leaves their values to Compose; the x-lab part is made
from the models and knows everything.
"""

from __future__ import annotations

import json
from typing import Any

from labctl.lab import compose_keys as keys
from labctl.lab.model import HOST_NAME, XLab

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema of a whole lab file."""
    x_lab = _tidied(XLab.model_json_schema())
    definitions = x_lab.pop("$defs")
    definitions["XLab"] = x_lab
    top: dict[str, Any] = {key: {} for key in sorted(keys.TOP - {"include"})}
    top["services"] = {
        "description": "The hosts of the lab, by name.",
        "type": "object",
        "minProperties": 1,
        "patternProperties": {HOST_NAME: _service()},
        "additionalProperties": False,
    }
    top["networks"] = _named(_network())
    top["volumes"] = _named(_known(keys.VOLUME, {}))
    top["x-lab"] = {"$ref": "#/$defs/XLab"}
    return {
        "$schema": DIALECT,
        "title": "labctl lab",
        "description": "A Compose file with an x-lab part.",
        **_known_object(top, ["x-lab", "services"]),
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Return the schema as the text that `labctl schema` prints."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _service() -> dict[str, Any]:
    joined = _named(_known(keys.SERVICE_NETWORK, {}))
    return {
        **_known(
            keys.SERVICE,
            {
                "extends": {"anyOf": [{"type": "string"}, _known(keys.EXTENDS, {})]},
                "healthcheck": _known(keys.HEALTHCHECK, {}),
                "networks": {"anyOf": [{"type": "array", "items": {"type": "string"}}, joined]},
                "scale": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "How many hosts are made of it; 0: a template.",
                },
            },
        ),
        "type": "object",
    }


def _network() -> dict[str, Any]:
    pool = _known(keys.IPAM_CONFIG, {})
    ipam = _known(keys.IPAM, {"config": {"type": "array", "items": pool}})
    return _known(keys.NETWORK, {"ipam": ipam})


def _named(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": item}


def _known(known: frozenset[str], better: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a mapping, or nothing, with these keys and any `x-` ones."""
    properties = {key: better.get(key, {}) for key in sorted(known)}
    return {**_known_object(properties, []), "type": ["object", "null"]}


def _known_object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        **({"required": required} if required else {}),
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def _tidied(value: Any) -> Any:
    """Drop the titles that pydantic makes from names, and refuse names of a wrong form."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    tidy = {
        key: _tidied(item)
        for key, item in value.items()
        # A property may itself be called `title`: then its value is a mapping.
        if key != "title" or not isinstance(item, str)
    }
    if "patternProperties" in tidy:
        tidy.setdefault("additionalProperties", False)
    return tidy
