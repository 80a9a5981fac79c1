"""A file that tells what must be known to read the others, should the agent end with its host."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import processes

NAME = "state.json"


def write(
    folder: Path, notes: list[tuple[str, str]] | None = None, status: int | None = None
) -> None:
    """Write how the host is now, in one piece: whoever reads sees the old file, or the new one.

    `notes` (what is missing, and the text) are there once all other files are whole; `status` is
    that of the host's first process (wait(2)), which ends now.
    """
    told: dict[str, Any] = {
        "time": time.time_ns(),
        "interfaces": processes.interfaces(),
        "notes": notes,
        "status": status,
    }
    fresh = folder / f".{NAME}"
    fresh.write_text(json.dumps(told))
    fresh.rename(folder / NAME)
