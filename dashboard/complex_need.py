"""Complex need of a board: where it is, who is referred on to occupational therapy, and how long
each step takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard.outcomes import by_day
from dashboard.rules.attacker import Relation, nested
from dashboard.rules.control_chart import ControlChart, Improvement, judge_series
from dashboard.rules.disclosure import Released, release, rounding, stand_in
from dashboard.rules.pathway import DayQuantiles, day_quantiles
from dashboard.rules.rates import wilson_limits
from dashboard.rules.returns import months_between
from dashboard.rules.take_up import month_end, months_before
from dashboard.settings import settings
from dashboard.workforce import profile
from queries import pathway
from queries.frames import each_row
from queries.pathway import WARD, Cohort
from queries.scope import Scope

SEVERAL, HIGHLY, REFERRED_ON = "several_conditions", "highly_complex", "ot_referred"
COUNTS = (
    "referrals", "conditions_told", SEVERAL, "complexity_told", HIGHLY, REFERRED_ON, "ot_accepted",
    "ot_waiting",
)  # fmt: skip
# What everybody knows of a row: each number is among another.
RELATIONS = (
    *nested("referrals", "conditions_told", SEVERAL),
    *nested("referrals", "complexity_told", HIGHLY),
    Relation("referrals", (REFERRED_ON,), is_exact=False),
    Relation(REFERRED_ON, ("ot_accepted", "ot_waiting"), is_exact=False),
)
# A share, and what it is of.
SHARES: Mapping[str, str] = {
    SEVERAL: "conditions_told",
    HIGHLY: "complexity_told",
    REFERRED_ON: "referrals",
    "ot_accepted": REFERRED_ON,
}
# The transitions, by the name of their wait.
WAITS: Mapping[str, str] = {
    "contacted": "Referral to first contact",
    "to_ot": "Referral to the referral on to occupational therapy",
    "ot": "Referral on to occupational therapy, to its acceptance",
}
# Months of which more than this share still waits are not judged: the long waits are to come.
MOST_WAITING = 0.1


def complex_need_by(engine: Engine, scope: Scope, cohort: Cohort, category: str = WARD) -> Released:
    """One row per value of the category (`code`): `COUNTS`, and each of `SHARES` as `<name>_share`
    with Wilson's 95% interval, worked out from what is shown."""
    sums = pathway.complex_need_by_group(engine, scope, cohort, category)
    table = sums.assign(value=sums["value"].fillna("")).set_index("value")[list(COUNTS)]
    released = release(
        table.rename_axis("code"), rounding(profile()), people=COUNTS, steps=RELATIONS,
        derive=_with_shares,
    )  # fmt: skip
    return Released(released.frame.reset_index(), released.people, released.profile)


def _with_shares(frame: pd.DataFrame) -> pd.DataFrame:
    for name, of in SHARES.items():
        told = frame[of].astype("Float64").to_numpy(float, na_value=np.nan)
        # Rounded numbers can leave more than there are.
        some = np.minimum(frame[name].astype("Float64").to_numpy(float, na_value=np.nan), told)
        lower, upper = wilson_limits(some, told)
        with np.errstate(divide="ignore", invalid="ignore"):
            frame[f"{name}_share"] = some / np.where(told > 0, told, np.nan)
        frame[f"{name}_lower"], frame[f"{name}_upper"] = lower, upper
    return frame


def days_of_waits(engine: Engine, scope: Scope, cohort: Cohort) -> dict[str, DayQuantiles]:
    """The median and the 90th percentile of each of `WAITS`, and of those who wait for occupational
    therapy ("ot_waiting"); missing of fewer than 10 people."""
    days = pathway.days_by_group(engine, scope, cohort, "all")
    return {
        wait: day_quantiles(by_day(days[days["wait"] == wait])) for wait in (*WAITS, "ot_waiting")
    }


@dataclass(frozen=True)
class WaitTrend:
    """A wait by month received: month, median, p90, and state ("", "too few", "still waiting", "too
    recent", "no return"). `chart` is of the medians, `None` where no month may be judged."""

    months: Released
    chart: ControlChart | None


def wait_trend(engine: Engine, scope: Scope, cohort: Cohort, wait: str, months: int) -> WaitTrend:
    """The days of a wait month by month, up to the cohort's last."""
    wide = replace(cohort, first=months_before(cohort.last, months - 1))
    days = pathway.days_by_month(engine, scope, wide)
    told = {row.month: row for row in each_row(pathway.therapy_by_month(engine, scope, wide))}
    usual = day_quantiles(by_day(days[days["wait"] == wait])).p90
    # Who is referred on after more days than have gone by is not there yet.
    young = month_end(wide.last) - timedelta(days=usual or 0)
    rows = []
    for month in months_between(wide.first, wide.last):
        mine = days[days["month"] == month]
        found = day_quantiles(by_day(mine[mine["wait"] == wait]))
        state = _state(found, mine, told, month, wait)
        if wait == "to_ot" and not state and month_end(month) > young:
            state = "too recent"
        rows.append((month, found.median, found.p90, state))
    frame = pd.DataFrame(rows, columns=["month", "median", "p90", "state"])
    frame = frame.astype({"median": "Float64", "p90": "Float64", "state": "str"})
    frame[["median", "p90"]] = frame[["median", "p90"]].mask(frame["state"] != "")
    known = frame.dropna(subset="median")
    chart = None
    if len(known):
        chart = judge_series(
            known["month"].tolist(),
            known["median"].astype(float).tolist(),
            improvement=Improvement.LOW,
            target=float(settings().therapy_days),
        )
    return WaitTrend(Released(frame, (), rounding(profile())), chart)


def _state(
    found: DayQuantiles, mine: pd.DataFrame, told: Mapping[date, Any], month: date, wait: str
) -> str:
    if month not in told:
        return "no return"
    if wait == "contacted":
        waiting = _people(mine, "open")
        all_of_them = waiting + _people(mine, "contacted")
    else:
        waiting, all_of_them = told[month].ot_waiting, told[month].ot_referred
    # As they may be shown: a hidden number must not be seen by the side of a line it lies on.
    shown = stand_in(pd.Series([waiting, all_of_them]), profile())
    if shown[1] and shown[0] / shown[1] > MOST_WAITING and wait != "to_ot":
        return "still waiting"
    return "too few" if found.median is None else ""


def _people(days: pd.DataFrame, wait: str) -> int:
    return int(days.loc[days["wait"] == wait, "referrals"].sum())
