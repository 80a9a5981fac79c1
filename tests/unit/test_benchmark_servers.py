"""The arithmetic of benchmarks/servers.py: orders, ratios, growth per connection, the table."""

import pytest

from benchmarks.on_hosts import order, ratio
from benchmarks.servers import NGINX, C, Row, per_connection, report, table


def test_in_twice_as_many_rounds_as_servers_each_is_first_twice_and_last_twice() -> None:
    names = ["a", "b", "c"]
    rounds = [order(names, turn) for turn in range(6)]
    assert all(sorted(one) == names for one in rounds)
    assert (
        sorted(one[0] for one in rounds) == sorted(one[-1] for one in rounds) == sorted(names * 2)
    )


def test_a_ratio_is_taken_within_each_round_before_the_median() -> None:
    assert ratio([10, 200, 3000], [100, 100, 1000]) == 2


def test_growth_is_divided_by_the_connections_that_were_served() -> None:
    before = {"pss": 100.0, "kernel": 50.0}
    after = {"pss": 500.0, "kernel": 50.0}
    assert per_connection(before, after, 4) == {"pss": 100.0, "kernel": 0.0}


def test_growth_is_unknown_where_nothing_was_served_or_a_figure_cannot_be_read() -> None:
    assert per_connection({"pss": 1.0}, {"pss": 2.0}, 0) == {"pss": None}
    assert per_connection({"kernel": None}, {"kernel": None}, 9) == {"kernel": None}


def rows() -> list[Row]:
    return [
        Row(C, [5000, 5000], held=200, memory=36, kernel=87, tasks=1),
        Row(NGINX, [10000, 10000], held=200, memory=5, kernel=None, tasks=0),
        Row("fork", [2500, 2500], failed=3, trouble="Connection refused"),
    ]


def test_the_table_has_ratios_aims_failures_and_a_dash_for_what_is_not_known() -> None:
    text = table(rows())
    assert "fork        2,500    0.50      0.25" in text
    assert "<= 200 KiB" in text
    assert "3 connections failed: Connection refused" in text
    nginx = next(line for line in text.splitlines() if line.startswith(NGINX))
    assert nginx.split() == ["nginx", "10,000", "2.00", "1.00", "200", "5", "KiB", "-", "0.00"]


def test_without_the_servers_to_compare_with_there_are_no_ratios() -> None:
    (alone,) = report([Row("fork", [100.0])])
    assert alone["to_c"] is None
    assert alone["to_nginx"] is None
    assert table([Row("fork", [100.0])]).splitlines()[1].split()[:3] == ["fork", "100", "0"]


@pytest.mark.parametrize("name", [C, NGINX])
def test_a_server_is_as_fast_as_itself(name: str) -> None:
    found = {row["name"]: row for row in report(rows())}
    assert found[name]["to_c" if name == C else "to_nginx"] == 1
