"""Which returns are there, which are not due yet, which are late, and which are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dashboard.rules.take_up import month_end, months_before


class ReturnState(StrEnum):
    """What became of the return of one month."""

    RECEIVED = "received"
    NOT_DUE = "not due yet"
    LATE = "late"
    MISSING = "missing"
    NOT_EXPECTED = "none expected"
    NEVER = "never loaded"


@dataclass(frozen=True)
class Expectation:
    """How often a dataset comes, and how many days after the month it speaks of.

    Of some only the newest counts: their months before it are not asked for.
    """

    every_months: int
    due_days: int
    only_newest_counts: bool = False


# When NHS England has published each so far, with some days to spare; for local returns a
# month's time. Registered patients by LSOA come in January, April, July and October.
EXPECTED: Mapping[str, Expectation] = {
    "workforce": Expectation(1, 45),
    "practices": Expectation(1, 31, only_newest_counts=True),
    "list_sizes": Expectation(1, 31, only_newest_counts=True),
    "registered_patients": Expectation(3, 31, only_newest_counts=True),
    "appointments": Expectation(1, 45),
    "referrals": Expectation(1, 31),
    "outcomes": Expectation(1, 31),
}


def judge_return(
    dataset: str, month: date, received: Collection[date], as_at: date, late_months: int
) -> ReturnState:
    """The state of a month's return; months are their first days, `received` those that came.

    It is due so many days after the month; late from the day after that until the end of the
    month `late_months` after the one it was due in, and missing from then on.
    """
    expected = EXPECTED[dataset]
    if month in received:
        return ReturnState.RECEIVED
    if not received:
        return ReturnState.NEVER
    is_overtaken = expected.only_newest_counts and month < max(received)
    if is_overtaken or (month.month - 1) % expected.every_months:
        return ReturnState.NOT_EXPECTED
    due = month_end(month) + timedelta(days=expected.due_days)
    if as_at <= due:
        return ReturnState.NOT_DUE
    last_late_month = months_before(due.replace(day=1), -late_months)
    return ReturnState.LATE if as_at <= month_end(last_late_month) else ReturnState.MISSING


def months_to(as_at: date, count: int) -> list[date]:
    """The first days of so many months, the last of them that of the date."""
    last = as_at.replace(day=1)
    return [months_before(last, back) for back in range(count - 1, -1, -1)]


def months_between(start: date, end: date) -> list[date]:
    """The first days of the months that a period touches."""
    count = (end.year - start.year) * 12 + end.month - start.month + 1
    return months_to(end, count)
