"""Makes the folder of a new lab from a template."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from labctl.errors import UsageError
from labctl.lab import schema
from labctl.lab.near import did_you_mean
from labctl.lab.source import shown

TEMPLATES = Path(__file__).parent / "template"
SCHEMA_FILE = "lab.schema.json"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PLACEHOLDER = "LABNAME"


def templates() -> list[str]:
    """Return the names of the templates."""
    return sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir())


def new(folder: Path, template: str = "tcp") -> list[Path]:
    """Make a lab in `folder`, named as it is; return the files made.

    Raises UsageError for a name that no lab may have, an unknown template, a folder that is
    there already or cannot be made. Nothing is left behind then.
    """
    name = folder.name
    if not _NAME.fullmatch(name):
        hint = "small letters, digits, `-` and `_`, first a letter or digit, 40 at most"
        raise UsageError(f"`{name}` is not a name for a lab", hint)
    if template not in templates():
        hint = did_you_mean(template, templates(), "templates")
        raise UsageError(f"there is no template `{template}`", hint)
    if folder.exists():
        raise UsageError(f"{shown(folder)} is already there", "choose another name, or remove it")
    try:
        return _make(folder, name, TEMPLATES / template)
    except OSError as error:
        hint = "choose a folder you may write to"
        raise UsageError(f"cannot make {shown(folder)}: {error.strerror}", hint) from None


def _make(folder: Path, name: str, template: Path) -> list[Path]:
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as made:
        # Made beside it and renamed, so that an interruption leaves no half a lab.
        whole = Path(made, name)
        whole.mkdir()
        for source in sorted(template.iterdir()):
            text = source.read_text("utf-8").replace(_PLACEHOLDER, name)
            (whole / _target(source.name, name)).write_text(text, "utf-8")
        (whole / SCHEMA_FILE).write_text(schema.text(), "utf-8")
        shutil.move(whole, folder)
    return sorted(folder.iterdir())


def _target(template_file: str, name: str) -> str:
    # Its suffix keeps pytest and type checkers away from the template itself.
    return f"test_{name}.py" if template_file == "test_lab.py.txt" else template_file
