"""The program `labctl`, also as `python -m labctl`."""

import signal


def main() -> None:
    """Run labctl."""
    # Until a command is under way there is nothing to undo: an interrupt while modules
    # are loaded ends the process without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from labctl.cli.main import run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
