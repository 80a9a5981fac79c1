"""Whether a run was what it claims to be: links in force, server and peers each in their part."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.play.distribution.model import Run, Way

_FASTER = 0.97
"""Of the bound: a token bucket lets a little more through at the beginning."""
_CROSSING = 0.05
"""Of the file: more than that between hosts which have nothing to send each other is no
handshake."""
_ASKING = 0.05
_ASKING_BYTES = 200_000
"""What asking the directory may cost for each host: this share of the file, or these bytes."""


def wrong(run: Run) -> Iterator[str]:
    """Yield what is not as it must be, a sentence each."""
    for host, whole in run.whole.items():
        if not whole:
            yield f"{host} has another file than {run.source}: its SHA-256 differs"
    if run.last < run.bound * _FASTER:
        yield (
            f"the last host had the file after {run.last:.2f} s, before the lower bound of "
            f"{run.bound:.2f} s: the links were not in force"
        )
    yield from _server_alone(run) if run.way is Way.SERVER else _peers_too(run)


def _server_alone(run: Run) -> Iterator[str]:
    for (sender, receiver), count in run.flows.items():
        if run.source not in (sender, receiver) and count > _CROSSING * run.size:
            yield (
                f"{sender} sent {count:,} bytes to {receiver}: in client and server all comes "
                f"from {run.source}"
            )
    if run.sent[run.source] < run.n * run.size:
        yield (
            f"{run.source} sent {run.copies:.2f} times the file for {run.n} hosts: not all of it "
            "came from there"
        )


def _peers_too(run: Run) -> Iterator[str]:
    asked = run.sent.get(run.directory, 0)
    if asked > run.n * max(_ASKING * run.size, _ASKING_BYTES):
        yield f"the directory sent {asked:,} bytes: it is to tell who has the file, not to send it"
    most = (run.n + 1) / 2
    if run.n > 1 and run.copies > most:
        yield (
            f"{run.source} sent {run.copies:.2f} times the file for {run.n} hosts: they gave each "
            "other little or nothing, so this is a media server by another name"
        )
