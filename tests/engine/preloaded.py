"""Runs labctl's commands in processes that have loaded it already: loading takes half their time.

Each is a process of its own, forked from one that has only loaded the modules. That a fresh
Python can run labctl is seen by the tests that start one, of which there are many.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import labctl.cli
from labctl.cli.main import MODULES

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([f"{labctl.cli.__name__}.{module}" for module in MODULES])


def run(
    args: tuple[str, ...], cwd: Path | None, env: Mapping[str, str], timeout: float
) -> tuple[int, str, str]:
    """Run `labctl ARGS` to its end, without a terminal; return exit code, output and errors.

    Raises TimeoutError, after the process was killed, where it does not end in time (seconds).
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = _FORKS.Process(target=_main, args=(args, str(cwd or Path.cwd()), dict(env), folder))
        child.start()
        child.join(timeout)
        if child.is_alive():
            child.kill()
            child.join()
            raise TimeoutError(f"labctl {' '.join(args)} does not end: {err.read_text()}")
        assert child.exitcode is not None
        return child.exitcode, out.read_text(), err.read_text()


def _main(args: tuple[str, ...], cwd: str, env: dict[str, str], folder: str) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for name, number in (("out", 1), ("err", 2)):
        with Path(folder, name).open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["labctl", *args]
    from labctl.__main__ import main

    main()
