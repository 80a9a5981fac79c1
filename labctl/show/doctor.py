"""The findings of `labctl doctor` as a table, as plain lines, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red", "not checked": "dim"}


class Kind(Protocol):
    """How a finding stands, in a word."""

    @property
    def value(self) -> str: ...


class Mend(Protocol):
    """What mends a finding."""

    @property
    def what(self) -> str: ...
    @property
    def command(self) -> str | None: ...
    @property
    def safe(self) -> bool: ...


class Finding(Protocol):
    """What is shown of a check."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> Kind: ...
    @property
    def found(self) -> str: ...
    @property
    def means(self) -> str: ...
    @property
    def fix(self) -> Mend | None: ...


def table(findings: Iterable[Finding]) -> Table:
    """Return the table that a terminal is shown."""
    result = Table(box=None, pad_edge=False)
    for column in ("check", "state", "found"):
        result.add_column(column, overflow="fold")
    for finding in findings:
        state = finding.state.value
        text = Text(finding.found)
        for line in _more(finding):
            text.append(f"\n{line}", style="dim" if not line.startswith("fix") else "bold")
        result.add_row(Text(finding.name), Text(state, style=_COLOURS[state]), text)
    return result


def lines(findings: Sequence[Finding]) -> list[str]:
    """Return plain lines: a finding each, what it means and its fix indented below it."""
    width = max((len(f.name) for f in findings), default=0)
    result = []
    for finding in findings:
        result.append(f"{finding.state.value:<11}  {finding.name:<{width}}  {finding.found}")
        result += [f"{'':11}  {'':{width}}  {line}" for line in _more(finding)]
    return result


def _more(finding: Finding) -> list[str]:
    more = [finding.means] if finding.means else []
    if finding.fix is not None and finding.state.value != "ok":
        more.append(f"fix: {finding.fix.what}")
        if finding.fix.command:
            more.append(f"fix: `{finding.fix.command}`" + _safe(finding.fix))
    return more


def _safe(fix: Mend) -> str:
    return " (`labctl doctor --fix` does it)" if fix.safe else ""


def summary(findings: Iterable[Finding]) -> str:
    """Return how many findings there are of each kind, in one line."""
    count = Counter(f.state.value for f in findings)
    return ", ".join(f"{count[state]} {state}" for state in _COLOURS if count[state])


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the findings for `--json`; `ok` tells whether none has failed."""
    told = [
        {
            "name": f.name,
            "state": f.state.value,
            "found": f.found,
            "means": f.means,
            "fix": f.fix and {"what": f.fix.what, "command": f.fix.command, "safe": f.fix.safe},
        }
        for f in findings
    ]
    return {"ok": all(f["state"] != "failed" for f in told), "checks": told}
