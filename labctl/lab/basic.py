"""What the models of x-lab have in common: strictness, names, and durations."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0}


def parse_duration(value: object) -> float:
    """Return the seconds that `500ms`, `30s`, `2m` or a plain number of seconds stand for.

    Raises ValueError for anything else, for zero and for less.
    """
    seconds: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", value.strip())
        if match:
            seconds = float(match[1]) * SECONDS_PER_UNIT[match[2]]
    if seconds is None or not 0 < seconds < 86_400:
        raise ValueError(f"not a duration: {value!r} (write it as 500ms, 30s or 2m)")
    return seconds


Duration = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=float | str),
    Field(description="a duration: 500ms, 30s, 2m, or a number of seconds"),
]
HOST_NAME = r"^[a-z0-9][a-z0-9_-]*$"
HostName = Annotated[str, StringConstraints(pattern=HOST_NAME, max_length=40)]


class Strict(BaseModel):
    """Unknown keys are errors, `"0"` is no number, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
