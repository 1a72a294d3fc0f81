"""Which returns are there, which are not due yet, which are late, and which are missing."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Expectation:
    """How often a dataset comes, and how many days after the month it speaks of."""

    every_months: int
    due_days: int


# When NHS England has published each so far, with some days to spare; for local returns a
# month's time. Registered patients by LSOA come in January, April, July and October.
EXPECTED: Mapping[str, Expectation] = {
    "workforce": Expectation(1, 45),
    "practices": Expectation(1, 31),
    "list_sizes": Expectation(1, 31),
    "registered_patients": Expectation(3, 31),
    "appointments": Expectation(1, 45),
    "referrals": Expectation(1, 31),
    "outcomes": Expectation(1, 31),
}


def judge_return(
    dataset: str, month: date, is_received: bool, as_at: date, late_months: int
) -> ReturnState:
    """The state of a month's return, `month` being its first day.

    It is due so many days after the month; late from the day after that until the end of the
    month `late_months` after the one it was due in, and missing from then on.
    """
    expected = EXPECTED[dataset]
    if is_received:
        return ReturnState.RECEIVED
    if (month.month - 1) % expected.every_months:
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
