"""The arithmetic of the benchmark of many people at once."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.bench.sessions import Row, by_kind, markdown, percentile, ratio, ratios, table
from tests.bench.visitor import LONGEST_SECONDS, Click


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        (range(1, 21), 0.5, 10),
        (range(1, 21), 0.95, 19),
        (range(1, 21), 0.99, 20),
        (range(1, 101), 0.95, 95),
        (range(1, 101), 0.99, 99),
        (range(1, 101), 0.55, 55),
        ([3, 1, 2], 0.5, 2),
        ([3, 1, 2], 0.0, 1),
        ([3, 1, 2], 1.0, 3),
        ([7], 0.5, 7),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], share: float, expected: float
):
    assert percentile(list(values), share) == expected


def test_of_nothing_there_is_no_percentile_and_no_ratio():
    assert math.isnan(percentile([], 0.5))
    assert [ratio(1, 0), ratio(math.nan, 1), ratio(1, math.nan), ratio(1, -2)] == ["–"] * 4
    assert [ratio(1, 4), ratio(3, 2)] == ["0.25", "1.50"]


def row(name: str, *seconds: float) -> Row:
    clicks = [Click("layer", each, each + 0.01) for each in seconds]
    return Row(
        configuration=name,
        sessions=10,
        window_seconds=4.0,
        measured_seconds=5.0,
        clicks=clicks,
        finished_in_window=len(clicks),
        cpu_seconds=1.0,
        own_cpu_seconds=0.25,
        mb_a_session=1.5,
    )


def test_what_was_not_answered_is_an_error_and_slow():
    lost = Click("ward", LONGEST_SECONDS, LONGEST_SECONDS, "not answered")
    one = row("this dashboard", 0.1)
    found = replace(one, clicks=[*one.clicks, lost])
    assert found.errors == 1
    assert found.milliseconds(0.95) == 60_000
    assert found.milliseconds(0.95, "layer") == 100
    # It was clicked, and finished nothing.
    assert found.reruns_a_second == 0.25
    assert found.cpu_ms_a_rerun == 500


def test_a_row_of_the_table_is_of_one_configuration():
    ours, usual = row("this dashboard", 0.1, 0.2), row("usual page", 0.4, 0.4)
    lines = table([ours, usual]).splitlines()
    assert lines[0].startswith("|  | sessions | clicks | reruns/s | p50 ms |")
    assert lines[2] == (
        "| this dashboard | 10 | 2 | 0.5 | 100 | 200 | 200 | 210 | 0 | 1.50 | 500 | 20% | 5% |"
    )
    assert len(lines) == 4


def test_ratios_are_of_the_same_number_of_sessions():
    ours, usual = row("this dashboard", 0.1, 0.2), row("usual page", 0.4, 0.4)
    other = replace(row("usual page", 9.0), sessions=50)
    lines = ratios([ours, usual, other]).splitlines()
    assert lines[2:] == ["| this dashboard / usual page | 10 | 0.25 | 0.50 | 1.00 | 1.00 |"]


def test_kinds_of_clicks_stand_apart_and_the_first_too():
    ours = replace(row("this dashboard", 0.1, 0.2), first_clicks=[Click("This week", 2.0, 2.0)])
    assert by_kind([ours]).splitlines()[2:] == [
        "| this dashboard | – | 100 | 200 |",
        "| this dashboard, first time | 2,000 | – | 2,000 |",
    ]


def test_a_table_is_markdown():
    assert markdown(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | ---: |\n| x | 1 |"
