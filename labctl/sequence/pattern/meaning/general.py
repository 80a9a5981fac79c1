"""What can be said of any difference, where no rule knows better."""

from __future__ import annotations

from labctl.sequence.pattern.difference import WIRE, Difference
from labctl.sequence.pattern.meaning.errnos import words_for
from labctl.sequence.pattern.meaning.rule import filled
from labctl.sequence.pattern.show import token_text
from labctl.sequence.pattern.syntax import Atom, text
from labctl.sequence.pattern.words import BLOCKED, OK


def failed(d: Difference) -> str | None:
    """Return what the errno of a failed call means, None where it has none."""
    if not d.errno:
        return None
    words = words_for(d.real, d.errno)
    said = f"{{call}} failed with {{errno}}: {words}." if words else "{call} failed with {errno}."
    return filled(said, d)


def did_not_fail(d: Difference) -> str | None:
    """Return a sentence for a call that should have failed and did not."""
    atom = next((a for a in d.wanted if _is_errno(a) and d.wants(d.real)), None)
    if atom is None or d.errno or not d.real:
        return None
    return filled(f"{{call}} succeeded where {text(atom)} was due.", d)


def general(d: Difference) -> str:
    """Return what was due and what came instead."""
    who = "On the wire" if d.scene.role == WIRE else d.scene.subject
    came = token_text(d.tokens[d.at]) if d.at < len(d.tokens) else ""
    due = " or ".join(dict.fromkeys(text(atom) for atom in d.wanted))
    if not d.wanted:
        return f"{who}: {came} came where the pattern has ended already."
    if not came:
        return f"{who}: {due} was due, but nothing more came."
    return f"{who}: {due} was due, but {came} came."


def _is_errno(atom: Atom) -> bool:
    return isinstance(atom.result, str) and atom.result not in (OK, BLOCKED)
