"""`labctl`: mounts the commands, and turns errors into two lines and an exit code."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import signal
import sys
from collections.abc import Iterable
from types import FrameType

import typer
from rich.console import Console
from rich.text import Text

from labctl.errors import LabctlError, LabFileError

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as a shell has it."""

MODULES = {
    "labs": ("list", "show", "validate", "new", "schema"),
    "up": ("up",),
    "down": ("ps", "down"),
    "hosts": ("exec", "shell", "logs", "cp"),
    "scenarios": ("run", "verify"),
    "demo": ("demo",),
    "images": ("images",),
    "doctor": ("doctor",),
    "clean": ("clean",),
}
"""The modules of this room, in the order of `labctl --help`, with the commands of each."""


def build(modules: Iterable[str] = MODULES) -> typer.Typer:
    """Return the command line, with the commands of these modules only."""
    app = typer.Typer(
        name="labctl",
        help="Small internets of containers: brought up on one command, watched and checked.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit codes: 0 done, 1 a check failed, 2 wrong usage or lab file, "
        "3 the engine or the machine cannot.",
    )
    for module in modules:
        importlib.import_module(f"labctl.cli.{module}").register(app)
    app.command("version")(version)
    return app


def version() -> None:
    """Print labctl's version."""
    print(importlib.metadata.version("labctl"))


def needed(argv: list[str]) -> Iterable[str]:
    """Return the modules that a command line needs: one, where its first word is a command.

    To load them all takes longer than many a command does.
    """
    word = argv[1] if len(argv) > 1 else ""
    found = [module for module, commands in MODULES.items() if word in commands]
    return found or MODULES


def run() -> None:
    """Run the command line; never ends in a traceback for what a user can mend."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        build(needed(sys.argv))(prog_name="labctl")
    except LabctlError as error:
        tell(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get("LABCTL_DEBUG"):
            raise
        tell(_fault(error))
        sys.exit(LabctlError.exit_code)


def tell(error: LabctlError) -> None:
    """Print what is wrong and what to do, on standard error; of a lab file, each problem."""
    if isinstance(error, LabFileError):
        for problem in error.problems:
            _two_lines(str(problem), problem.hint)
    else:
        _two_lines(error.message, error.hint)


def _two_lines(message: str, hint: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(Text.assemble(("error: ", "bold red"), message))
    if hint:
        console.print(Text.assemble(("  hint: ", "bold"), hint))


def _fault(error: Exception) -> LabctlError:
    said = " ".join(str(error).split())
    return LabctlError(
        f"labctl itself failed: {type(error).__name__}: {said}",
        "This is a fault of labctl's. LABCTL_DEBUG=1 shows where; `labctl clean` removes what "
        "it may have left.",
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
