"""The arithmetic of benchmarks/transfer.py: what each way tells, the ratios, the table."""

from __future__ import annotations

import json

import pytest

from benchmarks.on_hosts import order, share_idle
from benchmarks.transfer import CURL, IPERF3, WAYS, Row, found_by, report, table
from labctl.errors import CheckFailed

GIGABYTE = 10**9


def test_the_ways_take_turns() -> None:
    rounds = [order(list(WAYS), turn) for turn in range(2 * len(WAYS))]
    assert all(sorted(one) == sorted(WAYS) for one in rounds)
    assert {one[0] for one in rounds} == set(WAYS)


def test_each_way_tells_its_rate_and_what_arrived() -> None:
    said = json.dumps({"end": {"sum_received": {"bits_per_second": 2.5e10}}})
    assert found_by(IPERF3, said, GIGABYTE, 9) == (25, None)
    assert found_by(CURL, "abc  /home/student/large\n", GIGABYTE, 2) == (4, "abc")
    said = json.dumps({"bytes": GIGABYTE, "rate": GIGABYTE, "sha256": "abc"})
    assert found_by("checked", said, GIGABYTE, 9) == (8, "abc")


def test_a_file_that_is_not_whole_fails() -> None:
    said = json.dumps({"bytes": 5, "rate": 5.0, "sha256": None})
    with pytest.raises(CheckFailed, match="unchecked: 5 bytes came, not 1000000000"):
        found_by("unchecked", said, GIGABYTE, 1)


def test_idle_is_a_share_of_all_ticks_without_those_of_guests() -> None:
    assert share_idle([0] * 10, [10, 0, 10, 50, 30, 0, 0, 0, 7, 0]) == 0.8
    assert share_idle([5] * 10, [5] * 10) == 0


def rows() -> list[Row]:
    return [
        Row(IPERF3, [20, 30], [1, 1], [0.2, 0.2], [0.3, 0.3], [0.1, 0.1]),
        Row("checked", [10, 12], [1.0, 0.5], [1.2, 1.2], [0.4, 0.4], [0, 0]),
        Row(CURL, [4, 4], [2.0, 2.0], [1.8, 1.8], [0.5, 0.5], [0, 0]),
    ]


def test_ratios_are_taken_within_each_round_before_the_median() -> None:
    found = {row["name"]: row for row in report(rows())}
    assert found["checked"]["to_iperf3"] == pytest.approx(0.45)
    assert found["checked"]["to_curl"] == 3
    assert found[CURL]["to_curl"] == 1
    assert found[IPERF3]["to_curl"] is None
    assert found["checked"]["aim"] == ">= 10 Gbit/s, >= 1.5 curl"


def test_the_table_has_a_line_for_each_way() -> None:
    lines = table(rows()).splitlines()
    assert lines[2].split()[:8] == [
        "checked",
        "11.00",
        "0.75",
        "0.45",
        "3.00",
        "1.20",
        "0.40",
        "0%",
    ]
    assert lines[2].endswith(">= 1.5 curl")
    assert len(lines) == 4


def test_without_the_ways_to_compare_with_there_are_no_ratios() -> None:
    (alone,) = report([rows()[1]])
    assert (alone["to_iperf3"], alone["to_curl"]) == (None, None)
    assert table([rows()[1]]).splitlines()[1].split()[:4] == ["checked", "11.00", "0.75", "1.20"]
