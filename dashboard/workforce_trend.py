"""Link workers by month: as returned, like for like, planned, joined and left; and what is asked of
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard.rules import moves
from dashboard.rules.disclosure import Released, added_up, hidden_flag, release, rounding
from dashboard.rules.take_up import month_end, months_before
from dashboard.workforce import OPEN, profile
from queries import posts, referrals, workforce
from queries.frames import each_row
from queries.scope import Scope

RECEIVED = "referrals"


@dataclass(frozen=True)
class FteTrend:
    """One row per month: `fte` of all that returned and how many these are (`pcns`; both missing
    where nobody returned), and `fte_alike` of `alike`, the PCNs that returned in every month
    that anybody did.

    The others are in some months only, and these are their codes by what happened; `is_whole` says
    that there are none.
    """

    months: Released
    alike: Sequence[str]
    is_whole: bool
    joined: Sequence[str]
    left: Sequence[str]
    moved: Sequence[str]
    silent: Sequence[str]


def fte_trend(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    pcn_codes: Sequence[str] | None,
    months: int,
) -> FteTrend:
    """FTE in post of the chosen PCNs, from the published series alone; `None` is all that were
    in the board's returns."""
    newest = workforce.census_date(engine, scope, icb_code, as_at) or month_end(as_at)
    wanted = [month_end(months_before(newest, back)) for back in reversed(range(months))]
    found = workforce.fte_by_pcn_and_month(engine, scope, icb_code, wanted[0], newest)
    if pcn_codes is not None:
        found = found[found["pcn_code"].isin(pcn_codes)]
    seen = found.groupby("pcn_code")["census"].agg(["min", "max", "nunique"])
    told = sorted(found["census"].unique())
    alike = sorted(seen.index[seen["nunique"] == len(told)])
    own = found[found["icb_code"] == icb_code]
    by_month = own.groupby("census").agg(fte=("fte", "sum"), pcns=("pcn_code", "nunique"))
    same = found[found["pcn_code"].isin(alike)].groupby("census")["fte"].sum()
    firsts = [census.replace(day=1) for census in wanted]
    frame = pd.DataFrame({"month": firsts}, index=pd.Index(wanted, name="census"))
    frame = frame.join(by_month).join(same.rename("fte_alike")).reset_index(drop=True)
    frame = frame.astype({"fte": "Float64", "fte_alike": "Float64", "pcns": "Int64"})
    some = seen.drop(alike)
    foreign = set(found[found["icb_code"] != icb_code]["pcn_code"])
    holes = some["nunique"] < [
        sum(first <= census <= last for census in told)
        for first, last in zip(some["min"], some["max"], strict=True)
    ]
    return FteTrend(
        months=release(frame, profile(), people=[]),
        alike=alike,
        is_whole=len(some) == 0 and not foreign,
        joined=sorted(some.index[[first > told[0] for first in some["min"]]]),
        left=sorted(some.index[[last < told[-1] for last in some["max"]]]),
        moved=sorted(foreign),
        silent=sorted(some.index[holes.to_numpy(dtype=bool)]),
    )


def asked_trend(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    pcn_codes: Sequence[str],
    window_end: date | None,
    months: int,
) -> Released:
    """One row per month to the last that was told: referrals received, and open at its end.

    A month is missing before all of these PCNs had begun to tell. Each PCN's count is hidden and
    rounded first (under every profile, as months beside a year's count give a hidden one back),
    and the month is added up from what is shown.
    """
    flows = referrals.episodes_by_pcn_and_month(engine, scope, icb_code, as_at)
    each = asked_of_each(flows[flows["pcn_code"].isin(pcn_codes)], window_end, months)
    told_from = each.frame.groupby("pcn_code")["month"].min().max()
    rows: list[dict[str, object]] = []
    for month in _to(window_end, months):
        is_told = len(each.frame) > 0 and month >= told_from
        of_month = each.rows((each.frame["month"] == month) & is_told)
        row: dict[str, object] = {"month": month}
        for name in (RECEIVED, OPEN):
            row[name], row[hidden_flag(name)] = added_up(of_month, name)
        rows.append(row)
    columns = ["month", RECEIVED, OPEN, hidden_flag(RECEIVED), hidden_flag(OPEN)]
    frame = pd.DataFrame(rows, columns=columns).astype({RECEIVED: "Int64", OPEN: "Int64"})
    flags = dict.fromkeys((hidden_flag(RECEIVED), hidden_flag(OPEN)), bool)
    return Released(frame.astype(flags), each.people, each.profile)


def asked_of_each(flows: pd.DataFrame, window_end: date | None, months: int) -> Released:
    """One row per PCN and month from the first it tells of: the same of each PCN of `flows`, which
    are as `referrals.episodes_by_pcn_and_month` answers."""
    wanted = _to(window_end, months)
    every = pd.Index(sorted({*wanted, *flows["month"]}), name="month", dtype=object)
    began, ended = (
        flows.pivot(index="month", columns="pcn_code", values=name).reindex(every).fillna(0)
        for name in ("began", "ended")
    )
    by_pcn = pd.DataFrame({RECEIVED: began.stack(), OPEN: (began - ended).cumsum().stack()})
    each = release(
        by_pcn.astype("Int64").reset_index(), rounding(profile()), people=[RECEIVED, OPEN]
    )
    told_from = flows[flows["began"] > 0].groupby("pcn_code")["month"].min()
    is_told = [
        month in wanted and month >= told_from.get(code, month)
        for code, month in zip(each.frame["pcn_code"], each.frame["month"], strict=True)
    ]
    return each.rows(pd.Series(is_told, each.frame.index, dtype=bool))


def _to(window_end: date | None, months: int) -> list[date]:
    """So many months to the last, oldest first; none where there is no last."""
    if window_end is None:
        return []
    return [months_before(window_end, back) for back in reversed(range(months))]


@dataclass(frozen=True)
class Trajectory:
    """One row per month, past and planned: `fte` in post and `planned_fte` of the same PCNs.

    `basis` is "plan", "target" or "" - why these PCNs: those that returned every month and have
    a plan; a target where none has a plan; all where none has either. `aim_fte` is what they are
    to reach together, missing where nobody said.
    """

    months: Released
    pcn_codes: Sequence[str]
    basis: str
    aim_fte: float | None


def trajectory(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    alike: Sequence[str],
    targets: Mapping[str, float],
    months: int,
) -> Trajectory:
    """Planned against actual for the PCNs of which both are known. `targets` are those in force."""
    plans = posts.planned_fte(engine, scope, icb_code, as_at)
    plans = plans[plans["pcn_code"].isin(alike)]
    planned = set(plans["pcn_code"])
    if planned:
        chosen, basis = [code for code in alike if code in planned], "plan"
    elif targets.keys() & set(alike):
        chosen, basis = [code for code in alike if code in targets], "target"
    else:
        chosen, basis = list(alike), ""
    newest = workforce.census_date(engine, scope, icb_code, as_at) or month_end(as_at)
    first = month_end(months_before(newest, months - 1))
    found = workforce.fte_by_pcn_and_month(engine, scope, icb_code, first, newest)
    actual = found[found["pcn_code"].isin(chosen)].groupby("census")["fte"].sum()
    # A month in which one of them has no plan has no planned sum.
    by_month = plans.groupby("month")["planned_fte"]
    complete = by_month.sum()[by_month.size() == len(chosen)]
    actual.index = pd.Index([census.replace(day=1) for census in actual.index], dtype=object)
    start = first.replace(day=1)
    months_of = sorted({*actual.index, *(month for month in complete.index if month >= start)})
    frame = pd.DataFrame({"month": months_of}, index=pd.Index(months_of, dtype=object))
    frame = frame.join(actual.rename("fte")).join(complete.rename("planned_fte"))
    newest_first = plans.sort_values("month", ascending=False).drop_duplicates("pcn_code")
    aim = {row.pcn_code: float(row.planned_fte) for row in each_row(newest_first)} | {**targets}
    aims = [aim[code] for code in chosen] if basis else []
    return Trajectory(
        months=release(
            frame.astype({"fte": "Float64", "planned_fte": "Float64"}).reset_index(drop=True),
            profile(),
            people=[],
        ),
        pcn_codes=chosen,
        basis=basis,
        aim_fte=sum(aims) if aims else None,
    )


def joined_and_left(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    pcn_codes: Sequence[str],
    months: int,
) -> tuple[Released, str]:
    """One row per month: link workers who joined and left, and from what that is known.

    From the posts return where these PCNs sent one ("posts"); else from the people of published
    returns ("people"), where identifiers go on from month to month; "" where neither tells. A month
    before the first date that the posts tell of is missing: who came and went then was not
    told.
    """
    wanted = [months_before(as_at, back) for back in reversed(range(months))]
    spells = posts.posts(engine, scope, icb_code, as_at)
    spells = spells[spells["pcn_code"].isin(pcn_codes)]
    if spells["since"].notna().any():
        found = moves.moves_of_posts(spells)
        # What is yet to come has not happened.
        found = found[found["day"].map(lambda day: day <= as_at).astype(bool)]
        found["month"] = [day.replace(day=1) for day in found["day"]]
        by_month = found.groupby("month")[["joined", "left"]].sum().reindex(wanted, fill_value=0)
        told_from = pd.concat([spells["since"], spells["until"]]).dropna().min().replace(day=1)
        by_month = by_month.loc[[month >= told_from for month in wanted]].reindex(wanted)
        source = "posts"
    else:
        people = workforce.people_by_pcn_and_month(engine, scope, icb_code, wanted[0], as_at)
        people = people[people["pcn_code"].isin(pcn_codes)][["census", "person_id"]]
        found = moves.moves_of_people(people.drop_duplicates())
        found["month"] = [day.replace(day=1) for day in found["census"]]
        by_month = found.set_index("month")[["joined", "left"]].reindex(wanted)
        source = "people" if by_month["joined"].notna().any() else ""
    frame = by_month.astype("Int64").rename_axis("month").reset_index()
    return release(frame, profile(), people=[]), source
