"""Which returns are there, which are not due yet, which are late, and which are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import pandas as pd

from dashboard.rules.take_up import WINDOW_MONTHS, last_whole_month, month_end, months_before


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


# A month is complete when networks with this share of the referrals have told of it. A network
# with few may have had none that month: a return without rows looks like no return.
COMPLETE_SHARE = 0.95


@dataclass(frozen=True)
class ReferralWindow:
    """The 12 months of referrals that can be counted, and whose returns they rest on.

    `window` is the first and the last month, `None` with the reason in `no_window`. Of the
    PCNs that say so much, `timely` ones send in time, and `begun` ones since within the window.
    """

    window: tuple[date, date] | None
    no_window: str
    timely: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    names_pcns: bool = False

    def silence(self, pcn_code: str) -> str:
        """Why referrals of a PCN are not known; "" where they are."""
        if self.window is None:
            return self.no_window
        if self.names_pcns and pcn_code in self.begun:
            return "less than 12 months of referrals"
        return "no referral return" if self.names_pcns and pcn_code not in self.timely else ""


def referral_window(told: pd.DataFrame, as_at: date, late_months: int) -> ReferralWindow:
    """Which months count: up to the newest that nearly all of the returns in time have told of.

    `told` has one row per PCN: pcn_code (missing for rows without one), first_month,
    newest_month, referrals.
    """
    if told.empty:
        return ReferralWindow(None, "no referral return for the period")
    newest = max(told["newest_month"])
    if newest < months_before(last_whole_month(as_at), late_months):
        return ReferralWindow(None, f"no referral return since {newest:%B %Y}")
    oldest = months_before(newest, late_months)
    timely = told[told["newest_month"].map(lambda month: month >= oldest).astype(bool)]
    last = _complete_to(timely)
    first = months_before(last, WINDOW_MONTHS - 1)
    begin = min(told["first_month"])
    if begin > first:
        return ReferralWindow(None, f"referral returns begin in {begin:%B %Y}: less than 12 months")
    # One that began to send within the window has told of part of it only.
    begun = timely[timely["first_month"].map(lambda month: month > first).astype(bool)]
    return ReferralWindow(
        (first, last),
        "",
        frozenset(timely["pcn_code"].dropna()),
        frozenset(begun["pcn_code"].dropna()),
        bool(told["pcn_code"].notna().any()),
    )


def _complete_to(timely: pd.DataFrame) -> date:
    """The newest month for which nearly all of the returns that are in time have come.

    Judged to a later one, a network that sends two months late would look low for it.
    """
    by_month = timely.groupby("newest_month")["referrals"].sum().sort_index(ascending=False)
    come = by_month.cumsum() / by_month.sum()
    return date.fromisoformat(str(come.index[(come >= COMPLETE_SHARE).to_numpy()][0]))
