"""The arithmetic of benchmarks/distribution.py: bound, ratios, torrents, the table."""

import pytest

from benchmarks.distribution import AIM, Round, bencode, bound, summary, systems, table

SIZE = 64 << 20


@pytest.mark.parametrize("peers", [1, 4, 8, 16])
def test_with_equal_uplinks_the_bound_is_that_of_the_seed(peers: int) -> None:
    assert bound(peers, SIZE, 40) == pytest.approx(13.42, abs=0.005)


def test_a_torrent_is_written_as_in_bep_3() -> None:
    assert bencode({b"b": 3, b"a": b"spam"}) == b"d1:a4:spam1:bi3ee"


def test_figures_are_ratios_to_the_bound_and_to_the_file_and_medians_over_rounds() -> None:
    rows = [
        Round("swarm", 2, 10, [11, last], {"seed": SIZE, "peer-1": 0, "peer-2": SIZE // 2}, 1, 0.5)
        for last in (12, 13, 30)
    ]
    (found,) = summary(rows, SIZE)
    assert found["last"] == 1.3
    assert found["best"] == 1.2
    assert found["mean"] == pytest.approx(1.2)
    assert (found["seed"], found["most"]) == (1, 0.5)
    assert "swarm          1.300     1.200     1.200     1.000     0.500" in table([found])
    assert AIM in table([found])


def test_the_last_of_a_chain_sends_to_nobody() -> None:
    chain = systems(2, SIZE)["chain"]
    assert chain.peer(0, 1)[-1] == "peer-2"
    assert chain.peer(0, 2)[-1] == str(SIZE)
