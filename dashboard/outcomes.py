"""The referral pathway of a board: counts of the queries, released together and judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import ward_coverage, ward_patients
from dashboard.coverage_words import chosen_wards
from dashboard.gaps import REFERRED, WITHOUT
from dashboard.rules.attacker import Relation, nested
from dashboard.rules.disclosure import Released, hidden_flag, release, rounding
from dashboard.rules.pathway import (
    NOT_RECORDED,
    OVER_A_YEAR,
    STEPS,
    DayQuantiles,
    contacted_by_day,
    day_quantiles,
    judge_steps,
)
from dashboard.rules.returns import referral_window
from dashboard.rules.take_up import WINDOW_MONTHS, deprivation_fifth, months_before
from dashboard.settings import settings
from dashboard.workforce import main_districts, profile, silence
from queries import pathway, places, referrals, workforce
from queries.pathway import PCN, WARD, Cohort
from queries.scope import Scope

BOARD, LOCALITY, NETWORK = "board", "locality", "network"
# A cohort of months, by the name it has in the address bar: its title, how many months it has,
# and how many months before the newest told it ends.
COHORTS: Mapping[str, tuple[str, int, int]] = {
    "": ("Last 12 months told", WINDOW_MONTHS, 0),
    "quarter": ("Last 3 months told", 3, 0),
    "before": ("The 12 months before", WINDOW_MONTHS, WINDOW_MONTHS),
}
FIFTH = "fifth"
# Values of these add up to everybody; a referral for two reasons is in both, and wards are of the
# people who live in the board.
_ADDS_UP = (PCN, "source", "age band", "sex", "ethnicity")
# Of a step those who reached it, and those of whom it is settled: who reached the step before and
# are not open any more. A few open ones are hidden by this, and the share is not.
COUNTS = (
    "referrals",
    "offered",
    "declined",
    *(f"{step}{state}" for step in STEPS for state in ("_settled", "")),
)
# What everybody knows of a row: each number is among the one before.
STEP_RELATIONS = (
    Relation("referrals", ("offered",), is_exact=False),
    Relation("referrals", ("declined",), is_exact=False),
    *nested("referrals", *(f"{step}{state}" for step in STEPS for state in ("_settled", ""))),
)
# The curve of first contact stops where fewer than these are left to tell.
LEAST_AT_RISK = 10
NOT_SAID = "not said"


@dataclass(frozen=True)
class Pathway:
    """The pathway of a board's cohort.

    `counts`: one row for the board, each locality and each network (`code`, `kind`, `name`), with
    the released sums; missing where the network sent no return, with the `reason`. `steps`: one
    row for each of them and step, judged. `cohort` is `None` with the reason in `no_window` where
    no month was told.
    """

    cohort: Cohort | None
    no_window: str
    counts: Released
    steps: pd.DataFrame


def cohort_of(
    window: tuple[date, date] | None, icb_code: str, as_at: date, which: str
) -> Cohort | None:
    """The months of a cohort, from those that were told; `None` where none were."""
    if window is None:
        return None
    _, months, ago = COHORTS[which]
    last = months_before(window[1], ago)
    return Cohort(icb_code, as_at, months_before(last, months - 1), last)


def board_pathway(engine: Engine, scope: Scope, icb_code: str, as_at: date, which: str) -> Pathway:
    """The board, its localities, and its networks that are shown in detail."""
    found = whole_pathway(engine, scope, icb_code, as_at, which)
    codes = found.counts.frame["code"]
    is_mine = is_shown_in_detail(scope, icb_code, found.counts.frame)
    steps = found.steps[found.steps["group"].isin(codes[is_mine])]
    return replace(found, counts=found.counts.rows(is_mine), steps=steps)


def is_shown_in_detail(scope: Scope, icb_code: str, areas: pd.DataFrame) -> pd.Series[bool]:
    """Which rows of areas (`code`, `kind`) the reader may see: of who leads some networks those, and
    the board; a locality less their own would be another's."""
    mine = scope.networks_of(icb_code)
    if mine is None:
        return pd.Series(True, areas.index)
    return (areas["kind"] == BOARD) | ((areas["kind"] == NETWORK) & areas["code"].isin(mine))


def whole_pathway(engine: Engine, scope: Scope, icb_code: str, as_at: date, which: str) -> Pathway:
    """The board, its localities and all its networks, released as one table: none of them can give
    away what is hidden in another. For totals of the board, not to be shown row by row."""
    returned = referrals.returned_months(engine, scope, icb_code, as_at)
    told = referral_window(returned, as_at, settings().late_months)
    cohort = cohort_of(told.window, icb_code, as_at, which)
    named = _networks(engine, scope, icb_code, as_at)
    begun = dict(zip(returned["pcn_code"], returned["first_month"], strict=True))
    if cohort and which == "":
        # Where nobody has sent for so long, it begins with the first who did.
        firsts = [begun[code] for code in named.index if not silence(told, code)]
        cohort = replace(cohort, first=max([cohort.first, *([min(firsts)] if firsts else [])]))
    named["reason"] = [
        silence(told, code) or _begins_late(begun[code], cohort) for code in named.index
    ]
    if cohort is None:
        return Pathway(None, told.no_window, *judged_steps(_nothing(named), []))
    # Months that a network sent before it stopped are in no figure: the others would look like none.
    told_codes = named.index[named["reason"] == ""]
    cohort = replace(cohort, pcn_codes=tuple(told_codes))
    sums = pathway.steps_by_group(engine, scope, cohort, PCN).set_index("value")
    sums = sums.reindex(told_codes, fill_value=0).reindex(named.index)
    rows = sums.join(named)
    counts = list(sums.columns)
    localities = rows.groupby("lad_code")[counts].sum(min_count=1)
    localities = localities.assign(
        kind=LOCALITY, name=named.drop_duplicates("lad_code").set_index("lad_code")["lad_name"]
    )
    board = rows[counts].sum(min_count=1).to_frame().T.set_axis([icb_code])
    board = board.assign(kind=BOARD, name="")
    table = pd.concat([board, localities, rows]).astype(dict.fromkeys(counts, "Int64"))
    table["reason"] = table["reason"].fillna("")
    by_locality = rows.groupby("lad_code").groups.items()
    relations = [
        Relation(icb_code, tuple(rows.index)),
        *(Relation(lad_code, tuple(codes)) for lad_code, codes in by_locality),
    ]
    return Pathway(cohort, "", *judged_steps(table, relations))


def _begins_late(begun: date, cohort: Cohort | None) -> str:
    """Why a network is missing from a cohort that began before it sent anything; "" where not."""
    if cohort is None or begun <= cohort.first:
        return ""
    return f"referral returns begin in {begun:%B %Y}"


def _networks(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per network by its code: kind, name, and the district most of its patients live in."""
    pcns = workforce.fte_by_pcn(engine, scope, icb_code, as_at)[["pcn_code", "pcn_name"]]
    patients, _ = ward_patients(engine, scope, icb_code, as_at)
    districts = main_districts(patients, places.wards(engine, scope, icb_code))
    named = pcns.merge(districts, on="pcn_code", how="left").set_index("pcn_code")
    named["name"] = named.pop("pcn_name").fillna(named.index.to_series())
    return named.assign(kind=NETWORK)


def _nothing(named: pd.DataFrame) -> pd.DataFrame:
    missing = [*COUNTS, *(f"{step}_{state}" for step in STEPS for state in ("dated", "open"))]
    nobody = pd.Series(pd.NA, named.index, dtype="Int64")
    return named.assign(**dict.fromkeys([*missing, "negative_waits"], nobody))


def judged_steps(
    table: pd.DataFrame, sums: Collection[Relation] = ()
) -> tuple[Released, pd.DataFrame]:
    """Sums of step facts by row label, released as `COUNTS` under `code`; and their steps judged.

    Who is open is told from what is shown: reached the step before, less settled. That is no more
    than a hint of a small number, which is hidden (`open_hidden`); nobody open is 0.
    """
    table = table.rename_axis("code")
    before = dict(zip(STEPS, ("referrals", *STEPS[:-1]), strict=True))
    settled = {f"{step}_settled": table[before[step]] - table[f"{step}_open"] for step in STEPS}
    by = rounding(profile())
    # Whether a step was ever dated is no count of people; where 0 is hidden, neither is it told.
    least = 1 if by.hide_from > 0 else by.hide_to + 1
    dated = {f"{step}_dated": (table[f"{step}_dated"] >= least).astype("Int64") for step in STEPS}
    released = release(
        table.assign(**settled, **dated),
        by,
        people=[*COUNTS, "negative_waits"],
        sums=sums,
        steps=STEP_RELATIONS,
    )
    frame = released.frame.reset_index()
    for step in STEPS:
        still_open = frame[before[step]] - frame[f"{step}_settled"]
        frame[f"{step}_open"] = still_open.clip(lower=0)
    steps = judge_steps(frame.rename(columns={"code": "group"}))
    return Released(frame, released.people, released.profile), _open_hidden(steps, table, released)


def _open_hidden(steps: pd.DataFrame, table: pd.DataFrame, released: Released) -> pd.DataFrame:
    """The steps with small numbers of open ones hidden; none is 0 where the profile shows 0."""
    by = released.profile
    nobody = {
        (code, step)
        for step in STEPS
        for code in table.index[(table[f"{step}_open"] == 0).fillna(False)]
        if by.hide_from > 0
    }
    # Those open since the last recorded step are those of the first one after it.
    was_recorded = steps.groupby("group")["state"].shift() != NOT_RECORDED
    since = steps["step"].where(was_recorded).groupby(steps["group"]).ffill()
    is_none = np.array(
        [key in nobody for key in zip(steps["group"], since, strict=True)], dtype=bool
    )
    told = steps["open"].notna()
    small = (steps["open"] <= by.hide_to).fillna(False).astype(bool) & by.hides & ~is_none
    shown = steps["open"].mask(told & is_none, 0).mask(small)
    return steps.assign(open=shown, open_hidden=small)


@dataclass(frozen=True)
class Groups:
    """A cohort by one category. `counts` and `steps` as in `Pathway`, by `code` (the value);
    `days` by value and wait: the median and the 90th percentile."""

    category: str
    counts: Released
    steps: pd.DataFrame
    days: Mapping[tuple[str, str], DayQuantiles]


def pathway_by(engine: Engine, scope: Scope, cohort: Cohort, category: str) -> Groups:
    """The pathway by network, ward, source, reason, age band, sex, ethnicity or fifth of
    deprivation of the ward."""
    kept = WARD if category == FIFTH else category
    sums = pathway.steps_by_group(engine, scope, cohort, kept)
    days = pathway.days_by_group(engine, scope, cohort, kept)
    if category == FIFTH:
        fifths = ward_fifths(engine, scope, cohort.icb_code)
        sums["value"], days["value"] = (frame["value"].map(fifths) for frame in (sums, days))
    sums["value"], days["value"] = (frame["value"].fillna(NOT_SAID) for frame in (sums, days))
    table = sums.groupby("value").sum()
    if category not in (PCN, WARD):
        # Networks record steps; a group of people does not.
        for step in STEPS:
            table[f"{step}_dated"] = table[f"{step}_dated"].sum()
    relations = []
    if category in _ADDS_UP and len(table):
        table = pd.concat([table, table.sum().to_frame().T.set_axis([""])]).astype("Int64")
        relations = [Relation("", tuple(table.index[:-1]))]
    counts, steps = judged_steps(table, relations)
    is_group = counts.frame["code"] != ""
    return Groups(
        category, counts.rows(is_group), steps[steps["group"] != ""], _quantiles(days, counts)
    )


def ward_fifths(engine: Engine, scope: Scope, icb_code: str) -> pd.Series[str]:
    """The fifth of deprivation of each ward, 1 the most deprived, as text; missing where unknown."""
    ranks = places.ward_deprivation(engine, scope, icb_code).set_index("ward_code")
    fifths = deprivation_fifth(ranks["imd_rank"], ranks["index_year"])
    return fifths.map("{:.0f}".format, na_action="ignore").astype("str")


def _quantiles(days: pd.DataFrame, counts: Released) -> dict[tuple[str, str], DayQuantiles]:
    """Of each value and wait; none where the number of people is hidden."""
    hidden = {
        (row["code"], step)
        for row in counts.frame.to_dict("records")
        for step in STEPS
        if row[hidden_flag(step)]
    }
    found = {}
    for key, mine in days.groupby(["value", "wait"]):
        value, wait = key
        if wait in STEPS and (value, wait) not in hidden:
            found[str(value), str(wait)] = day_quantiles(by_day(mine))
    return found


def by_day(days: pd.DataFrame) -> np.ndarray:
    """Referrals by whole day, from rows of day and referrals."""
    counts = np.zeros(OVER_A_YEAR + 1, dtype="int64")
    np.add.at(counts, days["day"].to_numpy(), days["referrals"].to_numpy())
    return counts


def area_cohort(found: Pathway, lad_code: str, pcn_code: str) -> Cohort:
    """The cohort narrowed to a network, or to those of a locality that sent their referrals."""
    assert found.cohort is not None
    frame = found.counts.frame
    mine = frame[(frame["kind"] == NETWORK) & (frame["reason"] == "")]
    if pcn_code:
        mine = mine[mine["code"] == pcn_code]
    elif lad_code:
        mine = mine[mine["lad_code"] == lad_code]
    else:
        return found.cohort
    return replace(found.cohort, pcn_codes=tuple(mine["code"]), is_board=False)


def contact_curve(
    engine: Engine, scope: Scope, cohort: Cohort
) -> tuple[pd.DataFrame, DayQuantiles]:
    """The share contacted by each day since the referral (see `contacted_by_day`), and the days
    to contact.

    It is worked out from numbers up to each day that are rounded to 5; days on which the number
    contacted is hidden are not there, and the curve ends where fewer than 10 are left to tell.
    """
    days = pathway.days_by_group(engine, scope, cohort, "all")
    contacted, ended, still_open = (
        by_day(days[days["wait"] == wait]) for wait in ("contacted", "ended", "open")
    )
    by = rounding(profile())
    told = [_rounded(counts, by.round_to) for counts in (contacted, ended, still_open)]
    curve = contacted_by_day(*told)
    everybody = int(contacted.sum() + ended.sum() + still_open.sum())
    reached = contacted.cumsum()[: len(curve)]
    is_hidden = (reached >= by.hide_from) & (reached <= by.hide_to)
    shown = curve[~is_hidden & (curve["at_risk"] >= LEAST_AT_RISK)].dropna(subset="share")
    if everybody < 2 * LEAST_AT_RISK or shown.empty:
        return curve.iloc[:0], DayQuantiles(None, None)
    return shown.drop(columns="at_risk"), day_quantiles(contacted)


def _rounded(counts: np.ndarray, step: int) -> np.ndarray:
    """People by day of whom the number up to each day is rounded: no single one can be seen."""
    upto = (counts.cumsum() + step / 2) // step * step
    return np.diff(upto, prepend=0).astype("int64")


@dataclass(frozen=True)
class Lacking:
    """Referrals that ended because there was no service: referred and without_service, released
    together; one row per need, per locality and need, and per ward and need that has any."""

    themes: Released
    localities: Released
    wards: Released


def lacking_service(
    engine: Engine, scope: Scope, cohort: Cohort, lad_code: str, pcn_code: str
) -> Lacking:
    """Where people were referred for a need and nothing was there, in the wards of an area."""
    coverage = ward_coverage(engine, scope, cohort.icb_code, cohort.as_at)
    wards = chosen_wards(coverage, lad_code, pcn_code).frame[["ward_code", "ward_name", "lad_name"]]
    rows = referrals.referrals_by_ward_and_theme(
        engine, scope, cohort.icb_code, cohort.first, cohort.last
    ).rename(columns={"referrals": REFERRED, "without_service": WITHOUT})
    rows = rows.dropna(subset="theme").merge(wards, on="ward_code")

    levels = (["theme"], ["lad_name", "theme"], ["ward_code", "ward_name", "lad_name", "theme"])
    table = pd.concat(
        [rows.groupby(names)[[REFERRED, WITHOUT]].sum().reset_index() for names in levels],
        keys=range(len(levels)),
        names=["level", None],
    ).reset_index(level="level")
    table = table[table[WITHOUT] > 0].reset_index(drop=True)
    themes, localities, each = (table[table["level"] == level] for level in range(len(levels)))
    sums = [
        *_sums_of(themes, localities, ["theme"]),
        *_sums_of(localities, each, ["lad_name", "theme"]),
    ]
    by = rounding(profile())
    referred = release(table, by, people=[REFERRED]).frame
    released = release(referred, by, people=[WITHOUT], sums=sums).frame
    people = (REFERRED, WITHOUT)
    return Lacking(
        *(
            Released(released[released["level"] == level], people, by)
            for level in range(len(levels))
        )
    )


def _sums_of(totals: pd.DataFrame, parts: pd.DataFrame, names: list[str]) -> list[Relation]:
    """Each total is the sum of the parts that have its names."""
    found = {key: tuple(rows.index) for key, rows in parts.groupby(names)}
    keys = totals[names].itertuples(index=False, name=None)
    return [Relation(label, found[key]) for label, key in zip(totals.index, keys, strict=True)]
