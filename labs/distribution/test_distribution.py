"""The lab distribution, checked on its hosts: links, both ways of giving, who sent what to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from labctl.play.distribution import bounds, experiment
from labctl.play.distribution.experiment import distribute
from labctl.play.distribution.files import MEGABYTE, Item
from labctl.play.distribution.model import Rates, Run, Way
from labctl.play.distribution.stage import Stage, staged
from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

N = 3
FILE = Item("tune.mp3", 2 * MEGABYTE)
RATE = 40_000_000
LEECH = ("/opt/broken/leech",)
Host = Callable[[str], Any]


@pytest.fixture(scope="module")
def stage(lab: LabUnderTest) -> Iterator[Stage]:
    """The file is on the server and on the seed; the kernels count."""
    with staged(lab.engine, lab.live, FILE) as made:
        made.give_out()
        yield made


@pytest.fixture(scope="module")
def links(stage: Stage) -> Rates:
    return experiment.rates(stage)


@pytest.fixture(scope="module")
def runs(stage: Stage, links: Rates) -> dict[Way, Run]:
    """The file given to N hosts in both ways."""
    return {way: distribute(stage, way, N, links) for way in Way}


def test_server_seed_and_peers_have_the_same_uplink(links: Rates) -> None:
    assert (links.server, links.seed, links.peers) == (RATE, RATE, (RATE,) * 4)


@pytest.mark.parametrize("way", Way)
def test_each_way_is_what_it_claims_to_be(runs: dict[Way, Run], way: Way) -> None:
    assert runs[way].wrong == ()
    assert set(runs[way].seconds) == {"peer-1", "peer-2", "peer-3"}
    assert all(runs[way].whole.values())


def test_no_way_is_faster_than_its_bound(runs: dict[Way, Run]) -> None:
    served, shared = runs[Way.SERVER], runs[Way.PEERS]
    assert served.bound == bounds.client_server(N, FILE.size, RATE) == pytest.approx(1.2)
    assert shared.bound == bounds.peer_to_peer(FILE.size, RATE, [RATE] * N) == pytest.approx(0.4)
    for run in (served, shared):
        assert run.last >= 0.97 * run.bound
        assert run.mean <= run.last


def test_the_media_server_sends_a_copy_to_each(runs: dict[Way, Run]) -> None:
    run = runs[Way.SERVER]
    assert N <= run.copies < N + 0.5
    for peer in run.seconds:
        assert run.flows["server", peer] >= FILE.size
        assert run.sent[peer] < 0.1 * FILE.size  # acknowledgements


def test_in_p2p_the_peers_send_most(runs: dict[Way, Run]) -> None:
    run = runs[Way.PEERS]
    given = sum(run.flows.get((a, b), 0) for a in run.seconds for b in run.seconds)
    assert given > FILE.size
    assert run.copies < 2
    assert run.sent["server"] < 0.01 * FILE.size
    assert run.sent["directory"] < 100_000  # it names holders; the file does not cross it


def test_what_one_kernel_counted_as_sent_others_counted_as_received(runs: dict[Way, Run]) -> None:
    for run in runs.values():
        arrived = sum(count for (sender, _), count in run.flows.items() if sender == run.source)
        assert arrived == pytest.approx(run.sent[run.source], rel=0.1)


def test_a_peer_that_gives_nothing_on_is_found_by_the_counters(stage: Stage, links: Rates) -> None:
    run = distribute(replace(stage, get=LEECH), Way.PEERS, N, links)
    assert all(run.whole.values())
    assert len(run.wrong) == 1
    assert run.wrong[0].startswith("seed sent 3.")
    assert run.wrong[0].endswith("so this is a media server by another name")


@pytest.mark.scenario("media-server")
def test_the_server_forks_for_each_client(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


def test_a_swarm_brings_the_file_bit_for_bit(lab: LabUnderTest, host: Host) -> None:
    result = lab.run("swarm")
    assert result.passed, result.failed_step
    sent = host("seed").file("/srv/files/numbers.txt").sha256sum
    for name in ("peer-1", "peer-2"):
        assert host(name).file("/tmp/numbers.txt").sha256sum == sent


def test_programs_run_as_an_ordinary_user_without_capabilities(host: Host) -> None:
    for name, program in (("server", "media_server"), ("seed", "peer"), ("directory", "directory")):
        assert host(name).process.filter(user="student", comm=program)
    assert "0000000000000000" in host("server").check_output("grep CapEff /proc/self/status")
