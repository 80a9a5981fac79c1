"""What servers with subordinate processes need, so that none is left behind."""

import ctypes
from _signal import SIG_IGN, SIGCHLD, signal  # type: ignore[import-not-found]

PR_SET_PDEATHSIG, SIGKILL = 1, 9

prctl = ctypes.CDLL(None).prctl


def let_kernel_reap() -> None:
    """Ignore SIGCHLD: then a subordinate that ends is no zombie and needs no wait(2).

    The price: the main process never learns how one ended.
    """
    signal(SIGCHLD, SIG_IGN)


def end_with_main() -> None:
    """In a subordinate: have the kernel end it when the main process has, however that ended."""
    prctl(PR_SET_PDEATHSIG, SIGKILL)
