"""How times, sizes, hosts and descriptors are said in a diagnosis."""

from __future__ import annotations

from labctl.sequence.events import Endpoint


def span(nanoseconds: int) -> str:
    """Return a length of time with three digits or so: `850 µs`, `12.3 ms`, `1.25 s`."""
    size = abs(nanoseconds)
    if size < 1_000_000:
        return f"{nanoseconds / 1e3:.0f} µs"
    if size < 1_000_000_000:
        return (
            f"{nanoseconds / 1e6:.1f} ms" if size < 100_000_000 else f"{nanoseconds / 1e6:.0f} ms"
        )
    return f"{nanoseconds / 1e9:.2f} s" if size < 100_000_000_000 else f"{nanoseconds / 1e9:,.0f} s"


def count(number: int, thing: str) -> str:
    """Return `1 byte`, `1,448 bytes`, `2 processes`."""
    ending = "" if number == 1 else "es" if thing.endswith("s") else "s"
    return f"{number:,} {thing}{ending}"


def named(host: str | None, endpoint: Endpoint | None) -> str:
    """Return a host with its address and port, as far as they are known."""
    if host is None:
        return str(endpoint) if endpoint else "the other side"
    return f"{host} ({endpoint})" if endpoint else host


def listed(words: list[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def program(command: str) -> str:
    """Return the name that a command line is known by: `python3 /srv/server.py -v`: `server.py`."""
    words = [word.rsplit("/", 1)[-1] for word in command.split()]
    if not words:
        return ""
    if words[0].startswith(("python", "node", "perl", "java", "ruby", "sh", "bash")):
        scripts = [word for word in words[1:] if not word.startswith("-")]
        return scripts[0] if scripts else words[0]
    return words[0]
