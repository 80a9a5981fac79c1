"""Cases of first differences, each with the sentence on what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labctl.sequence.pattern import match
from labctl.sequence.pattern.meaning.rule import Rule
from tests.unit.sequence.pattern.made import Told, connection


@dataclass(frozen=True)
class Case:
    """What is wanted of a host or the wire, what really came, and what that means.

    `more` is how the connection is made otherwise: see `made.connection`.
    """

    role: str
    wanted: str
    real: str
    sentence: str
    more: Mapping[str, Any]

    def said(self) -> str:
        """Return the sentence that the report has."""
        words: dict[str, Any] = {self.role: self.real}
        made = connection(**words, **self.more)
        pattern = {self.role: self.wanted.split(", "), "protocol": made.protocol}
        return match(pattern, Told(made)).failures[0].meaning


def case(role: str, wanted: str, real: str, sentence: str, **more: Any) -> Case:
    return Case(role, wanted, real, sentence, more)


def unsaid(rules: Iterable[Rule], cases: Iterable[Case]) -> list[str]:
    """Return what of the rules no case has the sentence of."""
    sentences = [one.sentence for one in cases]
    return [
        rule.says
        for rule in rules
        if not any(re.fullmatch(_as_expression(rule.says), sentence) for sentence in sentences)
    ]


def _as_expression(says: str) -> str:
    return re.sub(r"\\\{\w+\\\}", ".+", re.escape(says))
