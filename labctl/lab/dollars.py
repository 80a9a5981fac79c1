"""Compose replaces `$NAME` and `${NAME}` everywhere in its file, also in x-lab.

So that a lab means the same to `docker compose` and to labctl on every machine, a
variable of a host's shell is written `$$NAME` there, as Compose wants it.
Source: the Compose Specification, "Interpolation".
"""

from __future__ import annotations

import re
from typing import Any

from labctl.lab.report import Report
from labctl.lab.source import KeyPath

_VARIABLE = re.compile(r"\$\$|\$[A-Za-z_]\w*|\$\{[^}]*\}?")


def unescape(value: Any, path: KeyPath, report: Report) -> Any:
    """Return the value with `$$` as `$` in all its texts; report what Compose would replace."""
    if isinstance(value, dict):
        return {key: unescape(item, (*path, key), report) for key, item in value.items()}
    if isinstance(value, list):
        return [unescape(item, (*path, i), report) for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    for found in _VARIABLE.findall(value):
        if found != "$$":
            report.at_value(
                path,
                f"Compose replaces `{found}` by a variable of your own machine",
                f"write `${found}`: the host's shell then sees `{found}`",
            )
    return value.replace("$$", "$")
