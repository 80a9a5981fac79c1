"""Calls that make processes, execute programs and wait for them (clone(2), execve(2)). Pure."""

from __future__ import annotations

from labctl.observe.strace.plain import Asked, before, flags, integer, known, text, word
from labctl.observe.strace.sockets import Args
from labctl.observe.strace.values import Applied, Raw, Words
from labctl.sequence.events import Value


def clone(asked: Asked) -> Args:
    """Of clone (its arguments have names), clone3 (one struct), fork and vfork (none)."""
    given = before(asked.at(0))
    raw = given.get("flags") if isinstance(given, dict) else asked.names.get("flags")
    return {} if raw is None else {"flags": flags(raw)}


def execve(asked: Asked) -> Args:
    return _program(asked.at(0), asked.at(1))


def execveat(asked: Asked) -> Args:
    return _program(asked.at(1), asked.at(2))


def _program(path: Raw, argv: Raw) -> Args:
    """Return path and arguments; of those strace shows the first 64, and 64 bytes of each."""
    listed: list[Value] | None = None
    if isinstance(argv, list):
        listed = [text(a) for a in argv if isinstance(a, bytes)]
    return known(path=text(path) if isinstance(path, bytes) else None, argv=listed)


def wait4(asked: Asked) -> Args:
    status = asked.at(1)
    args = known(pid=integer(asked.at(0)), options=_options(asked.at(2)))
    if isinstance(status, list) and len(status) == 1 and isinstance(status[0], dict):
        args.update(_status(status[0].get("0", "...")))
    return args


_TOLD = {"WEXITSTATUS": "code", "WTERMSIG": "signal", "WSTOPSIG": "stopped"}


def _status(raw: Raw) -> Args:
    """Return how a child ended, of `WIFEXITED(s) && WEXITSTATUS(s) == 3`."""
    terms = raw.terms if isinstance(raw, Words) else [raw]
    args: Args = {}
    for place, term in enumerate(terms):
        if isinstance(term, Applied) and term.name in _TOLD and place + 2 < len(terms):
            value = terms[place + 2]
            args[_TOLD[term.name]] = value if isinstance(value, int | str) else None
    return args


_ENDED = {
    "CLD_EXITED": "code",
    "CLD_KILLED": "signal",
    "CLD_DUMPED": "signal",
    "CLD_STOPPED": "stopped",
    "CLD_TRAPPED": "stopped",
}


def waitid(asked: Asked) -> Args:
    """Of waitid; `child` is whom it has waited for, as the call returns 0."""
    args = known(idtype=word(asked.at(0)), pid=integer(asked.at(1)), options=_options(asked.at(3)))
    info = asked.at(2)
    if isinstance(info, dict):
        args.update(known(child=integer(info.get("si_pid", "..."))))
        status, how = info.get("si_status"), _ENDED.get(str(info.get("si_code")))
        if how and isinstance(status, int | str):
            args[how] = status
    return args


def _options(raw: Raw) -> list[Value] | None:
    return None if raw == "..." else flags(raw)


DECODERS = {
    "clone": clone,
    "clone3": clone,
    "execve": execve,
    "execveat": execveat,
    "wait4": wait4,
    "waitpid": wait4,
    "waitid": waitid,
}
