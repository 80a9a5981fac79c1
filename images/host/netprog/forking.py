"""What servers with subordinate processes need, so that none is left behind."""

import ctypes
import os
from _signal import SIG_IGN, SIGCHLD, signal  # type: ignore[import-not-found]

PR_SET_PDEATHSIG, SIGKILL = 1, 9

prctl = ctypes.CDLL(None).prctl


def let_kernel_reap() -> None:
    """Ignore SIGCHLD: then a subordinate that ends is no zombie and needs no wait(2).

    The price: the main process never learns how one ended.
    """
    signal(SIGCHLD, SIG_IGN)


def end_with_main(main_process: int) -> None:
    """In a subordinate: have the kernel end it when the main process has, however that ended."""
    prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != main_process:  # it ended before the kernel was told
        os._exit(0)
