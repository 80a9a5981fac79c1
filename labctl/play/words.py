"""Words for what programs print and how they end."""

from __future__ import annotations

import signal

_LONGEST = 200


def last_line(text: str) -> str:
    """Return the last line that is not blank, shortened; empty when there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shortened(lines[-1]) if lines else ""


def line_of(text: str) -> str:
    """Return a text as one line, shortened."""
    return shortened(" ".join(text.split()))


def shortened(text: str) -> str:
    """Return the text, of a long one its beginning."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def plural(count: int, what: str) -> str:
    """Return `1 try`, `2 tries`, `3 steps`."""
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {what[:-1]}ies" if what.endswith("y") else f"{count:,} {what}s"


def exit_words(code: int) -> str:
    """Return an exit code with what the shell's convention says of it (POSIX sh, 2.8.2)."""
    if code == 127:
        return "exit code 127 (no such command on the host)"
    if code == 126:
        return "exit code 126 (the command cannot be executed)"
    try:
        return f"exit code {code} ({signal.Signals(code - 128).name})"
    except ValueError:
        return f"exit code {code}"
