"""The last year's changes carried on: by hand, and by summing one month at a time."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dashboard.rules.projection import (
    HORIZON_MONTHS,
    SEARCH_MONTHS,
    Projection,
    Reached,
    month_reached,
    project,
    reached_words,
)
from dashboard.rules.take_up import months_before

JUNE = date(2026, 6, 1)


def series(*values: float | None, last: date = JUNE) -> list[tuple[date, float | None]]:
    return [
        (months_before(last, len(values) - 1 - place), value) for place, value in enumerate(values)
    ]


def projected(*values: float | None) -> Projection:
    found, reason = project(series(*values))
    assert (found is not None, reason) == (True, "")
    assert found is not None
    return found


def test_by_hand() -> None:
    """Six changes of 1, 0, 2, 1, 0 and 2: mean 1, sum of squares 4, so sd is root 4/5."""
    found = projected(10, 11, 11, 13, 14, 14, 16)
    sd, t = math.sqrt(0.8), 2.5705818366147395  # t of 5 degrees of freedom, from a table
    assert (found.last_month, found.last_fte, found.changes) == (JUNE, 16, 6)
    assert (found.rate_per_month, found.sd) == pytest.approx((1, sd))
    reach = t * sd / math.sqrt(6)
    assert (found.rate_lower, found.rate_upper) == pytest.approx((1 - reach, 1 + reach))
    assert found.months[:2] == (date(2026, 7, 1), date(2026, 8, 1))
    assert found.months[-1] == date(2028, 6, 1)
    assert len(found.months) == HORIZON_MONTHS == 24
    assert found.central == pytest.approx(range(17, 41))
    for ahead in (1, 3, 24):
        reach = t * sd * math.sqrt(ahead + ahead * ahead / 6)
        assert found.lower[ahead - 1] == pytest.approx(max(0, 16 + ahead - reach))
        assert found.upper[ahead - 1] == pytest.approx(16 + ahead + reach)


@given(st.lists(st.floats(0, 100), min_size=7, max_size=12))
def test_against_a_plain_second_version(values: list[float]) -> None:
    found = projected(*values)
    changes = np.diff(values)
    t = stats.t.ppf(0.975, len(changes) - 1)
    for ahead, (central, lower, upper) in enumerate(
        zip(found.central, found.lower, found.upper, strict=True), start=1
    ):
        middle = values[-1] + ahead * changes.mean()
        # The chance of each month ahead, and that of the mean counted for each of them.
        variance = changes.var(ddof=1) * ahead + (ahead**2) * changes.var(ddof=1) / len(changes)
        reach = t * math.sqrt(variance)
        expected = [max(0.0, value) for value in (middle, middle - reach, middle + reach)]
        assert [central, lower, upper] == pytest.approx(expected, abs=1e-9)
        assert 0 <= lower <= central <= upper


def test_only_the_last_twelve_months_count() -> None:
    assert projected(90, *range(1, 13)) == projected(*range(1, 13))
    assert projected(*range(1, 13)).changes == 11


def test_only_changes_between_months_that_follow_one_another_count() -> None:
    """From 3 to 9 over a missing month is no change of one month, nor two of 3."""
    found = projected(1, 2, 3, None, 9, 10, 11, 12)
    assert (found.changes, found.rate_per_month, found.sd) == (5, 1, 0)
    left_out = [row for row in series(1, 2, 3, None, 9, 10, 11, 12) if row[1] is not None]
    assert project(left_out) == (found, "")
    assert project(list(reversed(left_out))) == (found, "")


def test_nothing_moves() -> None:
    found = projected(*[2.5] * 7)
    assert found.sd == 0
    assert found.central == found.lower == found.upper == (2.5,) * 24


def test_the_newest_known_month_is_where_it_starts() -> None:
    found = projected(1, 2, 3, 4, 5, 6, 7, None)
    assert (found.last_month, found.last_fte) == (date(2026, 5, 1), 7)
    assert (found.months[0], found.central[0]) == (JUNE, 8)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "no month is known"),
        ((None, None), "no month is known"),
        ((1, 2, 3, 4, 5, 6), "6 of the last 12 months are known, 7 are needed"),
        # The first of seven lies before the last 12 months.
        (
            (1, 2, 3, 4, 5, 6, 7, *[None] * 6),
            "6 of the last 12 months are known, 7 are needed",
        ),
        (
            (1, None, 3, None, 5, None, 7, None, 9, None, 11, 12),
            "fewer than 2 changes from one known month to the next",
        ),
    ],
)
def test_why_there_is_none(values: tuple[float | None, ...], reason: str) -> None:
    assert project(series(*values)) == (None, reason)


def test_seven_known_months_are_enough() -> None:
    assert project(series(1, 2, 3, 4, 5, 6))[0] is None
    assert project(series(1, 2, 3, 4, 5, 6, 7))[0] is not None
    assert project(series(math.nan, 2, 3, 4, 5, 6, 7))[0] is None


def test_a_month_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="each month once"):
        project([*series(1, 2, 3, 4, 5, 6, 7), (JUNE, None)])


def test_a_target_reached_by_steady_growth() -> None:
    """A tenth a month from 1.6 to 2.0: four months, though tenths do not add up exactly."""
    found = projected(1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)
    october = date(2026, 10, 1)
    reached = month_reached(found, 2.0)
    assert reached == Reached(False, october, october, october)
    assert reached_words(reached) == "October 2026"


def test_reached_on_the_line_and_above_it() -> None:
    found = projected(*[3.0] * 7)
    assert month_reached(found, 3.0) == month_reached(found, 2.9) == Reached(is_already=True)
    assert month_reached(found, 3.1) == Reached(is_already=False)
    assert reached_words(month_reached(found, 3.0)) == "reached already"
    assert reached_words(month_reached(found, 3.1)) == "not at this rate"


def test_the_range_of_months() -> None:
    """Changes of 1, 1, 1, 1.5, 0.5 and 1: mean 1, sd root 0.1. From 16 to 22 is 6: more
    than 3 months and their reach, less than 4; and more than 10 less theirs, less than 11."""
    found = projected(10, 11, 12, 13, 14.5, 15, 16)
    reach = 2.5705818366147395 * math.sqrt(0.1)
    assert 3 + reach * math.sqrt(3 + 9 / 6) < 6 < 4 + reach * math.sqrt(4 + 16 / 6)
    assert 10 - reach * math.sqrt(10 + 100 / 6) < 6 < 11 - reach * math.sqrt(11 + 121 / 6)
    reached = month_reached(found, 22)
    assert reached == Reached(False, date(2026, 12, 1), date(2026, 10, 1), date(2027, 5, 1))
    assert reached_words(reached) == "December 2026 (between October 2026 and May 2027)"
    assert reached_words(month_reached(found, 22, horizon_months=10)) == (
        "December 2026 (October 2026 at the earliest, or not at this rate)"
    )


def test_a_target_only_the_upper_end_reaches() -> None:
    found = projected(10, 12, 10, 12, 10, 12, 10)
    reached = month_reached(found, 17)
    assert (reached.central, reached.latest) == (None, None)
    assert reached.earliest is not None
    assert reached_words(reached) == "not at this rate (August 2026 at the earliest)"


def test_the_last_month_looked_at() -> None:
    found = projected(*range(7))
    assert month_reached(found, 6 + SEARCH_MONTHS).central == date(2031, 6, 1)
    assert month_reached(found, 6 + SEARCH_MONTHS + 0.5).central is None


@given(st.lists(st.floats(0, 20), min_size=7, max_size=12), st.floats(0.1, 60))
def test_the_earliest_comes_first(values: list[float], target: float) -> None:
    reached = month_reached(projected(*values), target)
    never = date(9999, 1, 1)
    order = [reached.earliest or never, reached.central or never, reached.latest or never]
    assert order == sorted(order)
