"""`labctl`: mounts the commands, and turns errors into two lines and an exit code."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
from collections.abc import Iterable
from tempfile import gettempdir
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from typer.exceptions import TyperException

from labctl.cli import interrupts, streams
from labctl.errors import LabctlError, LabFileError, MachineError, is_disk_full

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as a shell has it."""

MODULES = {
    "labs": ("list", "show", "validate", "new", "schema"),
    "up": ("up",),
    "down": ("ps", "down"),
    "hosts": ("exec", "shell", "logs", "cp"),
    "scenarios": ("run", "verify"),
    "trace": ("trace",),
    "syscalls": ("syscalls",),
    "sockets": ("sockets",),
    "queues": ("queues",),
    "curve": ("curve",),
    "tree": ("tree",),
    "capture": ("capture",),
    "dissect": ("dissect",),
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
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit codes: 0 done, 1 a check failed, 2 wrong usage or lab file, "
        "3 the engine or the machine cannot.",
    )
    for module in modules:
        importlib.import_module(f"labctl.cli.{module}").register(app)
    app.command("version")(version)
    app.callback()(options)
    return app


def options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print labctl's version.", callback=_print_version)
    ] = False,
) -> None:
    """Bring small internets of containers up on one command, watch them, check them."""


def version() -> None:
    """Print labctl's version."""
    print(importlib.metadata.version("labctl"))


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def needed(argv: list[str]) -> Iterable[str]:
    """Return the modules that a command line needs: one, where its first word is a command.

    To load them all takes longer than many a command does.
    """
    word = argv[1] if len(argv) > 1 else ""
    if word in ("version", "--version"):
        return ()
    found = [module for module, commands in MODULES.items() if word in commands]
    return found or MODULES


def run() -> None:
    """Run the command line; never ends in a traceback for what a user can mend."""
    streams.take()
    interrupts.over = False
    try:
        interrupts.take()
        code = _written()
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        interrupts.over = True
        interrupts.ignore()
    if code == INTERRUPTED:
        streams.drop()  # Python would write at its end what took too long just now
    sys.exit(code)


def _written() -> int:
    """Run the command line, and write what it has printed; return the exit code."""
    try:
        try:
            return _code()
        finally:
            streams.flush()
    except streams.ReaderGone:
        return streams.READER_GONE
    except MachineError as error:
        tell(error)
        return error.exit_code


def _code() -> int:
    """Run the command line, tell what went wrong, and return the exit code."""
    try:
        return build(needed(sys.argv))(prog_name="labctl", standalone_mode=False) or 0
    except LabctlError as error:
        tell(error)
        return error.exit_code
    except TyperException as error:
        _tell_usage(error)
        return error.exit_code
    except typer.Abort:
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("LABCTL_DEBUG"):
            raise
        tell(_fault(error))
        return LabctlError.exit_code


def _tell_usage(error: TyperException) -> None:
    """Print what is wrong with a command line; where it is only a command without more, help."""
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if "\n" in message:
        print(message, file=sys.stderr)
        return
    command = context.command_path if context else "labctl"
    _two_lines(message[:1].lower() + message[1:], f"`{command} --help` tells how it is used.")


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
    if isinstance(error, OSError) and is_disk_full(error):
        return MachineError(
            f"a disk is full: {said}",
            f"Free some space; files that are there for a while only go to {gettempdir()}, "
            "TMPDIR names another folder.",
        )
    return LabctlError(
        f"labctl itself failed: {type(error).__name__}: {said}",
        "This is a fault of labctl's. LABCTL_DEBUG=1 shows where; `labctl clean` removes what "
        "it may have left.",
    )
