"""Windows of months, fifths of deprivation, and the number expected."""

from __future__ import annotations

import calendar
import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.take_up import (
    RANKED_LSOAS,
    deprivation_fifth,
    expected_referrals,
    last_whole_month,
    month_end,
    months_before,
)

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("month", "back", "found"),
    [
        (date(2026, 6, 1), 0, date(2026, 6, 1)),
        (date(2026, 6, 1), 5, date(2026, 1, 1)),
        (date(2026, 6, 1), 6, date(2025, 12, 1)),
        (date(2026, 6, 1), 11, date(2025, 7, 1)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
        (date(2026, 12, 31), -1, date(2027, 1, 1)),
        (date(2026, 6, 30), 24, date(2024, 6, 1)),
    ],
)
def test_months_before(month: date, back: int, found: date) -> None:
    assert months_before(month, back) == found


@given(days, st.integers(-50, 50))
def test_months_before_goes_there_and_back(day: date, back: int) -> None:
    first = day.replace(day=1)
    assert months_before(months_before(day, back), -back) == first
    assert months_before(day, back).day == 1


@pytest.mark.parametrize(
    ("as_at", "month"),
    [
        (date(2026, 6, 30), date(2026, 6, 1)),
        (date(2026, 6, 29), date(2026, 5, 1)),
        (date(2026, 7, 1), date(2026, 6, 1)),
        (date(2026, 1, 15), date(2025, 12, 1)),
        (date(2028, 2, 28), date(2028, 1, 1)),
        (date(2028, 2, 29), date(2028, 2, 1)),
    ],
)
def test_last_whole_month(as_at: date, month: date) -> None:
    assert last_whole_month(as_at) == month


@given(days)
def test_a_month_is_whole_when_it_is_over(day: date) -> None:
    assert month_end(day) == day.replace(day=calendar.monthrange(day.year, day.month)[1])
    month = last_whole_month(day)
    assert month_end(month) <= day < month_end(month_end(month) + timedelta(days=1))


def fifth(rank: float | None, index_year: str | None) -> int | None:
    found = deprivation_fifth(
        pd.Series([rank], dtype="Float64"), pd.Series([index_year], dtype="str")
    )
    assert found.dtype == "Int64"
    return None if pd.isna(found[0]) else int(found[0])


@pytest.mark.parametrize(
    ("rank", "index_year", "found"),
    [
        # 33,755 LSOAs in 2025: a fifth is 6,751 of them, and the published deciles agree.
        (1, "2025", 1),
        (6751, "2025", 1),
        (6751.5, "2025", 2),
        (6752, "2025", 2),
        (13502, "2025", 2),
        (13503, "2025", 3),
        (20253, "2025", 3),
        (20254, "2025", 4),
        (27004, "2025", 4),
        (27005, "2025", 5),
        (33755, "2025", 5),
        # 32,844 in 2019: a fifth is 6,568.8.
        (6568, "2019", 1),
        (6569, "2019", 2),
        (32844, "2019", 5),
        (None, "2025", None),
        (5000, None, None),
        (5000, "2015", None),
    ],
)
def test_fifths_on_both_sides_of_each_line(
    rank: float | None, index_year: str | None, found: int | None
) -> None:
    assert fifth(rank, index_year) == found


def test_as_many_lsoas_in_each_fifth() -> None:
    for year, number in RANKED_LSOAS.items():
        ranks = pd.Series(range(1, number + 1), dtype="Float64")
        sizes = deprivation_fifth(ranks, pd.Series([year] * number)).value_counts()
        assert sorted(sizes.index) == [1, 2, 3, 4, 5]
        assert sizes.max() - sizes.min() <= 1


def strata(*rows: tuple[str, str | None, float | None, float]) -> pd.DataFrame:
    columns = ["ward_code", "stratum", "people", "referrals"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"stratum": "str", "people": "Float64", "referrals": "Float64"})


def test_expected_by_hand() -> None:
    # Young: 10 of 1,000; old: 40 of 500, that is 0.01 and 0.08.
    found = expected_referrals(
        strata(
            ("W1", "young", 900, 8),
            ("W1", "old", 100, 12),
            ("W2", "young", 100, 2),
            ("W2", "old", 400, 28),
        )
    )
    assert found.to_dict() == pytest.approx({"W1": 9 + 8, "W2": 1 + 32})
    assert (found.name, found.dtype) == ("expected", "Float64")


def test_referrals_of_no_stratum_are_shared_out() -> None:
    found = expected_referrals(
        strata(("W1", "all", 300, 30), ("W2", "all", 100, 10), ("W1", None, None, 8))
    )
    assert found.to_dict() == pytest.approx({"W1": 36, "W2": 12})


def test_a_ward_without_people_has_no_expected_number_and_leaves_the_rest_alone() -> None:
    found = expected_referrals(
        strata(
            ("W1", "all", 300, 30),
            ("W2", "all", 100, 10),
            ("W3", "all", None, 500),
            ("W3", None, None, 70),
        )
    )
    assert found.to_dict() == pytest.approx({"W1": 30, "W2": 10})


def test_a_ward_with_one_stratum_unknown_is_left_out_whole() -> None:
    found = expected_referrals(
        strata(("W1", "a", 100, 5), ("W1", "b", 100, 5), ("W2", "a", 100, 9), ("W2", "b", None, 9))
    )
    assert found.to_dict() == pytest.approx({"W1": 10})


def test_nobody_referred_expects_nobody() -> None:
    assert expected_referrals(strata(("W1", "a", 100, 0), ("W2", "a", 50, 0))).to_dict() == {
        "W1": 0,
        "W2": 0,
    }


def test_a_stratum_in_which_nobody_lives() -> None:
    found = expected_referrals(
        strata(("W1", "a", 100, 4), ("W1", "b", 0, 0), ("W2", "a", 100, 6), ("W2", "b", 0, 2))
    )
    assert found.to_dict() == pytest.approx({"W1": 6, "W2": 6})


def test_no_rows() -> None:
    assert len(expected_referrals(strata())) == 0


numbers = st.tuples(st.integers(1, 5000), st.integers(0, 200))


@given(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=6))
def test_the_expected_add_up_to_the_observed(wards: list[list[tuple[int, int]]]) -> None:
    frame = strata(
        *(
            (f"W{place}", stratum, people, referrals)
            for place, row in enumerate(wards)
            for stratum, (people, referrals) in zip("abc", row, strict=True)
        )
    )
    found = expected_referrals(frame)
    assert found.sum() == pytest.approx(frame["referrals"].sum(), abs=1e-6)
    assert len(found) == len(wards)
    # One ward alone is its own reference.
    if len(wards) == 1:
        assert found.iloc[0] == pytest.approx(frame["referrals"].sum(), abs=1e-6)


@pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
def test_worked_cases() -> None:
    cases = json.loads((VECTORS / "expected_referrals.json").read_text(encoding="utf-8"))
    rows = pd.DataFrame(cases["strata_rows"])
    frame = pd.DataFrame(
        {
            "ward_code": rows["practice"],
            "stratum": rows["age"] + rows["sex"] + rows["imd_quintile"].astype("str"),
            "people": rows["patients"].astype("Float64"),
            "referrals": rows["referrals"].astype("Float64"),
        }
    )
    found = expected_referrals(frame)
    wanted = {case["practice"]: case["expected"] for case in cases["expected"]}
    assert found.to_dict() == pytest.approx(wanted, rel=1e-6)
    assert found.sum() == pytest.approx(cases["total"]["expected"], rel=1e-9)
