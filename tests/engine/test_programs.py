"""The programs of tests/programs: the correct ones work together, each broken one fails its way."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import execs
from labctl.engine.client import Engine
from tests.engine import programs
from tests.engine.programs import BROKEN, Broken, command

BYTES = 300_000
"""Of a reply: more than one send or recv takes at once."""

PORTS = itertools.count(5000)

Pair = Callable[..., Any]
Inside = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def inside(engine: Engine) -> Iterator[Inside]:
    """Run a command in a container of the programs: its exit code, and what it printed."""
    with programs.running(engine) as container:

        def run(*words: str) -> tuple[int, str]:
            code, out, err = execs.run(engine, str(container.id), words)
            assert code is not None
            return code, (out + err).decode()

        yield run


@pytest.fixture(scope="module")
def pair(inside: Inside) -> Pair:
    """Run a server and its clients (argv each); how each ended, as pair.py tells it.

    `serves_on` says that the server is not to end by itself, and need not be waited for.
    """

    def play(server: list[str], *clients: list[str], serves_on: bool = False) -> Any:
        words = ["0" if serves_on else "60", *server]
        for client in clients:
            words += ["--", *client]
        code, out = inside(f"{programs.PLACE}/pair.py", *words)
        assert code == 0, out
        return json.loads(out)

    return play


def within(argv: list[str], *variables: str) -> list[str]:
    """Return the command with these in its environment."""
    return ["env", *variables, *argv]


@pytest.mark.parametrize("client", programs.CLIENTS)
@pytest.mark.parametrize("server", programs.SERVERS)
def test_correct_programs_understand_each_other_across_languages(
    pair: Pair, server: str, client: str
) -> None:
    at = ("127.0.0.1", next(PORTS))
    told = pair(command(server, *at, 3), command(client, *at, BYTES, 2), command(client, *at, 0))
    assert told["server"]["code"] == 0, told
    assert [one["code"] for one in told["clients"]] == [0, 0], told
    assert told["clients"][0]["out"] == f"{BYTES} of {BYTES} bytes\n" * 2


@pytest.mark.parametrize("server", programs.SERVERS)
def test_correct_servers_take_a_request_in_pieces_and_bear_clients_that_vanish(
    pair: Pair, server: str
) -> None:
    at = ("127.0.0.1", next(PORTS))
    clients = ["broken/closes_early.py", "correct/client_in_pieces.py", "correct/client.c"]
    told = pair(command(server, *at, 3), *(command(client, *at) for client in clients))
    assert told["server"]["code"] == 0, told
    assert [one["code"] for one in told["clients"]] == [0, 0, 0], told


@pytest.mark.parametrize("server", programs.SERVERS)
def test_only_concurrent_servers_serve_while_another_client_says_nothing(
    pair: Pair, server: str
) -> None:
    port = next(PORTS)
    concurrent = server in programs.CONCURRENT
    limit = [] if concurrent else ["LIMIT=2"]
    call = " ".join(within(command("correct/client.c", "127.0.0.1", port), *limit))
    silent = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}; {call}"]
    told = pair(command(server, "127.0.0.1", port), silent, serves_on=True)
    assert (told["clients"][0]["code"] == 0) == concurrent, told
    assert told["server"]["code"] == -15


def test_correct_programs_over_udp(pair: Pair) -> None:
    at = ("127.0.0.1", next(PORTS))
    told = pair(
        command(programs.UDP_SERVER, *at, 3),
        command(programs.UDP_CLIENT, *at, 65507, 2),
        command(programs.UDP_CLIENT, *at, 0),
    )
    assert [told["server"]["code"], *(one["code"] for one in told["clients"])] == [0, 0, 0], told


def test_every_program_ends_when_its_time_is_over(pair: Pair) -> None:
    for server in (*programs.SERVERS, programs.UDP_SERVER):
        at = ("127.0.0.1", next(PORTS))
        told = pair(within(command(server, *at), "LIMIT=1"))
        # A shell's way to tell SIGALRM, where there is no signal but a timer.
        assert told["server"]["code"] in (-14, 142), told


def ends(broken: Broken, told: Any) -> tuple[Any, Any]:
    """Return how the broken program ended, and how its partner did."""
    (client,) = told["clients"]
    return (told["server"], client) if broken.server else (client, told["server"])


PLAYED = [one for one in BROKEN.values() if one.partner]


@pytest.mark.parametrize("broken", PLAYED, ids=lambda one: one.fault)
def test_a_broken_program_fails_as_it_says(pair: Pair, broken: Broken) -> None:
    at = ("127.0.0.1", next(PORTS))
    assert broken.partner
    server, client = broken.program, broken.partner
    if not broken.server:
        server, client = client, server
    serves_on = broken.code is None or not broken.server
    client_command = within(command(client, *at), *programs.limited(broken, 2))
    told = pair(command(server, *at), client_command, serves_on=serves_on)
    own, partner = ends(broken, told)
    # The one who serves on is ended in the end.
    assert own["code"] == (-15 if broken.code is None else broken.code), told
    assert broken.says in own["err"]
    if broken.server:
        assert (partner["code"] != 0) == broken.suffers, told
    else:
        assert partner["code"] == -15, told


def test_nobody_listens_where_the_client_ignores_that(inside: Inside) -> None:
    broken = BROKEN["ignores_refused"]
    code, out = inside(*command(broken.program, "127.0.0.1", next(PORTS)))
    assert (code, broken.says in out) == (broken.code, True), out


def test_one_descriptor_leaks_with_each_connection(pair: Pair) -> None:
    at = ("127.0.0.1", next(PORTS))
    count = ["sh", "-c", "ls -l /proc/$(pgrep -x leaks_descripto)/fd | grep -c socket:"]
    client = command("correct/client.c", *at, 100, 7)
    server = command(BROKEN["leaks_descriptors"].program, *at)
    told = pair(server, client, count, serves_on=True)
    assert told["clients"][1]["out"] == "8\n", told


def test_one_zombie_remains_of_each_connection(pair: Pair) -> None:
    at = ("127.0.0.1", next(PORTS))
    client = command("correct/client.c", *at, 100, 7)
    for server, zombies in ((BROKEN["zombies"].program, 7), ("correct/forking_server.c", 0)):
        name = Path(server).stem[:15]
        count = f"until [ $(pgrep -c -r Z -x {name}) = {zombies} ]; do sleep 0.05; done"
        wait = ["timeout", "30", "sh", "-c", count]
        told = pair(command(server, *at), client, wait, serves_on=True)
        assert told["clients"][1]["code"] == 0, told


def test_the_port_is_held_by_time_wait(inside: Inside, pair: Pair) -> None:
    at = ("127.0.0.1", next(PORTS))
    server = command(BROKEN["no_reuseaddr"].program, *at, 1)
    client = command("correct/client.c", *at)
    assert pair(server, client)["server"]["code"] == 0
    assert inside(*server) == (1, "bind: Address already in use\n")
    at = ("127.0.0.1", next(PORTS))
    for _ in range(2):
        told = pair(command("correct/server.c", *at, 1), command("correct/client.c", *at))
        assert told["server"]["code"] == 0, told


def test_a_second_client_of_a_full_backlog_cannot_connect(pair: Pair) -> None:
    at = ("127.0.0.1", next(PORTS))
    script = (
        "import socket\n"
        f"first = socket.create_connection({at}, 20)\n"
        f"try: socket.create_connection({at}, 1)\n"
        "except TimeoutError: print('full')\n"
    )
    server = command(BROKEN["never_accepts"].program, *at)
    told = pair(server, ["python3", "-c", script], serves_on=True)
    assert told["clients"][0]["out"] == "full\n", told


@pytest.mark.parametrize("tool", ["gcc", "node", "perl", "python3", "tshark"])
def test_the_image_has_what_it_promises(inside: Inside, tool: str) -> None:
    assert inside("sh", "-c", f"command -v {tool}")[0] == 0
