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

from dashboard.outcomes import NETWORK, Pathway, by_day
from dashboard.rules.attacker import Relation, nested
from dashboard.rules.control_chart import ControlChart, Improvement, judge_series
from dashboard.rules.disclosure import Released, disclose, hidden_flag, release, rounding
from dashboard.rules.pathway import DayQuantiles, day_quantiles
from dashboard.rules.rates import wilson_limits
from dashboard.rules.returns import months_between
from dashboard.rules.take_up import month_end, months_before
from dashboard.settings import settings
from dashboard.workforce import profile
from queries import pathway
from queries.frames import each_row
from queries.pathway import PCN, WARD, Cohort
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
# Rows beside the codes: the sum of the wards, the larger of it and the board's, and what is in
# neither.
_WARDS, _EITHER, _ELSEWHERE = "wards", "either", "elsewhere"


@dataclass(frozen=True)
class ComplexNeed:
    """Complex need of a board, two tables, each released with how its rows add up: none of them can
    give away what is hidden in the other rows.

    `areas`: one row for the board, each locality and each network that sent referrals; `wards`: one
    for each ward of the board. Columns: `code`, `COUNTS`, and each of `SHARES` as `<name>_share` with
    Wilson's 95% interval, worked out from what is shown. A narrower choice shows rows of these, and
    is never counted for itself: differences would give hidden numbers away.
    """

    areas: Released
    wards: Released


def board_complex_need(engine: Engine, scope: Scope, found: Pathway) -> ComplexNeed:
    """Complex need in the cohort of a board's pathway."""
    assert found.cohort is not None
    board = found.cohort.icb_code
    named = found.counts.frame
    told = named[(named["kind"] == NETWORK) & (named["reason"] == "")].set_index("code")
    by_network = _sums(engine, scope, found.cohort, PCN).reindex(told.index, fill_value=0)
    localities = by_network.groupby(told["lad_code"]).sum()
    wards = _sums(engine, scope, found.cohort, WARD)
    board_row, ward_row = by_network.sum(), wards.sum()
    # Where nobody crosses the border both are one number, and somebody may know that: what is shown
    # of the networks must not give the wards away. Nobody sees these two rows.
    hidden_rows = pd.DataFrame({_WARDS: ward_row, _EITHER: np.maximum(board_row, ward_row)}).T
    everybody = board_row.to_frame().T.set_axis([board])
    parts = by_network.groupby(told["lad_code"]).groups.items()
    released = _released(
        pd.concat([everybody, localities, by_network, wards, hidden_rows]),
        [
            Relation(board, tuple(by_network.index)),
            *(Relation(str(code), tuple(networks)) for code, networks in parts),
            Relation(_WARDS, tuple(wards.index)),
            # Of a relation with a part that is not there, each column is exact where it adds up.
            *(Relation(_EITHER, (row, _ELSEWHERE)) for row in (board, _WARDS)),
        ],
    )
    codes = released.frame["code"]
    return ComplexNeed(
        released.rows(codes.isin([board, *localities.index, *by_network.index])),
        released.rows(codes.isin(wards.index)),
    )


def _sums(engine: Engine, scope: Scope, cohort: Cohort, category: str) -> pd.DataFrame:
    sums = pathway.complex_need_by_group(engine, scope, cohort, category)
    return sums.dropna(subset="value").set_index("value")[list(COUNTS)]


def _released(table: pd.DataFrame, sums: list[Relation]) -> Released:
    released = release(
        table.astype("Int64").rename_axis("code"),
        rounding(profile()),
        people=COUNTS,
        sums=sums,
        steps=RELATIONS,
        derive=_with_shares,
    )
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
    # Rounded to all of them, and somebody waits all the same: the share would say that nobody does.
    unclear = frame[hidden_flag("ot_waiting")] & (frame["ot_accepted_share"] == 1)
    for suffix in ("share", "lower", "upper"):
        frame[f"ot_accepted_{suffix}"] = frame[f"ot_accepted_{suffix}"].mask(unclear)
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
    """A wait by month received: month, median, p90, and state ("", "too few", "too many open", "too
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
    # As they may be shown, a hidden one as the least it may be: its side of a line says nothing.
    by = rounding(profile())
    numbers, hidden = disclose(pd.Series([waiting, all_of_them]), by)
    least = numbers.mask(hidden, by.hide_from).tolist()
    if least[1] and least[0] / least[1] > MOST_WAITING and wait != "to_ot":
        return "too many open"
    return "too few" if found.median is None else ""


def _people(days: pd.DataFrame, wait: str) -> int:
    return int(days.loc[days["wait"] == wait, "referrals"].sum())
