"""How commands are started inside a host so that all of them can be ended.

An engine can start a process in a running host but not end one. So each command gets a
mark in its environment, which all its children inherit, and it tells its process number
(in the host's own pid namespace) before it begins. A process that the mark is on, or that
is in the command's session (setsid(2)), is the command's: children that went into the
background are found by their mark, programs that overwrite their environment (nginx does,
to show a title) by their session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MARK = "LABCTL_STEP"
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_NAP = 0.05

_TELL = 'echo $$ >&2; exec "$@"'
_TELL_AT_GATE = 'echo $$ >&2; shift; kill -STOP $$; exec "$@"'
_GATE = 'shift; kill -STOP $$; exec "$@"'
GATE_NAME = "labctl-gate"
"""What a shell at a gate is called; the gate's mark is the word after it."""

_END = r"""
mark=$1 tries=$2; shift 2; sessions=" $* "
alive() {
  grep -lsF -- "$mark" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do echo "$pid"; done
  [ "$sessions" = "  " ] && return
  for dir in /proc/[0-9]*; do
    { read -r stat < "$dir/stat"; } 2>/dev/null || continue
    set -- ${stat##*) }
    case $1 in Z | X) continue ;; esac
    case $sessions in *" $4 "*) echo "${dir#/proc/}" ;; esac
  done
}
nap() { sleep NAP 2>/dev/null || { sleep 1; i=$((i + ONE)); }; i=$((i + 1)); }
pids=$(alive)
[ -z "$pids" ] && exit 0
kill -s TERM $pids 2>/dev/null
kill -s CONT $pids 2>/dev/null
i=0
while [ $i -lt "$tries" ]; do
  nap
  pids=$(alive)
  [ -z "$pids" ] && exit 0
done
i=0
while [ $i -lt 100 ]; do
  # What is stopped makes no more processes meanwhile, and takes the place of others.
  kill -s STOP $pids 2>/dev/null
  pids="$pids $(alive)"
  kill -s KILL $pids 2>/dev/null
  nap
  pids=$(alive)
  [ -z "$pids" ] && exit 0
done
echo $pids
exit 1
""".replace("NAP", str(_NAP)).replace("ONE", str(round(1 / _NAP) - 1))


def mark(*parts: object) -> str:
    """Return the mark of what the parts name together; that of the first parts is in it."""
    return "".join(f"{part}." for part in parts)


def told(argv: Sequence[str], gate: str | None = None) -> list[str]:
    """Return the command that runs `argv` and tells its process number first.

    The number is the first line on standard error; the shell that writes it becomes the
    program (execve(2)), so nothing else of the program's is touched. With a `gate`, the mark
    of one, it stops itself (SIGSTOP) before that, until somebody lets it go on (SIGCONT).
    """
    if gate is None:
        return ["/bin/sh", "-c", _TELL, "sh", *argv]
    return ["/bin/sh", "-c", _TELL_AT_GATE, GATE_NAME, gate, *argv]


def gated(argv: Sequence[str], gate: str) -> list[str]:
    """Return the command that stops itself at the gate of this mark before it runs `argv`."""
    return ["/bin/sh", "-c", _GATE, GATE_NAME, gate, *argv]


def end(mark: str, pids: Iterable[int], grace: float = GRACE) -> list[str]:
    """Return the command that ends all that carries the mark or is in the sessions `pids`.

    It sends SIGTERM, and SIGKILL to what is still there after `grace` seconds. It ends with 0
    when all are gone, otherwise with 1 and their process numbers on standard output.
    """
    tries = max(1, round(grace / _NAP))
    return ["/bin/sh", "-c", _END, "sh", f"{MARK}={mark}", str(tries), *map(str, pids)]
