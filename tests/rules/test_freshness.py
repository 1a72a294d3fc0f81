"""How old a confirmation is: both sides of each line, at the ends of months too."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.freshness import COUNTING, Freshness, freshness

AS_AT = date(2026, 6, 30)
FRESH, AGEING, STALE, NEVER = (each.value for each in Freshness)
DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))


def classes(*days: date | None, as_at: date = AS_AT, stale_months: int = 12) -> list[str]:
    return freshness(pd.Series(days, dtype=object), as_at, stale_months).tolist()


@pytest.mark.parametrize(
    ("confirmed_on", "expected"),
    [
        (date(2026, 7, 1), FRESH),  # after the date that was chosen
        (date(2026, 6, 30), FRESH),
        (date(2025, 12, 31), FRESH),
        (date(2025, 12, 30), AGEING),  # 6 months ago today
        (date(2025, 12, 29), AGEING),
        (date(2025, 7, 1), AGEING),
        (date(2025, 6, 30), STALE),  # 12 months ago today
        (date(2025, 6, 29), STALE),
        (date(1990, 1, 1), STALE),
        (None, NEVER),
    ],
)
def test_both_sides_of_each_line(confirmed_on: date | None, expected: str) -> None:
    assert classes(confirmed_on) == [expected]


@pytest.mark.parametrize(
    ("stale_months", "last_stale", "a_day_later"),
    [
        (1, date(2026, 5, 30), FRESH),
        # Nothing ages longer than it takes to go stale.
        (3, date(2026, 3, 30), FRESH),
        (6, date(2025, 12, 30), FRESH),
        (7, date(2025, 11, 30), AGEING),
        (24, date(2024, 6, 30), AGEING),
    ],
)
def test_stale_after_another_number_of_months(
    stale_months: int, last_stale: date, a_day_later: str
) -> None:
    days = (last_stale, last_stale + timedelta(days=1))
    assert classes(*days, stale_months=stale_months) == [STALE, a_day_later]


@pytest.mark.parametrize(
    ("as_at", "months", "last_old"),
    [
        (date(2026, 8, 31), 6, date(2026, 2, 28)),
        (date(2024, 8, 31), 6, date(2024, 2, 29)),
        (date(2026, 8, 29), 6, date(2026, 2, 28)),
        (date(2026, 8, 28), 6, date(2026, 2, 28)),
        (date(2026, 8, 27), 6, date(2026, 2, 27)),
        (date(2026, 3, 31), 6, date(2025, 9, 30)),
        (date(2026, 2, 28), 6, date(2025, 8, 28)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2025, 2, 28), 12, date(2024, 2, 28)),
    ],
)
def test_the_ends_of_months(as_at: date, months: int, last_old: date) -> None:
    """A day that the month before does not have is its last."""
    days = (last_old, last_old + timedelta(days=1))
    older, younger = (STALE, AGEING) if months == 12 else (AGEING, FRESH)
    assert classes(*days, as_at=as_at) == [older, younger]


def test_each_keeps_its_place_and_none_is_none() -> None:
    days = pd.Series([None, AS_AT, date(2020, 1, 1)], index=[7, 3, 5], dtype=object)
    assert freshness(days, AS_AT, 12).to_dict() == {7: NEVER, 3: FRESH, 5: STALE}
    assert classes() == []
    assert classes(None, None) == [NEVER, NEVER]


def test_what_counts_as_provision() -> None:
    assert COUNTING == (FRESH, AGEING)


def months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@given(st.lists(DAYS | st.none(), max_size=8), DAYS, st.integers(1, 36))
def test_a_slower_way_says_the_same(days: list[date | None], as_at: date, stale: int) -> None:
    expected = []
    for day in days:
        if day is None:
            expected.append(NEVER)
        elif day <= months_before(as_at, stale):
            expected.append(STALE)
        else:
            expected.append(AGEING if day <= months_before(as_at, 6) else FRESH)
    assert classes(*days, as_at=as_at, stale_months=stale) == expected
