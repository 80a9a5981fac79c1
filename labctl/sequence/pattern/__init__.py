"""Patterns: what should have happened, as short and readable data, and whether it did.

    verdict = match(parse({"server": ["socket", "bind", "listen", "accept", "close"]}), timeline)

The language is described in docs/patterns.md.
"""

from __future__ import annotations

from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.match import match
from labctl.sequence.pattern.model import Pattern
from labctl.sequence.pattern.parse import examine, parse
from labctl.sequence.pattern.verdict import Failure, Verdict

__all__ = ["Failure", "Pattern", "PatternError", "Verdict", "examine", "match", "parse"]
