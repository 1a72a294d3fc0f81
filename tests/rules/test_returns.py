"""Which returns are late and which missing: both sides of each line."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.returns import (
    COMPLETE_SHARE,
    EXPECTED,
    ReferralWindow,
    ReturnState,
    judge_return,
    months_between,
    months_to,
    referral_window,
)
from dashboard.rules.take_up import month_end, months_before

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


# The 12 months of referrals that count.

LONG_AGO = date(2020, 1, 1)
Told = tuple[str | None, date, date, int]
APRIL, AS_AT = date(2026, 4, 1), date(2026, 6, 30)
WINDOW = (date(2025, 7, 1), JUNE)


def window(*rows: Told, as_at: date = AS_AT, late_months: int = 3) -> ReferralWindow:
    told = pd.DataFrame(rows, columns=["pcn_code", "first_month", "newest_month", "referrals"])
    return referral_window(told, as_at, late_months)


def test_all_in_time_and_from_long_ago() -> None:
    found = window(("U1", LONG_AGO, JUNE, 60), ("U2", LONG_AGO, JUNE, 40))
    assert found == ReferralWindow(WINDOW, "", frozenset({"U1", "U2"}), frozenset(), True)
    assert [found.silence(code) for code in ("U1", "U2")] == ["", ""]
    # One that nobody knows of has sent nothing.
    assert found.silence("U3") == "no referral return"


def test_nothing_told_is_no_window() -> None:
    found = window()
    assert found == ReferralWindow(None, "no referral return for the period")
    assert found.silence("U1") == "no referral return for the period"


@pytest.mark.parametrize(
    ("as_at", "newest", "late_months", "is_late"),
    [
        # The last whole month is June, three before it is March.
        (AS_AT, date(2026, 3, 1), 3, False),
        (AS_AT, date(2026, 2, 1), 3, True),
        # On the 29th June is not over: May, and three before it is February.
        (date(2026, 6, 29), date(2026, 2, 1), 3, False),
        (date(2026, 6, 29), date(2026, 1, 1), 3, True),
        (AS_AT, date(2026, 5, 1), 1, False),
        (AS_AT, date(2026, 4, 1), 1, True),
    ],
)
def test_returns_that_ended_long_ago_count_no_more(
    as_at: date, newest: date, late_months: int, is_late: bool
) -> None:
    found = window(("U1", LONG_AGO, newest, 9), as_at=as_at, late_months=late_months)
    if is_late:
        assert found == ReferralWindow(None, f"no referral return since {newest:%B %Y}")
    else:
        assert found.window == (months_before(newest, 11), newest)


def test_one_that_is_late_is_silent_and_does_not_hold_up_the_others() -> None:
    rows = ("U1", LONG_AGO, JUNE, 60), ("U2", LONG_AGO, date(2026, 2, 1), 40)
    found = window(*rows)
    assert (found.window, found.timely) == (WINDOW, frozenset({"U1"}))
    assert (found.silence("U1"), found.silence("U2")) == ("", "no referral return")
    # A month later it would be in time: then the window is its, until nearly all have told more.
    later = window(rows[0], ("U2", LONG_AGO, date(2026, 3, 1), 40))
    assert later.window == (date(2025, 4, 1), date(2026, 3, 1))
    assert later.timely == frozenset({"U1", "U2"})


@pytest.mark.parametrize(
    ("slow", "last"), [(5, JUNE), (6, APRIL), (0, JUNE), (50, APRIL), (100, APRIL)]
)
def test_a_month_is_complete_when_nearly_all_have_told_of_it(slow: int, last: date) -> None:
    assert COMPLETE_SHARE == 0.95
    rows: list[Told] = [("U2", LONG_AGO, APRIL, slow)]
    rows += [("U1", LONG_AGO, JUNE, 100 - slow)] if slow < 100 else []
    assert window(*rows).window == (months_before(last, 11), last)


@pytest.mark.parametrize(
    ("first", "silence", "is_begun"),
    [
        (date(2025, 7, 1), "", False),
        (date(2025, 8, 1), "less than 12 months of referrals", True),
        (JUNE, "less than 12 months of referrals", True),
    ],
)
def test_one_that_began_within_the_window(first: date, silence: str, is_begun: bool) -> None:
    found = window(("U1", LONG_AGO, JUNE, 60), ("U2", first, JUNE, 40))
    assert found.window == WINDOW
    assert found.silence("U2") == silence
    assert found.begun == (frozenset({"U2"}) if is_begun else frozenset())
    assert found.silence("U1") == ""


def test_less_than_12_months_of_any() -> None:
    assert window(("U1", date(2025, 7, 1), JUNE, 9)).window == WINDOW
    found = window(("U1", date(2025, 8, 1), JUNE, 9))
    reason = "referral returns begin in August 2025: less than 12 months"
    assert found == ReferralWindow(None, reason)
    assert found.silence("U1") == reason


def test_returns_that_say_no_pcn_speak_for_every_one() -> None:
    found = window((None, LONG_AGO, JUNE, 9))
    assert found == ReferralWindow(WINDOW, "", frozenset(), frozenset(), False)
    assert found.silence("U1") == ""
    # Once one says which it is, the others have said nothing.
    both = window((None, LONG_AGO, JUNE, 9), ("U1", LONG_AGO, JUNE, 9))
    assert (both.silence("U1"), both.silence("U2")) == ("", "no referral return")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["U1", "U2", "U3", "U4"]),
            st.integers(0, 30),
            st.integers(0, 8),
            st.integers(1, 1000),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda row: row[0],
    ),
    st.integers(0, 6),
)
def test_a_window_is_12_months_that_nearly_all_of_the_timely_have_told(
    sent: list[tuple[str, int, int, int]], late_months: int
) -> None:
    rows: list[Told] = [
        (code, months_before(JUNE, back + more), months_before(JUNE, back), referrals)
        for code, more, back, referrals in sent
    ]
    found = window(*rows, late_months=late_months)
    assert (found.window is None) == (found.no_window != "")
    if found.window is None:
        return
    first, last = found.window
    assert months_before(last, 11) == first
    timely = [row for row in rows if row[0] in found.timely]
    told = sum(row[3] for row in timely if row[2] >= last)
    assert told >= COMPLETE_SHARE * sum(row[3] for row in timely)
    assert found.begun == {row[0] for row in timely if row[1] > first}
    for code, *_ in rows:
        known = code in found.timely - found.begun
        assert (found.silence(code) == "") == known
