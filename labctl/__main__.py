"""The program `labctl`, also as `python -m labctl`."""

import gc
import signal


def main() -> None:
    """Run labctl."""
    # Until a command is under way there is nothing to undo: an interrupt while modules
    # are loaded ends the process without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A recording is a million objects that are all wanted until the end: looking through all of
    # them for garbage takes a second each time.
    gc.set_threshold(10_000, 20, 100)
    from labctl.cli.main import run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
