"""Which need can be met where: every ward and need theme of a board, judged and released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import Coverage
from dashboard.rules.disclosure import PROFILES, Released, hidden_flag, release, rounding
from dashboard.rules.gaps import UNMET, Cell, judge_cells, worst
from dashboard.rules.needs import NEED_THEMES
from dashboard.services import Services, theme_counts
from dashboard.settings import settings
from queries import referrals
from queries.scope import Scope

REFERRED, WITHOUT = "referred", "without_service"


@dataclass(frozen=True)
class Gaps:
    """`cells`: one row per ward and need theme, released: its `state`, the services `own`,
    `own_full`, `wide`, `wide_full`, `stale`, the `free_places` of its own (missing where none
    says), the people `referred` in 12 months and those closed `without_service` (missing where
    the ward's return is, or says no reasons).

    `window` is the first and last month counted; `no_window` why there is none; `is_returned`
    whether anybody said which need a service answers."""

    cells: Released
    window: tuple[date, date] | None
    no_window: str
    is_returned: bool


def ward_gaps(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    coverage: Coverage,
    found: Services,
    *,
    with_stale: bool,
) -> Gaps:
    """Every need in every ward of one board, at the date for which coverage was judged."""
    wards = coverage.wards.frame
    codes = wards["ward_code"].tolist()
    cells = theme_counts(found, codes, found.themes, NEED_THEMES, with_stale=with_stale)
    cells["state"] = judge_cells(cells, is_returned=found.names_needs)
    named = wards[["ward_code", "ward_name", "lad_code", "lad_name", "population"]]
    cells = cells.merge(named, on="ward_code", how="left")
    basis = coverage.basis
    silent = set(wards.loc[wards["take_up_reason"] != "", "ward_code"])
    cells = _with_referred(engine, scope, icb_code, basis.window, silent, cells)
    # Under every profile: beside the ward's exact total, cells that are exact give a hidden one back.
    profile = rounding(PROFILES[settings().disclosure_profile])
    return Gaps(
        release(cells, profile, people=[REFERRED, WITHOUT]),
        basis.window,
        basis.no_window,
        found.names_needs,
    )


def _with_referred(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    window: tuple[date, date] | None,
    silent: set[str],
    cells: pd.DataFrame,
) -> pd.DataFrame:
    """The same with the people referred for each need; missing where a return is."""
    if window is None:
        return cells.assign(
            **{name: pd.array([pd.NA] * len(cells), "Int64") for name in (REFERRED, WITHOUT)}
        )
    told = referrals.referrals_by_ward_and_theme(engine, scope, icb_code, *window)
    told = told.rename(columns={"referrals": REFERRED})
    # Where people were referred and nobody said for what, what for is not known: not 0.
    silent = silent | (set(told["ward_code"]) - set(told.dropna(subset="theme")["ward_code"]))
    cells = cells.merge(told, on=["ward_code", "theme"], how="left")
    for name in (REFERRED, WITHOUT):
        cells[name] = cells[name].fillna(0).mask(cells["ward_code"].isin(silent))
    return cells


def unmet(cells: Released) -> pd.Series[float]:
    """By ward code: people referred for needs that nothing in the ward or for it has room for,
    from shown numbers, a hidden one as the middle of its range; missing where no return is."""
    frame = cells.frame
    # Where services were never returned, nobody knows what is met.
    people = shown_people(cells, REFERRED).mask(frame["state"] == Cell.NO_RETURN)
    is_unmet = frame["state"].isin([cell.value for cell in UNMET])
    known = people.groupby(frame["ward_code"]).count() > 0
    sums = people.where(is_unmet, 0).groupby(frame["ward_code"]).sum()
    return sums.where(known)


def shown_people(released: Released, column: str) -> pd.Series[float]:
    """Counts as everybody could estimate them: as shown, the middle of the range where hidden."""
    frame, profile = released.frame, released.profile
    middle = (profile.hide_from + profile.hide_to) / 2
    return frame[column].astype("Float64").mask(frame[hidden_flag(column)], middle)


def locality_cells(cells: Released) -> pd.DataFrame:
    """One row per district and need theme: the worst `state` of its wards, how many of them are
    in none with room (`wards_unmet`) of how many `wards`, and the people referred, added up from
    shown numbers, hidden ones as the middle of their range."""
    frame = cells.frame.assign(
        people=shown_people(cells, REFERRED),
        is_unmet=cells.frame["state"].isin([cell.value for cell in UNMET]),
    )
    by = frame.groupby(["lad_code", "lad_name", "theme"], sort=False)
    return by.agg(
        state=("state", worst),
        wards=("ward_code", "size"),
        wards_unmet=("is_unmet", "sum"),
        people=("people", lambda counts: counts.sum(min_count=1)),
    ).reset_index()
