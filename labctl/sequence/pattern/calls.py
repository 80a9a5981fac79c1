"""The calls of one end of a connection, as the tokens that a pattern is matched against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from labctl.sequence.events import Call
from labctl.sequence.pattern.signs import Sign, Token, is_named
from labctl.sequence.pattern.syntax import Atom
from labctl.sequence.pattern.words import BLOCKED, OK, SHARED
from labctl.sequence.verbs import UNCOUNTED, verb

NOT_FINAL = frozenset(
    {
        "EAGAIN",
        "EINTR",
        "EALREADY",
        "ERESTARTSYS",
        "ERESTARTNOINTR",
        "ERESTARTNOHAND",
        "ERESTART_RESTARTBLOCK",
    }
)
"""A call with one of these is made again: it is no step of its own."""

BEGUN = frozenset({"EINPROGRESS", "EINTR"})
"""With these the kernel goes on to connect after connect has returned (connect(2))."""

_STEPS = BEGUN | {"EALREADY", "EISCONN"}

OUTCOMES = {
    "established": OK,
    "refused": "ECONNREFUSED",
    "unreachable": "EHOSTUNREACH",
    "unanswered": "ETIMEDOUT",
}
"""What becomes of a connect that was only begun, by the outcome of its connection."""

_Key = tuple[str, str | None, int | str, bool]


class CallReader:
    """Tells which calls count for one host's elements, and as what."""

    def __init__(self, asked: Iterable[Atom]) -> None:
        self._asked = tuple(asked)
        self._numbers = {a.result for a in self._asked if isinstance(a.result, int)}
        self._known: dict[_Key, Sign | None] = {}
        self._step_by_step = any(
            atom.name == "connect" and atom.result in _STEPS for atom in self._asked
        )
        """Each connect counts by itself, because an element names how one was only begun."""

    def tokens(self, calls: Sequence[Call], outcome: str = "") -> list[Token]:
        """Return the tokens of the calls that count, in their order."""
        found: list[Token] = []
        going_on_until = -1
        for index, call in enumerate(calls):
            sign: Sign | None
            if call.name == "connect" and not self._step_by_step:
                if index <= going_on_until:
                    continue
                if call.errno in BEGUN:
                    end = _completion(calls, index)
                    going_on_until = len(calls) if end is None else end
                    told = None if end is None else calls[end]
                    sign = Sign("connect", "connect", _outcome(told, outcome))
                    found.append(Token(sign, call))
                    continue
            sign = self.sign(call)
            if sign is not None:
                found.append(Token(sign, call))
        return found

    def sign(self, call: Call) -> Sign | None:
        """Return the sign of a call, None where it doesn't count."""
        result: int | str = OK
        if call.result is None:
            result = BLOCKED
        elif call.result in self._numbers:
            result = call.result
        key = (call.name, call.errno, result, call.last)
        if key not in self._known:
            sign = _sign(*key)
            counts = self._counts(sign, call.name)
            self._known[key] = sign if counts else None
        return self._known[key]

    def _counts(self, sign: Sign, name: str) -> bool:
        if sign.verb in UNCOUNTED and not any(is_named(a, sign.verb, name) for a in self._asked):
            return False
        if sign.result in (BLOCKED, SHARED) or sign.result in NOT_FINAL:
            return self._names(sign)
        return True

    def _names(self, sign: Sign) -> bool:
        """Return whether an element names this very result of the call."""
        return any(
            is_named(atom, sign.verb, sign.name) and atom.result == sign.result
            for atom in self._asked
        )


@lru_cache(maxsize=4096)
def _sign(name: str, errno: str | None, result: int | str, last: bool) -> Sign:
    family = verb(name)
    if errno is not None:
        return Sign(family, name, "EAGAIN" if errno == "EWOULDBLOCK" else errno)
    if family == "close" and not last and result != BLOCKED:
        return Sign(family, name, SHARED)
    return Sign(family, name, result)


def plain_sign(call: Call) -> Sign:
    """Return the sign of a call, whether it counts or not."""
    result: int | str = BLOCKED if call.result is None else call.result
    return _sign(call.name, call.errno, result, call.last)


def _completion(calls: Sequence[Call], begun: int) -> int | None:
    """Return which later connect tells how one that was only begun went out, None if none."""
    for index in range(begun + 1, len(calls)):
        if calls[index].name == "connect" and calls[index].errno not in NOT_FINAL | BEGUN:
            return index
    return None


def _outcome(told: Call | None, outcome: str) -> str:
    """Return the result of a connect by what a later one has told, or by its connection."""
    if told is None:
        return OUTCOMES.get(outcome, "EINPROGRESS")
    return OK if told.errno in (None, "EISCONN") else told.errno
