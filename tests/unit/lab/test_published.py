"""What is made from the models and kept in docs/ is what the models say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.lab import compose_keys, reference, schema
from labctl.lab.lab import Lab
from labctl.lab.load import check
from labctl.lab.model import XLab
from labctl.lab.places import data_root
from labctl.lab.source import parse

DOCS = data_root() / "docs"
FORMAT = (DOCS / "lab-format.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", FORMAT, re.DOTALL)
REMAKE = "run `python -m labctl.lab.reference docs/lab-format.md`"


def test_schema_file_is_the_schema() -> None:
    assert (DOCS / reference.SCHEMA_FILE).read_text("utf-8") == schema.text(), REMAKE


def test_reference_in_the_document_is_the_models() -> None:
    assert reference.rewritten(FORMAT) == FORMAT, REMAKE


def test_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        reference.rewritten("# nothing\n")


def test_main_rewrites_both(tmp_path: Path) -> None:
    document = tmp_path / "format.md"
    document.write_text(f"before\n{reference.BEGIN}\noutdated\n{reference.END}\nafter\n")
    reference.main([str(document)])
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "outdated" not in text
    assert "| `listening` | HOST:PORT[/udp] |" in text
    assert json.loads((tmp_path / reference.SCHEMA_FILE).read_text()) == schema.schema()


def test_every_key_of_every_model_is_in_the_reference() -> None:
    tables = reference.reference()
    for _, model in reference.MODELS:
        for name in model.model_fields:
            assert re.search(rf"^\| `{name}` \| \S.* \| .* \| \S.* \|$", tables, re.MULTILINE), name


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from objects(item)


def test_schema_knows_the_keys_that_loading_knows() -> None:
    made = schema.schema()
    host = next(iter(made["properties"]["services"]["patternProperties"].values()))
    assert set(host["properties"]) == compose_keys.SERVICE
    network = made["properties"]["networks"]["additionalProperties"]
    assert set(network["properties"]) == compose_keys.NETWORK
    assert set(made["properties"]) == (compose_keys.TOP - {"include"}) | {"x-lab"}
    assert set(made["$defs"]["XLab"]["properties"]) == set(XLab.model_fields)


def test_schema_refuses_unknown_keys_wherever_keys_are_known() -> None:
    for part in objects(schema.schema()):
        if isinstance(part.get("properties"), dict) and part.get("type") is not None:
            assert part["additionalProperties"] is False


def test_schema_refers_only_to_what_it_defines() -> None:
    made = schema.schema()
    references = {part["$ref"] for part in objects(made) if isinstance(part.get("$ref"), str)}
    assert references == {f"#/$defs/{name}" for name in made["$defs"]}


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_the_document_are_right(example: str) -> None:
    assert isinstance(check(parse(example, Path("/nowhere/compose.yaml"))), Lab)


def test_the_document_shows_every_condition() -> None:
    shown = "\n".join(EXAMPLES)
    for condition in ("listening", "file", "output", "ended", "succeeds"):
        assert f"{{{condition}: " in shown
