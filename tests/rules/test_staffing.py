"""In post, pressure, what is needed and what is short: both sides of each line."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.staffing import (
    FunnelPlace,
    InPost,
    Pressure,
    TargetState,
    gap,
    judge_funnel,
    judge_in_post,
    judge_pressure,
    mean_fte,
    needed_fte,
    pressure,
    target_in_force,
    vacancy_days,
)


def floats(*values: float | None) -> pd.Series:
    return pd.Series(values, dtype="Float64")


def counts(*values: int | None) -> pd.Series:
    return pd.Series(values, dtype="Int64")


def listed(values: pd.Series) -> list[float | None]:
    assert values.dtype == "Float64"
    return [None if pd.isna(value) else float(value) for value in values]


@pytest.mark.parametrize(
    ("fte", "state"),
    [
        (None, InPost.NO_RETURN),
        (pd.NA, InPost.NO_RETURN),
        (float("nan"), InPost.NO_RETURN),
        (0.0, InPost.NO_WORKER),
        (0.01, InPost.IN_POST),
    ],
)
def test_in_post(fte: float | None, state: InPost) -> None:
    assert judge_in_post(fte) is state


def test_pressure_is_never_infinite() -> None:
    found = pressure(counts(450, 450, None, 450, 0, None), floats(2, 0, 2, None, 2, 0))
    assert listed(found) == [225, None, None, None, 0, None]


@pytest.mark.parametrize(
    ("each", "fte", "is_hidden", "state"),
    [
        (199.9, 1.0, False, Pressure.BELOW),
        (200.0, 1.0, False, Pressure.WITHIN),
        (250.0, 1.0, False, Pressure.WITHIN),
        (250.1, 1.0, False, Pressure.ABOVE),
        (0.0, 1.0, False, Pressure.BELOW),
        (None, 0.0, False, Pressure.NO_WORKER),
        (None, 0.0, True, Pressure.NO_WORKER),
        (None, None, False, Pressure.NO_RETURN),
        (None, None, True, Pressure.NO_RETURN),
        (pd.NA, 1.0, False, Pressure.NO_RETURN),
        (pd.NA, 1.0, True, Pressure.HIDDEN),
    ],
)
def test_pressure_in_words(
    each: float | None, fte: float | None, is_hidden: bool, state: Pressure
) -> None:
    assert judge_pressure(each, fte, is_hidden=is_hidden) is state


def test_needed_fte() -> None:
    found = needed_fte(counts(500, 500, 500, 0, None, 500), floats(1.5, 2, 2.5, 0, 1, None))
    assert {column: listed(found[column]) for column in found} == {
        "least_fte": [2, 2, 2, 0, None, 2],
        "most_fte": [2.5, 2.5, 2.5, 0, None, 2.5],
        "further_fte": [0.5, 0, 0, 0, None, None],
    }


@given(st.integers(0, 10_000), st.floats(0, 50))
def test_with_what_is_needed_nobody_is_above_the_band(referrals: int, fte: float) -> None:
    further = needed_fte(counts(referrals), floats(fte))["further_fte"][0]
    each = pressure(counts(referrals), floats(fte + further))[0]
    # A last digit may lie above the line.
    if pd.notna(each):
        assert judge_pressure(each - 1e-9 * each, fte + further) is not Pressure.ABOVE


def test_gap() -> None:
    found = gap(floats(2, 1, 1, None, 1), floats(0.5, 1, 1.5, 1, None))
    assert listed(found) == [1.5, 0, -0.5, None, None]


def test_vacancy_days() -> None:
    assert vacancy_days(date(2026, 6, 1), date(2026, 6, 30)) == 29
    assert vacancy_days(date(2026, 6, 30), date(2026, 6, 30)) == 0
    assert vacancy_days(None, date(2026, 6, 30)) is None


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((1, 2, 3), (2, 3)),
        ((1, None, 3, None), (2, 2)),
        ((1, None, None), (None, 1)),
        ((0, 0), (0, 2)),
        ((None, None), (None, 0)),
        ((1, float("nan"), None), (None, 1)),
        ((1, pd.NA), (1, 1)),
        ((), (None, 0)),
    ],
)
def test_mean_fte(values: tuple[float | None, ...], found: tuple[float | None, int]) -> None:
    assert mean_fte(values) == found


@pytest.mark.parametrize(
    ("as_at", "state"),
    [
        (date(2026, 3, 31), TargetState.NOT_YET),
        (date(2026, 4, 1), TargetState.IN_FORCE),
        (date(2027, 3, 31), TargetState.IN_FORCE),
        (date(2027, 4, 1), TargetState.EXPIRED),
    ],
)
def test_target_in_force(as_at: date, state: TargetState) -> None:
    assert target_in_force(date(2026, 4, 1), date(2027, 3, 31), as_at) is state


def test_a_target_without_an_end_does_not_expire() -> None:
    assert target_in_force(date(2020, 4, 1), None, date(2099, 1, 1)) is TargetState.IN_FORCE


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (0.9, FunnelPlace.OUTSIDE_998),
        (1.0, FunnelPlace.OUTSIDE_95),
        (1.9, FunnelPlace.OUTSIDE_95),
        (2.0, FunnelPlace.INSIDE),
        (4.0, FunnelPlace.INSIDE),
        (4.1, FunnelPlace.OUTSIDE_95),
        (5.0, FunnelPlace.OUTSIDE_95),
        (5.1, FunnelPlace.OUTSIDE_998),
    ],
)
def test_places_in_a_funnel(value: float, place: FunnelPlace) -> None:
    assert judge_funnel(value, (2, 4), (1, 5)) is place


def test_a_mean_of_decimals_does_not_miss_its_line() -> None:
    """100 referrals over the mean of twelve months of 0.4: 250, and some billionths."""
    ratio = 100 / (sum([0.4] * 12) / 12)
    assert ratio > 250
    assert judge_pressure(ratio, 0.4) is Pressure.WITHIN
    assert judge_pressure(250.00001, 0.4) is Pressure.ABOVE
