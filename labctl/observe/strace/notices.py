"""What is to be said of strace's output beside the events in it. Pure."""

from __future__ import annotations

import re

from labctl.sequence.events import Notice

_SHOWN = 160
_CALLS = ("calls",)
_HARMLESS = re.compile(r"Process \d+ (?:attached|detached)|\[ Process PID=\d+ runs in .* mode\. \]")
"""strace's messages that say nothing of what may be missing."""


class Notices:
    """Counts what could not be read, and keeps what strace itself has said."""

    def __init__(self) -> None:
        self._unreadable = 0
        self._calls_lost = False
        self._example = ""
        self._said: dict[str, int] = {}
        self.rings = 0
        """How many io_uring instances were made."""

    def unreadable(self, line: str, *, call_known: bool = False) -> None:
        """Count a line; with `call_known` the call itself is seen, if not what it was given."""
        self._unreadable += 1
        self._calls_lost |= not call_known
        if self._unreadable == 1:
            self._example = line

    def said(self, message: str) -> None:
        """Keep a message of strace, such as `ptrace(PTRACE_SEIZE, 7): Operation not permitted`."""
        if not _HARMLESS.match(message):
            self._said[message] = self._said.get(message, 0) + 1

    def all(self, host: str) -> tuple[Notice, ...]:
        notices = []
        if self._unreadable:
            example = _shown(self._example)
            lines = "1 line" if self._unreadable == 1 else f"{self._unreadable} lines"
            text = f"{lines} of strace could not be read, or not in full, such as: {example}"
            notices.append(Notice(host, text, missing=_CALLS if self._calls_lost else ()))
        if self._said:
            message = next(iter(self._said))
            more = sum(self._said.values()) - 1
            and_more = f" (and {more} messages more)" if more else ""
            text = f"strace says: {_shown(message)}{and_more}"
            notices.append(Notice(host, text, missing=_CALLS))
        if self.rings:
            text = "a program uses io_uring: what it asks of the kernel that way is not seen"
            notices.append(Notice(host, text, missing=_CALLS))
        return tuple(notices)


def _shown(text: str) -> str:
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return short.encode("ascii", "backslashreplace").decode("ascii")
