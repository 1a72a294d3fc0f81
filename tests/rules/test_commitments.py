"""What a national commitment means for one board, on both sides of each line."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.commitments import (
    ENGLAND_PATIENTS,
    Standing,
    Status,
    board_share,
    fte_for,
    further_whole,
    judge,
    run_since,
    shortfall,
    status_at,
)
from dashboard.rules.returns import months_to

LAST_DAY = date(2024, 3, 31)
MONTHS = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


@pytest.mark.parametrize(
    ("status", "ended_on", "as_at", "expected"),
    [
        (Status.EXPIRED, LAST_DAY, LAST_DAY, Status.IN_FORCE),
        (Status.EXPIRED, LAST_DAY, date(2024, 4, 1), Status.EXPIRED),
        (Status.SUPERSEDED, LAST_DAY, date(2024, 4, 1), Status.SUPERSEDED),
        (Status.IN_FORCE, None, date(2030, 1, 1), Status.IN_FORCE),
        (Status.BASELINE, None, date(2010, 1, 1), Status.BASELINE),
    ],
)
def test_what_has_ended_was_in_force_up_to_its_last_day(
    status: Status, ended_on: date | None, as_at: date, expected: Status
) -> None:
    assert status_at(status, ended_on, as_at) is expected


def test_a_share_by_registered_patients() -> None:
    assert board_share(1000, 2_000, 100_000) == 20.0
    assert board_share(1000, 0, 100_000) == 0.0
    assert board_share(1000, None, 100_000) is None
    assert board_share(1000, ENGLAND_PATIENTS, ENGLAND_PATIENTS) == 1000.0


@given(st.integers(1, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_the_shares_of_all_boards_add_up(national: int, patients: list[int]) -> None:
    england = sum(patients) or 1
    shares = [board_share(national, each, england) or 0.0 for each in patients]
    assert sum(shares) == pytest.approx(national * bool(sum(patients)))


@pytest.mark.parametrize(
    ("figure", "low", "high", "short_by", "standing"),
    [
        (199.9, 200.0, 250.0, 0.1, Standing.BELOW),
        (200.0, 200.0, 250.0, 0.0, Standing.WITHIN),
        (250.0, 200.0, 250.0, 0.0, Standing.WITHIN),
        (250.5, 200.0, 250.0, -0.5, Standing.ABOVE),
        (31.0, 31.9, None, 0.9, Standing.BELOW),
        (32.0, 32.0, None, 0.0, Standing.AT_OR_ABOVE),
        (66.0, 31.9, pd.NA, -34.1, Standing.AT_OR_ABOVE),
        (None, 200.0, 250.0, None, Standing.UNKNOWN),
        (66.0, pd.NA, None, None, Standing.UNKNOWN),
        (0.0, 200.0, 250.0, 200.0, Standing.BELOW),
    ],
)
def test_a_figure_against_a_share_or_a_band(
    figure: float, low: float, high: float, short_by: float | None, standing: Standing
) -> None:
    assert shortfall(figure, low, high) == (
        None if short_by is None else pytest.approx(short_by, abs=1e-9)
    )
    assert judge(Status.IN_FORCE, figure, low, high) is standing


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.IN_FORCE])
@pytest.mark.parametrize("figure", [0.0, 225.0, 1_000_000.0, None])
def test_what_is_not_in_force_is_never_judged(status: Status, figure: float | None) -> None:
    assert judge(status, figure, 200, 250) is Standing.NOT_JUDGED


def test_people_are_whole() -> None:
    assert further_whole(0.9) == 1
    assert further_whole(12.0) == 12
    assert further_whole(-34.1) == -34


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ([True, True, True, True], MONTHS[0]),
        ([True, False, True, True], MONTHS[2]),
        ([False, False, False, True], MONTHS[3]),
        ([True, True, True, False], None),
        ([], None),
    ],
)
def test_a_run_ends_at_the_newest(holds: list[bool], expected: date | None) -> None:
    assert run_since(list(zip(MONTHS[: len(holds)], holds, strict=True))) == expected


@given(st.lists(st.booleans(), max_size=30))
def test_all_of_a_run_holds_and_what_is_before_it_does_not(holds: list[bool]) -> None:
    months = months_to(date(2026, 6, 30), len(holds))
    since = run_since(list(zip(months, holds, strict=True)))
    if since is None:
        assert not holds or not holds[-1]
    else:
        first = months.index(since)
        assert all(holds[first:])
        assert first == 0 or not holds[first - 1]


def test_the_fte_that_so_many_people_need() -> None:
    assert (fte_for(900_000, 250), fte_for(900_000, 200)) == (3600.0, 4500.0)
