"""When an e-mail is due, tried again, given up; and what of a finding may leave: both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.mail_schedule import (
    DAYS,
    MOST_ATTEMPTS,
    PERMANENT,
    WAITS,
    Retry,
    due,
    may_be_sent,
    retry,
)

LONDON = ZoneInfo("Europe/London")
MONDAY = date(2026, 11, 23)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (at(MONDAY, 6, 59), None, None),
        (at(MONDAY, 7), None, MONDAY),
        (at(MONDAY, 7), MONDAY - timedelta(7), MONDAY),
        (at(MONDAY, 7), MONDAY - timedelta(1), MONDAY),
        (at(MONDAY, 8), MONDAY, None),
        # Off at the hour: the same day, not the next.
        (at(MONDAY, 23, 59), None, MONDAY),
        (at(MONDAY + timedelta(1), 0), None, None),
        (at(MONDAY + timedelta(1), 7), None, None),
        (at(MONDAY - timedelta(1), 7), None, None),
        # The clock was put back by a week.
        (at(MONDAY, 7), MONDAY + timedelta(7), None),
    ],
)
def test_due_on_its_day_from_the_hour_once(
    now: datetime, last: date | None, expected: date | None
) -> None:
    assert due(now, "monday", 7, last) == expected


def once_a_minute(day: date, hour: int) -> list[datetime]:
    """When a mail goes on a Sunday with a change of clocks, looked at once a minute."""
    begin, last = datetime(day.year, day.month, day.day, tzinfo=LONDON), None
    went: list[datetime] = []
    for minute in range(26 * 60):
        now = (begin.astimezone(UTC) + timedelta(minutes=minute)).astimezone(LONDON)
        if made := due(now, "sunday", hour, last):
            last, went = made, [*went, now]
    return went


def test_the_hour_that_is_skipped_and_the_one_that_comes_twice() -> None:
    """In 2026 clocks go forward on 29 March at 1:00 and back on 25 October at 2:00."""
    (skipped,) = once_a_minute(date(2026, 3, 29), 1)
    assert skipped.replace(tzinfo=None) == datetime(2026, 3, 29, 2, 0)
    (twice,) = once_a_minute(date(2026, 10, 25), 1)
    assert (twice.replace(tzinfo=None), twice.fold) == (datetime(2026, 10, 25, 1, 0), 0)


@given(
    st.sampled_from(DAYS),
    st.integers(0, 23),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.integers(1, 23 * 60),
)
def test_once_a_week_however_often_it_is_looked(
    day: str, hour: int, start: datetime, every: int
) -> None:
    last: date | None = None
    made: list[date] = []
    for step in range(21 * 24 * 60 // every + 1):
        found = due((start + timedelta(minutes=step * every)).replace(tzinfo=UTC), day, hour, last)
        if found:
            last, made = found, [*made, found]
    assert all((later - sooner).days % 7 == 0 for sooner, later in pairwise(made))
    assert len(made) == len(set(made)) <= 4
    assert {DAYS[each.weekday()] for each in made} <= {day}
    # A look at least once an hour never misses: three weeks have three of each day.
    assert every > 60 or len(made) >= 2


@pytest.mark.parametrize(("tries", "minutes"), [(1, 1), (2, 5), (3, 30), (4, 120)])
def test_tried_again_after_longer_and_longer(tries: int, minutes: int) -> None:
    then = at(MONDAY, 7)
    assert retry(tries, then, then + timedelta(minutes=minutes, seconds=-1)) is Retry.LATER
    assert retry(tries, then, then + timedelta(minutes=minutes)) is Retry.NOW


def test_the_first_at_once_and_no_sixth() -> None:
    assert retry(0, None, at(MONDAY, 7)) is Retry.NOW
    assert retry(5, at(MONDAY, 7), at(MONDAY, 23)) is Retry.NEVER
    assert (MOST_ATTEMPTS, len(WAITS)) == (5, 4)
    assert (451 in PERMANENT, 499 in PERMANENT, 500 in PERMANENT, 554 in PERMANENT) == (
        False, False, True, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "finding",
    [
        "2 of 6 wards have no provision; 7,500 people live there",
        "40 of 255 wards lack a route in; 4 could not be judged",
        "60.0 FTE in post in 7 networks; 3 of 5 with a target are short of it, by 1.9 FTE together",
        "1 of 9 commitments is still in force; 6 expired, 1 retired and 1 superseded",
        "8 people were referred",
        "0 referrals",
        "Of 12,430 referrals 8,915 (7%) were contacted by a link worker",
        "For £5 each 20 people more are reached",
        "As at 7 June 2026 nothing is known",
        "Take-up changed by 4.5% in E05000007",
        "Nothing unusual",
        "",
    ],
)
def test_leaves_as_it_is(finding: str) -> None:
    assert may_be_sent(finding) == (finding, True)


@pytest.mark.parametrize(
    ("finding", "begins"),
    [
        ("3 people were referred", ""),
        ("7 adults live there", ""),
        ("1 new referral in Jun 2026", ""),
        ("Of 20 referrals 3 (15%) were connected to a service", ""),
        ("Of 20 referrals 3 were contacted, of 8 wards", ""),
        ("2 sites reach 24 wards and 4 of the 15 people", ""),
        ("Somebody told of 5", ""),
        ("* of 20 referrals ended", ""),
        ("4.5 per 1,000 adults", ""),
        ("2 of 6 wards have none; * people live there", "2 of 6 wards have none"),
        ("30 people live there. 1 of them by a return", "30 people live there"),
        ("20 wards. 3 people live there. 40 wards are well", "20 wards"),
        ("About [c] people wait", ""),
    ],
)
def test_ends_before_a_hidden_or_a_small_number(finding: str, begins: str) -> None:
    assert may_be_sent(finding) == (begins, False)


@given(st.integers(1, 7), st.sampled_from(["people", "adults", "referrals", "new referrals"]))
def test_a_small_number_of_people_never_leaves(number: int, people: str) -> None:
    for finding in (
        f"{number} {people} of 40 wards",
        f"In 40 wards {number} {people} wait",
        f"90 {people} came; {number} were lost",
    ):
        said, is_all = may_be_sent(finding)
        assert not is_all
        assert str(number) not in said.replace("90", "").replace("40", "")
