"""The options of the echo servers: `--port 8080` and the like, the same for all of them.

Not `argparse`: the memory that it takes would be a burden on every fork (serving.py).
"""

import sys


class Options:
    """What a server is told on its command line, and what holds without."""

    def __init__(self) -> None:
        self.host = "0.0.0.0"
        self.port = 8080
        self.backlog = 128
        self.timeout = 30.0
        self.workers = 16


USAGE = {
    "host": "address to bind to",
    "port": "its port (0: any free)",
    "backlog": "clients that may wait to be accepted",
    "timeout": "seconds that a silent client is kept",
    "workers": "processes that serve, one client each",
}


def read_options(about: str | None, *more: str) -> Options:
    """The options on the command line; `more` are those that only some servers have.

    Ends the process after --help, and with 2 after a wrong word.
    """
    options = Options()
    known = ["host", "port", "backlog", "timeout", *more]
    words = iter(sys.argv[1:])
    for word in words:
        if word in ("-h", "--help"):
            _help(about or "", options, known)
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            _wrong(f"unknown argument {word!r}")
        if not has_value:
            value = next(words, "")
        try:
            setattr(options, name, _value(name, value))
        except ValueError:
            _wrong(f"--{name}: {value!r} is not {USAGE[name]}")
    return options


def _value(name: str, text: str) -> str | int | float:
    """The value of an option. Raises ValueError when it cannot have that one."""
    if name == "host":
        if not text or "\0" in text:
            raise ValueError
        text.encode("idna")
        return text
    value = float(text) if name == "timeout" else int(text)
    least, most = {"timeout": (0.001, 1_000_000), "workers": (1, 10_000)}.get(name, (0, 65535))
    if not least <= value <= most:
        raise ValueError
    return value


def _help(about: str, options: Options, known: list[str]) -> None:
    print(f"{about.strip()}\n\noptions:")
    for name in known:
        print(f"  --{name:8} {USAGE[name]} (default: {getattr(options, name)})")
    sys.exit(0)


def _wrong(what: str) -> None:
    sys.stderr.write(f"{what}\n`--help` tells the options.\n")
    sys.exit(2)
