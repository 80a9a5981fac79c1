from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labctl.engine.inside import Done, TimedOut
from labctl.engine.output import Output
from labctl.lab.model import Command, Condition
from labctl.play import conditions
from labctl.play.probes import Earlier, Listening

if TYPE_CHECKING:
    from tests.unit.play.conftest import LocalHosts

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
LISTENS = HEADER + (
    "   0: 00000000:{:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
    "  1000        0 41411 1 0 100 0 0 10 0\n"
)


def said(text: str) -> Done:
    return Done(0, text.encode(), b"", 0.0)


def no_start(host: str, command: Command, timeout: float) -> tuple[int, str]:
    raise AssertionError("nothing is to be run")


def wait(hosts: LocalHosts, when: dict[str, str], timeout: float = 0.3) -> str | None:
    wanted = conditions.of(Condition.model_validate(when), hosts, {}, no_start)
    return conditions.wait(wanted, timeout)


def test_a_port_that_comes_to_listen(hosts: LocalHosts) -> None:
    hosts.answers["cat"] = [said(HEADER), said(LISTENS.format(80)), said(LISTENS.format(8080))]
    assert wait(hosts, {"listening": "a:8080"}, timeout=10) is None


def test_what_listens_instead_is_told(hosts: LocalHosts) -> None:
    hosts.answers["cat"] = [said(LISTENS.format(8081))]
    unmet = wait(hosts, {"listening": "a:8080"})
    assert unmet is not None
    assert "still not: a listens on port 8080/tcp" in unmet
    assert unmet.endswith("last seen: tcp ports bound on a: 0.0.0.0:8081")


def test_the_engines_own_resolver_is_not_a_program_of_the_host(hosts: LocalHosts) -> None:
    listens = LISTENS.format(8080).replace("00000000:1F90", "0B00007F:1F90")
    hosts.answers["cat"] = [said(listens)]
    unmet = wait(hosts, {"listening": "a:8080"})
    assert unmet is not None and unmet.endswith("tcp ports bound on a: none")


def test_sockets_that_cannot_be_read_end_the_wait_at_once(hosts: LocalHosts) -> None:
    hosts.answers["cat"] = [Done(127, b"", b"cat: not found\n", 0.0)]
    unmet = wait(hosts, {"listening": "a:8080"}, timeout=60)
    assert unmet is not None and unmet.endswith("its sockets cannot be read: cat: not found")


@pytest.fixture
def udp_port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def tcp_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_real_sockets_of_this_machine(hosts: LocalHosts, udp_port: int, tcp_port: int) -> None:
    assert Listening(hosts, "a", udp_port, "udp").look(15).holds
    assert Listening(hosts, "a", tcp_port, "tcp").look(15).holds
    assert not Listening(hosts, "a", 0, "udp").look(15).holds


def test_a_bound_tcp_socket_does_not_listen_yet(hosts: LocalHosts) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert not Listening(hosts, "a", port, "tcp").look(15).holds
        bound.listen()
        assert Listening(hosts, "a", port, "tcp").look(15).holds


@pytest.fixture
def whole_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look come to its end: a busy machine may need a second to start a shell."""
    monkeypatch.setattr(conditions, "_SHORTEST_LOOK", 60.0)


@pytest.mark.usefixtures("whole_looks")
def test_a_file_that_is_not_there(hosts: LocalHosts, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    unmet = wait(hosts, {"file": f"a:{tmp_path}/wanted"})
    assert unmet is not None and unmet.endswith(f"last seen: the folder {tmp_path} holds other")
    (tmp_path / "other").unlink()
    unmet = wait(hosts, {"file": f"a:{tmp_path}/wanted"})
    assert unmet is not None and unmet.endswith("is empty")
    unmet = wait(hosts, {"file": f"a:{tmp_path}/no/wanted"})
    assert unmet is not None and unmet.endswith(f"there is no folder {tmp_path}/no")
    (tmp_path / "wanted").touch()
    assert wait(hosts, {"file": f"a:{tmp_path}/wanted"}) is None


def background(hosts: LocalHosts, command: str, wanted: str) -> Earlier:
    output = Output([wanted])
    return Earlier("b", hosts.start("a", ["sh", "-c", command], {}, output), output)


def printed(hosts: LocalHosts, earlier: Earlier, wanted: str, timeout: float) -> str | None:
    when = Condition.model_validate({"output": {"step": "b", "contains": wanted}})
    found = conditions.of(when, hosts, {"b": earlier}, no_start)
    return conditions.wait(found, timeout)


def test_a_text_that_a_step_prints_on_either_stream(hosts: LocalHosts) -> None:
    for command in ("echo now ready", "sleep 0.2; echo now ready >&2"):
        earlier = background(hosts, command, "ready")
        assert printed(hosts, earlier, "ready", 30) is None
        assert earlier.command.wait(30)


def test_a_step_that_has_ended_prints_no_more(hosts: LocalHosts) -> None:
    began = time.monotonic()
    unmet = printed(hosts, background(hosts, "echo no; exit 2", "ready"), "ready", 60)
    assert time.monotonic() - began < 30
    assert unmet == (
        'it waited for: step b has printed "ready"; but it has ended with exit code 2; '
        'its last line is "no"'
    )


def test_a_command_that_succeeds_at_last(hosts: LocalHosts) -> None:
    codes = [1, 1, 0]

    def start(host: str, command: Command, timeout: float) -> tuple[int, str]:
        return codes.pop(0), "told\n"

    when = Condition.model_validate({"succeeds": {"host": "a", "run": "probe me"}})
    assert conditions.wait(conditions.of(when, hosts, {}, start), 10) is None
    assert codes == []
    codes += [1] * 100
    unmet = conditions.wait(conditions.of(when, hosts, {}, start), 0.2)
    assert unmet is not None and unmet.endswith('exit code 1: "told"')


@pytest.mark.usefixtures("whole_looks")
def test_all_of_several_must_hold(hosts: LocalHosts, tmp_path: Path) -> None:
    hosts.answers["cat"] = [said(LISTENS.format(8080))]
    when = {"listening": "a:8080", "file": f"a:{tmp_path}/wanted"}
    unmet = wait(hosts, when)
    assert unmet is not None and f"{tmp_path}/wanted is there on a" in unmet
    (tmp_path / "wanted").touch()
    assert wait(hosts, when) is None


def test_a_wait_ends_when_it_has_become_pointless(hosts: LocalHosts) -> None:
    hosts.answers["cat"] = [said(HEADER)]
    wanted = [Listening(hosts, "a", 80, "tcp")]
    unmet = conditions.wait(wanted, 60, broken=lambda: True)
    assert unmet is not None and unmet.startswith("it waited for: a listens on port 80/tcp")


def test_a_look_that_takes_too_long_has_shown_nothing_and_the_next_one_counts(
    hosts: LocalHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def slow_at_first(_host: str, _argv: Sequence[str], timeout: float) -> Done:
        given.append(timeout)
        if len(given) == 1:
            raise TimedOut("on host a: `cat` did not end")
        return said(LISTENS.format(80))

    monkeypatch.setattr(hosts, "run", slow_at_first)
    assert wait(hosts, {"listening": "a:80"}, timeout=60) is None
    assert given == [15, 15]


@pytest.mark.parametrize("when", [{"listening": "a:80"}, {"file": "a:/x"}])
def test_looks_that_never_end_are_no_longer_than_the_step(
    hosts: LocalHosts, monkeypatch: pytest.MonkeyPatch, when: dict[str, str]
) -> None:
    given: list[float] = []

    def slow(_host: str, argv: Sequence[str], timeout: float) -> Done:
        given.append(timeout)
        raise TimedOut(f"on host a: `{argv[0]}` did not end")

    monkeypatch.setattr(hosts, "run", slow)
    unmet = wait(hosts, when, timeout=0.2)
    assert unmet is not None
    assert "still not" in unmet
    assert unmet.endswith("did not end")
    assert set(given) == {1.0}  # the shortest that makes sense
    monkeypatch.setattr(conditions, "_SHORTEST_LOOK", 0.0)
    given.clear()
    wait(hosts, when, timeout=0.2)
    assert max(given) <= 0.2
