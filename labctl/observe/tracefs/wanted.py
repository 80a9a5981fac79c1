"""Which calls the kernel is asked to trace, so that `parse` can tell of them. Pure."""

from __future__ import annotations

from labctl.sequence.verbs import FAMILIES

RESTART = "restart_syscall"
"""The kernel makes a program call it to go on in a call that a stop or a signal interrupted."""

RING = "io_uring_setup"
"""What a program asks through such a ring no tracer of system calls sees."""

CALLS = (*(call for calls in FAMILIES.values() for call in calls), RESTART, RING)
"""By their names in the man pages."""
