"""The requests of ptrace(2) that stepping needs. All are to be made in the thread that seized."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

_GETEVENTMSG, _SEIZE, _LISTEN, _SYSCALL, _CALL_INFO = 0x4201, 0x4206, 0x4208, 24, 0x420E
_FOLLOWED = 0x2 | 0x4 | 0x8 | 0x10  # PTRACE_O_TRACEFORK, VFORK, CLONE, EXEC
_SYSGOOD = 0x1
WALL = 0x40000000
"""Of wait(2): threads, too."""
AT_CALL = 0x80
"""Set in the signal of a stop at a system call (PTRACE_O_TRACESYSGOOD)."""
EVENT_FORKS = (1, 2, 3)
"""Fork, vfork, clone: the message is the number of the new thread."""
EVENT_EXEC, EVENT_STOP = 4, 128
ENTRY, EXIT = 1, 2

_HEAD = struct.Struct("=B3xIQQ")  # struct ptrace_syscall_info: op, arch, two pointers
_ENTERED = struct.Struct("=Q6Q")
_LEFT = struct.Struct("=qB")
_SIZE = 128

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Entered:
    """A thread is about to make a call: its number and arguments; `arch` as AUDIT_ARCH_*."""

    arch: int
    number: int
    args: tuple[int, ...]


@dataclass(frozen=True)
class Left:
    """A thread's call is over: `result` is -errno where it `failed`."""

    result: int
    failed: bool


def seize(tid: int) -> None:
    """Begin to trace a thread and all that it will fork, without stopping it.

    When the tracer ends, they go on (PTRACE_O_EXITKILL is not set). Raises OSError.
    """
    _ptrace(_SEIZE, tid, data=_FOLLOWED | _SYSGOOD)


def resume(tid: int, number: int = 0) -> None:
    """Let a stopped thread run to its next call's entry or exit, with a signal or without."""
    _ptrace(_SYSCALL, tid, data=number)


def listen(tid: int) -> None:
    """Leave a thread stopped, as a signal to stop wants it, until SIGCONT comes."""
    _ptrace(_LISTEN, tid)


def message(tid: int) -> int:
    """Return what belongs to the event at which a thread is stopped."""
    told = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, tid, data=ctypes.addressof(told))
    return told.value


def call(tid: int) -> Entered | Left | None:
    """Return what a stopped thread's call is (Linux 5.3); None where it is stopped in none."""
    buffer = ctypes.create_string_buffer(_SIZE)
    _ptrace(_CALL_INFO, tid, _SIZE, ctypes.addressof(buffer))
    operation, arch, _, _ = _HEAD.unpack_from(buffer.raw)
    if operation == ENTRY:
        number, *args = _ENTERED.unpack_from(buffer.raw, _HEAD.size)
        return Entered(arch, number, tuple(args))
    if operation == EXIT:
        result, failed = _LEFT.unpack_from(buffer.raw, _HEAD.size)
        return Left(result, bool(failed))
    return None


def peek(tid: int, address: int, length: int) -> bytes:
    """Return what is in a stopped thread's memory; as much as can be read, at most `length`."""
    try:
        descriptor = os.open(f"/proc/{tid}/mem", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, length, address) if address and length > 0 else b""
    except (OSError, OverflowError):
        return b""
    finally:
        os.close(descriptor)


def _ptrace(request: int, tid: int, address: int | None = None, data: int | None = None) -> int:
    result = int(_libc.ptrace(request, tid, address, data))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
