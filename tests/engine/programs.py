"""The image with the programs of tests/programs, and how each of the broken ones is played."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.models.containers import Container

from labctl.engine.client import Engine, refused
from labctl.engine.images import ensure, images
from labctl.engine.images.child import Progress
from labctl.engine.images.inputs import BUILT, Image, content_hash
from labctl.engine.images.recipe import build
from labctl.engine.locks import held, lock_path
from labctl.lab.places import data_root

FOLDER = Path(__file__).parents[1] / "programs"
PLACE = "/opt/programs"
"""Where they are in the image."""

LABEL = "labctl.test=programs"
"""The label by which the images of any version can be found."""

LONGEST_BUILD = 900.0


class ProgramsImage(Image):
    """An image of labctl's by how it is made, but not by its name."""

    @property
    def repository(self) -> str:
        return "labctl-test-programs"


def image(engine: Engine, progress: Progress = lambda line: None) -> str:
    """Return the tag of the image, built first where the engine lacks it.

    The tag holds a hash of all that is in tests/programs and of the base image. Raises
    MachineError, with the last lines of what the build said.
    """
    wanted = _wanted()
    if not _is_there(engine, wanted.tag):
        with held(lock_path("test-programs", engine.id), "the test programs", LONGEST_BUILD):
            if not _is_there(engine, wanted.tag):
                base = ensure(engine, ["base"], progress)["base"]
                build(engine, wanted, {"BASE": base}, progress)
    return wanted.tag


@contextmanager
def running(engine: Engine) -> Iterator[Container]:
    """Have a container of the image within the block, on no network."""
    container = engine.sdk.containers.run(
        image(engine),
        name=f"labctl-test-{secrets.token_hex(4)}",
        detach=True,
        init=True,
        network_mode="none",
        cap_drop=["ALL"],
    )
    try:
        yield container
    finally:
        container.remove(force=True)


def _wanted() -> Image:
    base = images(data_root())["base"]
    # The label that it gets from this name keeps `labctl clean` from taking it for a base image.
    return ProgramsImage(BUILT, FOLDER, content_hash(FOLDER, base.inputs))


def _is_there(engine: Engine, tag: str) -> bool:
    with refused(f"looking for image {tag}"):
        return bool(engine.sdk.images.list(tag))


def command(program: str, *arguments: object) -> list[str]:
    """Return the argv of a program, named as its source: `correct/server.c`."""
    return [f"{PLACE}/{program.removesuffix('.c')}", *map(str, arguments)]


SERVERS = (
    "correct/server.c",
    "correct/server.js",
    "correct/server.pl",
    "correct/server.py",
    "correct/forking_server.c",
    "correct/threading_server.py",
)
CONCURRENT = (
    "correct/server.js",
    "correct/forking_server.c",
    "correct/threading_server.py",
)
CLIENTS = (
    "correct/client.c",
    "correct/client.js",
    "correct/client.pl",
    "correct/client.py",
)
UDP_SERVER = "correct/udp_server.c"
UDP_CLIENT = "correct/udp_client.py"


@dataclass(frozen=True)
class Broken:
    """A program with one fault.

    `partner` is the program that it is played with (None: nobody; it calls where nobody
    listens). `server` tells which of the two it is. `code` is the exit code it ends with, minus
    the signal's number where one ends it; None for a server that serves on. `says` is part of
    what it then writes to standard error. `suffers` tells whether a client on the same host that
    is its partner fails too (ends with another code than 0).
    """

    program: str
    """As its source is named: `broken/no_listen.c`."""
    fault: str
    server: bool
    partner: str | None
    code: int | None
    says: str
    suffers: bool


_CLIENT, _SERVER = "correct/client.py", "correct/server.c"
_PIECES, _EARLY = "correct/client_in_pieces.py", "broken/closes_early.py"

_Line = tuple[str, str, str | None, int | None, str]

_BROKEN_SERVERS: tuple[_Line, ...] = (
    ("bind_after_listen.c", "bind after listen", _CLIENT, None, "bind: Invalid argument"),
    ("no_bind.py", "no bind", _CLIENT, None, ""),
    ("no_listen.c", "no listen", _CLIENT, 1, "accept: Invalid argument"),
    ("accept_before_listen.py", "accept before listen", _CLIENT, 1, "Invalid argument"),
    ("loopback_only.c", "bound to 127.0.0.1 only", _CLIENT, None, ""),
    ("short_read.c", "short read taken for a request", _PIECES, None, ""),
    ("leaks_descriptors.c", "connections never closed", _CLIENT, None, ""),
    ("zombies.c", "subordinates not waited for", _CLIENT, None, ""),
    ("sigpipe.c", "writes after the client closed", _EARLY, -13, ""),
    ("waits_for_eof.py", "waits for the client to close", _CLIENT, None, ""),
    ("never_accepts.py", "backlog 0 and no accept", _CLIENT, None, ""),
    ("no_reuseaddr.c", "no SO_REUSEADDR", _CLIENT, None, ""),
    ("udp_listen.c", "listen on a UDP socket", UDP_CLIENT, 1, "Operation not supported"),
    ("udp_accept.py", "accept on a UDP socket", UDP_CLIENT, 1, "Operation not supported"),
)
_BROKEN_CLIENTS: tuple[_Line, ...] = (
    ("closes_early.py", "closes with data unread", _SERVER, 0, ""),
    ("short_reply.py", "short read taken for a reply", _SERVER, 1, ""),
    ("epipe.py", "sends after the server closed", _SERVER, 1, "Broken pipe"),
    ("no_newline.c", "request never ends", _SERVER, -14, ""),
    ("connect_twice.c", "connects twice", _SERVER, 1, "already connected"),
    ("ignores_refused.py", "sends though refused", None, 1, "Broken pipe"),
)
_HARMLESS = ("leaks_descriptors", "loopback_only", "no_reuseaddr", "sigpipe", "zombies")
"""Servers whose client, on the same host, gets what it asked for."""


def _broken() -> Iterator[Broken]:
    for program, fault, partner, code, says in _BROKEN_SERVERS:
        suffers = Path(program).stem not in _HARMLESS
        yield Broken(f"broken/{program}", fault, True, partner, code, says, suffers)
    for program, fault, partner, code, says in _BROKEN_CLIENTS:
        yield Broken(f"broken/{program}", fault, False, partner, code, says, False)


WAIT_FOR_EACH_OTHER = ("never_accepts", "no_newline", "waits_for_eof")
"""Where only the client's limit ends the waiting; all others end by themselves, however slowly."""
PAUSE = 15
"""Seconds that a request in pieces waits for a server that takes the first one for all."""


def limited(broken: Broken, seconds: int) -> list[str]:
    """Return what the environment of the client of a broken program's pair is to have."""
    stem = Path(broken.program).stem
    limit = [f"LIMIT={seconds}"] if stem in WAIT_FOR_EACH_OTHER else []
    return [f"PAUSE={PAUSE}"] if stem == "short_read" else limit


BROKEN = {Path(one.program).stem: one for one in _broken()}
"""By the name of the program without its suffix."""
