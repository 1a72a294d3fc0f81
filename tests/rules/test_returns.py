"""Which returns are late and which missing: both sides of each line."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.returns import (
    EXPECTED,
    ReturnState,
    judge_return,
    months_between,
    months_to,
)
from dashboard.rules.take_up import month_end

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
EARLIER = {date(2026, 1, 1)}
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
firsts = days.map(lambda day: day.replace(day=1))


@pytest.mark.parametrize(
    ("dataset", "month", "as_at", "late_months", "state"),
    [
        # 31 days after 31 May is 1 July; a month after July ends on 31 August.
        ("referrals", MAY, date(2026, 5, 1), 1, "not due yet"),
        ("referrals", MAY, date(2026, 7, 1), 1, "not due yet"),
        ("referrals", MAY, date(2026, 7, 2), 1, "late"),
        ("referrals", MAY, date(2026, 8, 31), 1, "late"),
        ("referrals", MAY, date(2026, 9, 1), 1, "missing"),
        # 31 days after 30 June is 31 July: a month later is the end of August, too.
        ("referrals", JUNE, date(2026, 7, 31), 1, "not due yet"),
        ("referrals", JUNE, date(2026, 8, 1), 1, "late"),
        ("referrals", JUNE, date(2026, 8, 31), 1, "late"),
        ("referrals", JUNE, date(2026, 9, 1), 1, "missing"),
        # Without a month of grace it is late until the end of the month it was due in.
        ("referrals", MAY, date(2026, 7, 31), 0, "late"),
        ("referrals", MAY, date(2026, 8, 1), 0, "missing"),
        ("referrals", MAY, date(2026, 12, 31), 5, "late"),
        ("referrals", MAY, date(2027, 1, 1), 5, "missing"),
        # 45 days after 31 May is 15 July.
        ("workforce", MAY, date(2026, 7, 15), 1, "not due yet"),
        ("workforce", MAY, date(2026, 7, 16), 1, "late"),
        ("workforce", MAY, date(2026, 9, 1), 1, "missing"),
        # Quarterly: January, April, July and October.
        ("registered_patients", MAY, date(2030, 1, 1), 1, "none expected"),
        ("registered_patients", JUNE, date(2030, 1, 1), 1, "none expected"),
        ("registered_patients", JULY, date(2026, 8, 31), 1, "not due yet"),
        ("registered_patients", JULY, date(2026, 9, 1), 1, "late"),
        ("registered_patients", JULY, date(2026, 10, 1), 1, "missing"),
        ("registered_patients", date(2026, 4, 1), date(2026, 7, 1), 1, "missing"),
        ("registered_patients", date(2026, 10, 1), date(2026, 10, 1), 1, "not due yet"),
    ],
)
def test_both_sides_of_each_line(
    dataset: str, month: date, as_at: date, late_months: int, state: str
) -> None:
    assert judge_return(dataset, month, EARLIER, as_at, late_months) == state


@pytest.mark.parametrize("dataset", EXPECTED)
def test_what_came_is_received_whenever_it_is_asked(dataset: str) -> None:
    for as_at in (date(2026, 5, 1), date(2026, 9, 1), date(2036, 1, 1)):
        assert judge_return(dataset, MAY, {MAY, JULY}, as_at, 1) is ReturnState.RECEIVED


@pytest.mark.parametrize("dataset", EXPECTED)
def test_what_never_came_is_never_loaded_and_not_late(dataset: str) -> None:
    assert judge_return(dataset, MAY, set(), date(2036, 1, 1), 1) is ReturnState.NEVER


def test_only_the_newest_counts() -> None:
    """A newer list overtakes the months before it; those after it are asked for."""
    as_at = date(2027, 1, 1)
    overtaken = {
        dataset
        for dataset in EXPECTED
        if judge_return(dataset, date(2026, 4, 1), {date(2026, 7, 1)}, as_at, 1) == "none expected"
    }
    assert overtaken == {"practices", "list_sizes", "registered_patients"}
    for dataset in overtaken:
        after = judge_return(dataset, date(2026, 7, 1), {date(2026, 4, 1)}, as_at, 1)
        assert after is ReturnState.MISSING


@given(
    st.sampled_from(sorted(EXPECTED)),
    firsts,
    st.sets(firsts, min_size=1, max_size=3),
    st.integers(0, 6),
    st.lists(st.integers(0, 500), min_size=2, max_size=6),
)
def test_a_return_never_gets_less_late_as_time_goes_by(
    dataset: str, month: date, received: set[date], late_months: int, after: list[int]
) -> None:
    order = [ReturnState.NOT_DUE, ReturnState.LATE, ReturnState.MISSING]
    found = [
        judge_return(dataset, month, received, month + timedelta(days=n), late_months)
        for n in sorted(after)
    ]
    if found[0] in order:
        assert found == sorted(found, key=order.index)
    else:
        assert set(found) == {found[0]}


@pytest.mark.parametrize(
    ("as_at", "count", "months"),
    [
        (date(2026, 6, 30), 1, ["2026-06"]),
        (date(2026, 6, 1), 3, ["2026-04", "2026-05", "2026-06"]),
        (date(2026, 1, 31), 3, ["2025-11", "2025-12", "2026-01"]),
        (date(2026, 1, 31), 0, []),
    ],
)
def test_months_to(as_at: date, count: int, months: list[str]) -> None:
    assert months_to(as_at, count) == [date.fromisoformat(f"{month}-01") for month in months]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 6, 1), date(2026, 6, 30), ["2026-06"]),
        (date(2026, 6, 30), date(2026, 7, 1), ["2026-06", "2026-07"]),
        (date(2025, 12, 31), date(2026, 2, 1), ["2025-12", "2026-01", "2026-02"]),
        (date(2026, 6, 30), date(2026, 6, 30), ["2026-06"]),
    ],
)
def test_months_between(start: date, end: date, months: list[str]) -> None:
    assert months_between(start, end) == [date.fromisoformat(f"{month}-01") for month in months]


@given(days, st.integers(0, 2000))
def test_a_period_touches_each_month_from_its_first_to_its_last(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    months = months_between(start, end)
    assert months[0] <= start
    assert month_end(months[-1]) >= end
    for one, following in pairwise(months):
        assert following == month_end(one) + timedelta(days=1)
