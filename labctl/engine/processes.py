"""How commands are started inside a host so that all of them can be ended.

An engine can start a process in a running host but not end one. So each command gets a
mark in its environment, which all its children inherit, and it tells its process number
(in the host's own pid namespace) before it begins. A process that the mark is on, or that
is in the command's session (setsid(2)), is the command's: children that went into sessions of
their own are found by their mark, programs that overwrite their environment (nginx does,
to show a title) by their session. The session is looked at first: who reads the environment of a
process that forks all the time waits until that lets its memory be read, for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MARK = "LABCTL_STEP"
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
PATIENCE = 15.0
"""Seconds from the first SIGKILL until it is given up."""
_NAP = 0.05

_TELL = 'echo $$ >&2; exec "$@"'
_TELL_AT_GATE = 'echo $$ >&2; shift; kill -STOP $$; exec "$@"'
_GATE = 'shift; kill -STOP $$; exec "$@"'
GATE_NAME = "labctl-gate"
"""What a shell at a gate is called; the gate's mark is the word after it."""

ALIVE = r"""
# Prints the processes that are there, and their groups as negative numbers: one that forks and
# ends all the time has gone when it is signalled, but not its group. "lost" stands for some that
# went while they were looked at, and may have left others that this look has not seen; "z" is
# before the numbers of those that have ended and are not waited for, and of those whose environment
# is not there yet.
alive() {
  others= lost= ends=
  for dir in /proc/[0-9]*; do
    { read -r stat < "$dir/stat"; } 2>/dev/null || { lost=lost; continue; }
    set -- ${stat##*) }
    # The kernel has taken it apart while it told of it: its session is not known any more.
    [ "$4" != -1 ] || { lost=lost; continue; }
    case $1 in Z | X) echo "z${dir#/proc/}"; continue ;; esac
    case $sessions in
      *" $4 "*) echo "${dir#/proc/}"; [ "$3" -le 1 ] || echo "-$3" ;;
      *) others="$others $dir/environ" ends="$ends $dir/environ:${49:-} " ;;
    esac
  done
  [ -z "$others" ] || grep -lsF -- "$mark" $others | while read -r file; do
    dir=${file%/environ}
    echo "${dir#/proc/}"
    { read -r stat < "$dir/stat"; } 2>/dev/null || continue
    set -- ${stat##*) }
    [ "$3" -le 1 ] || echo "-$3"
  done
  # Who has ended meanwhile has no environment any more, nor has who is about to end (PF_EXITING),
  # though it still holds its sockets.
  for file in $others; do
    { read -r stat < "${file%environ}stat"; } 2>/dev/null || stat=") X"
    set -- ${stat##*) }
    case $1 in Z | X) lost=lost ;; esac
    [ $((${7:-0} & 4)) = 0 ] || lost=lost
    # Nor has who becomes another program (execve(2)), until the kernel has laid that one out; then
    # its environment ends elsewhere (env_end).
    case $ends in *" $file:${49:-} "*) ;; *) lost=lost ;; esac
    [ "${49:-}" != 0 ] || [ "${21:-0}" = 0 ] || ! { true < "$file"; } 2>/dev/null || {
      dir=${file%/environ}
      echo "z${dir#/proc/}"
    }
  done
  [ -z "$lost" ] || echo lost
}
"""
"""The shell function that looks for what carries `$mark`, or is in one of `$sessions`."""

_END = r"""
mark=$1 grace=$2 patience=$3; shift 3; sessions=" " leaders=
for pid; do
  case $pid in -*) pid=${pid#-}; [ -e "/proc/$pid" ] && continue ;; esac
  sessions="$sessions$pid " leaders="$leaders -$pid"
done
# Sets $pids; ends with 0 where nothing is left. Who had not ended in the look before may have left
# others that this one has not seen. A host's own programs may come and go so fast that some are
# lost in every look: of so many looks, one would have found what can end by itself, and of so many
# after a SIGKILL, one what is ours.
killed= blind=0 ended=
look() {
  found=$(alive) || exit 2
  pids= unsure= before=$ended ended=" "
  for one in $found; do
    case $one in
      lost) unsure=yes ;;
      z*) ended="$ended$one " ; case $before in *" $one "*) ;; *) unsure=yes ;; esac ;;
      *) pids="$pids $one" ;;
    esac
  done
  [ -z "$pids" ] || { blind=0; return 0; }
  [ -n "$unsure" ] || exit 0
  blind=$((blind + 1))
  [ -z "$killed" ] || [ $blind -lt 20 ] || exit 0
}
# The group of a session's first process has its number: it can be signalled unseen.
strike() { [ -z "$pids$leaders" ] || kill -s "$1" -- $pids $leaders 2>/dev/null; return 0; }
# Where it cannot start a process any more, the shell says so by the exit code of $(...).
nap() { sleep NAP 2>/dev/null || sleep 1; }
within() {
  IFS='. ' read -r seconds hundredths _ < /proc/uptime
  now=$((seconds * 100 + 1$hundredths - 100))
  [ $now -lt $((${start:=$now} + $1)) ]
}
look
strike TERM
strike CONT
start=
while within "$grace" && [ $blind -lt 20 ]; do
  nap
  look
done
start= blind=0
while within "$patience"; do
  # What is stopped makes no more processes, and takes the place of others; so all are stopped
  # before the first is killed.
  stopped=$pids
  strike STOP
  look
  [ "$stopped" = "$pids" ] && strike KILL && killed=yes && nap
done
for one in $pids; do case $one in -*) ;; *) echo "$one" ;; esac; done
exit 1
""".replace("NAP", str(_NAP))


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


def end(
    mark: str, pids: Iterable[int], grace: float = GRACE, ended: Iterable[int] = ()
) -> list[str]:
    """Return the command that ends all that carries the mark or is in the sessions `pids`.

    Of the sessions `ended` the first process has ended: one that is there now has got its number
    since, and is left alone. No number is given again while its session has processes.
    It sends SIGTERM, and SIGKILL to what is still there after `grace` seconds. It ends with 0
    when all are gone, with 1 and their process numbers on standard output when some are left
    `PATIENCE` seconds after that, with another code where it cannot look or start a process.
    """
    sessions = [*map(str, pids), *(f"-{pid}" for pid in ended)]
    times = [str(round(seconds * 100)) for seconds in (grace, PATIENCE)]
    return ["/bin/sh", "-c", ALIVE + _END, "sh", f"{MARK}={mark}", *times, *sessions]
