"""Whom a plan reaches by deprivation, before and after: people within reach, and link workers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard.rules.apportion import PER_PEOPLE
from dashboard.rules.inequality import SlopeIndex, slope_index
from dashboard.site_plan import PROVIDED, UNKNOWN, Plan

FIFTHS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class PlanEquity:
    """`fifths`: one row per fifth, 1 (most deprived) first: fifth, people, reach_before,
    reach_after (share, 0-1, of people in wards that are provided for or reached), fte_before and
    fte_after (per 10,000 people). The slopes run from the least to the most deprived end, and are
    missing where a fifth has nobody. `left_out` counts wards that are in none of it."""

    fifths: pd.DataFrame
    reach_before: SlopeIndex | None
    reach_after: SlopeIndex | None
    fte_before: SlopeIndex | None
    fte_after: SlopeIndex | None
    left_out: int


def plan_equity(plan: Plan) -> PlanEquity:
    """Reach and FTE by fifth of deprivation. The link worker of each site is shared out over the
    wards that go to it as their need is."""
    wards = plan.wards.frame
    told = wards[
        (wards["state"] != UNKNOWN)
        & wards["imd_fifth"].notna()
        & wards["people"].notna()
        & wards["population"].notna()
    ].copy()
    # A ward of which only some people can be taken is reached for their share.
    met = told["met"] / told["need"].astype("float64").mask(told["need"] <= 0)
    is_provided = (told["state"] == PROVIDED) | ~told["has_gap"]
    told["within_before"] = is_provided.astype("float64")
    told["within_after"] = met.fillna(0.0).clip(upper=1).mask(is_provided, 1.0)
    added = wards["site"].notna() * (plan.choices.number("site_fte") or 0.0)
    at_site = wards["need"].groupby(wards["site"]).transform("sum")
    share = (wards["need"] / at_site.mask(at_site == 0)).fillna(0.0).astype("float64")
    told["fte_added"] = (added * share).loc[told.index]
    by = told.groupby("imd_fifth")
    people = by["people"].sum().astype("float64")
    fte_known = told[told["fte"].notna()]
    population = fte_known.groupby("imd_fifth")["population"].sum().astype("float64")
    before = fte_known.groupby("imd_fifth")["fte"].sum().astype("float64")
    after = before + fte_known.groupby("imd_fifth")["fte_added"].sum().astype("float64")
    rows = pd.DataFrame(
        {
            "people": people,
            **{
                f"reach_{when}": (told["people"].astype("float64") * told[f"within_{when}"])
                .groupby(told["imd_fifth"]).sum() / people
                for when in ("before", "after")
            },
            "fte_before": before / population * PER_PEOPLE,
            "fte_after": after / population * PER_PEOPLE,
        }
    ).reindex(pd.Index(FIFTHS, name="fifth"))  # fmt: skip
    slopes = {
        column: _slope(rows[column], rows["people"])
        for column in ("reach_before", "reach_after", "fte_before", "fte_after")
    }
    return PlanEquity(rows.reset_index(), **slopes, left_out=len(wards) - len(told))


def _slope(rates: pd.Series[float], people: pd.Series[float]) -> SlopeIndex | None:
    """Of everybody, not of a sample: there is no interval."""
    if rates.isna().any() or people.isna().any() or (people <= 0).any():
        return None
    return slope_index(rates.tolist(), people.tolist(), [None] * len(rates))
