"""Which threads of this kernel are those of a container, under which numbers each has.

To be asked in the machine's own pid namespace: numbers there are the kernel's own, and
/proc shows every process. proc_pid_status(5), NSpid: a process's number in each pid
namespace that it is in, from the outermost to its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
Tasks = dict[int, list[int]]
"""By the kernel's own number of a thread: its process and itself as its container counts."""


def tasks_of(main_pid: int, pids: Collection[int] | None) -> Tasks:
    """Return the threads of some processes of a container.

    `main_pid` is the kernel's own number of the container's main process; `pids` are numbers
    in its pid namespace, or None for all there that see the files that it sees (others are an
    observer's beside it). Raises ProcessLookupError where `main_pid` is not there.
    """
    try:
        namespace, files = _namespace(main_pid, "pid"), _namespace(main_pid, "mnt")
    except OSError:
        raise ProcessLookupError(f"no process {main_pid}") from None
    found: Tasks = {}
    for process in _processes():
        with suppress(OSError, ValueError, IndexError):  # it has just ended
            if _namespace(process, "pid") != namespace:
                continue
            number = _own(process, process)
            wanted = _namespace(process, "mnt") == files if pids is None else number in pids
            if wanted:
                found.update(_threads(process, number))
    return found


def numbers(tids: Collection[int]) -> Tasks:
    """Return, of the threads that still are, what `tasks_of` would say of them."""
    found: Tasks = {}
    for tid in tids:
        with suppress(OSError, ValueError, IndexError):
            process = int(_field(PROC / str(tid) / "status", "Tgid")[0])
            found[tid] = [_own(process, process), _own(process, tid)]
    return found


def under_way(tids: Collection[int]) -> dict[int, list[int]]:
    """Return the calls that threads are in: number and arguments (proc_pid_syscall(5))."""
    found = {}
    for tid in tids:
        with suppress(OSError):
            number, *rest = (PROC / str(tid) / "syscall").read_text().split()
            if number.isdecimal():
                found[tid] = [int(number), *(int(word, 16) for word in rest[:6])]
    return found


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def _namespace(process: int, kind: str) -> str:
    return str((PROC / str(process) / "ns" / kind).readlink())


def _threads(process: int, number: int) -> Iterator[tuple[int, list[int]]]:
    for entry in (PROC / str(process) / "task").iterdir():
        with suppress(OSError, ValueError, IndexError):
            yield int(entry.name), [number, _own(process, int(entry.name))]


def _own(process: int, tid: int) -> int:
    return int(_field(PROC / str(process) / "task" / str(tid) / "status", "NSpid")[-1])


def _field(status: Path, name: str) -> list[str]:
    for line in status.read_bytes().decode(errors="replace").splitlines():
        word, _, rest = line.partition(":")
        if word == name:
            return rest.split()
    return []
