"""Unmet need of a board's wards, by the measure that is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import REFERRALS, ward_coverage
from dashboard.gaps import REFERRED, Gaps, ward_gaps
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import Released, added_up, added_up_by, hidden_flag
from dashboard.rules.gaps import Cell
from dashboard.rules.unmet_need import share_without_provision, unmet_need
from dashboard.services import board_services
from dashboard.take_up import ward_needs
from queries.scope import Scope

EXPECTED, SERVED, ADULTS, INDEX = "expected", "served", "adults", "index "
# The measures that are always there; each index that is loaded is another, "index <name>".
MEASURES: Mapping[str, str] = {
    EXPECTED: "Expected less observed referrals",
    SERVED: "Expected at the level of served wards",
    ADULTS: "Adults",
}
# Wards whose need a plan is to meet.
GAPS, EVERY = "gaps", "every"
WHOSE: Mapping[str, str] = {
    GAPS: "wards in which a component is missing",
    EVERY: "every ward with unmet need",
}
_JUDGED = (Status.NOT_REACHED, Status.LOW, Status.AS_EXPECTED, Status.HIGH)


@dataclass(frozen=True)
class UnmetNeed:
    """`wards`: one row each: ward_code, ward_name, lad_code, lad_name, status, reason, imd_fifth,
    population, fte, people (adults, where the population has ages), has_gap, `need` (people a year;
    missing where nobody can say) with its 95% interval `lower` to `upper` (missing for measures
    that are no estimate), is_estimated, and what it is drawn again from (observed_from,
    observed_to, expected).

    `without_provision` is the share (0-1) of all known need in wards that lack a component.
    `factor` is what expected numbers were raised by, 1 but for "served"; `theme_share` the share of
    all needs that the theme is, 1 for all of them.
    """

    wards: Released
    measure: str
    theme: str
    without_provision: float | None
    factor: float
    theme_share: float


def ward_unmet_need(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    with_stale: bool,
    measure: str,
    theme: str,
) -> UnmetNeed:
    """The unmet need of each ward of a board, of one need theme or ("") of all.

    - "expected": expected less observed referrals of 12 months, never below 0;
    - "served": the same after the expected are raised to what wards with all three components
      send, as the board's own rates hold its gaps;
    - "adults": everybody of age in the ward;
    - "index <name>": of these the share of the ward's LSOAs in the two highest deciles.

    Of a theme it is the share that the theme is of all the board's referrals by need; the ward lacks
    something where nothing with room answers that need.
    """
    coverage = ward_coverage(engine, scope, icb_code, as_at, with_stale)
    frame = coverage.wards.frame
    people = frame["adults" if coverage.basis.people == "adults" else "population"]
    by = coverage.wards.profile
    factor = served_level(frame) if measure == SERVED else 1.0
    if measure in (EXPECTED, SERVED):
        found = unmet_need(
            frame[REFERRALS],
            frame[hidden_flag(REFERRALS)],
            frame["expected_for_plans"] * factor,
            by.hide_from,
            by.hide_to,
        )
    else:
        share = pd.Series(1.0, frame.index)
        if measure.startswith(INDEX):
            high = ward_needs(engine, scope, icb_code).high.get(measure.removeprefix(INDEX))
            share = frame["ward_code"].map({} if high is None else high)
        found = pd.DataFrame({"unmet": (people * share).astype("Float64")}, index=frame.index)
        found = found.assign(is_estimated=False).reindex(columns=_COLUMNS)
        found["is_estimated"] = False
    columns = ["ward_code", "ward_name", "lad_code", "lad_name", "status", "reason", "imd_fifth",
               "population", "fte"]  # fmt: skip
    wards = frame[columns].join(found).rename(columns={"unmet": "need"}).assign(people=people)
    wards["has_gap"] = frame["status"].isin([status.value for status in Status if status.is_gap])
    wards["is_unknown"] = frame["status"] == Status.NO_RETURN
    theme_share = 1.0
    if theme:
        services = board_services(engine, scope, icb_code, as_at)
        gaps = ward_gaps(engine, scope, icb_code, coverage, services, with_stale=with_stale)
        theme_share = _share_of(gaps, theme)
        states = gaps.cells.frame.query("theme == @theme").set_index("ward_code")["state"]
        state = wards["ward_code"].map(states)
        wards["has_gap"] |= state.map({cell.value: cell.is_unmet for cell in Cell}).fillna(False)
        wards["is_unknown"] |= state == Cell.NO_RETURN
        for column in ("need", "lower", "upper"):
            wards[column] = wards[column] * theme_share
    wards["has_gap"] = wards["has_gap"].astype(bool)
    return UnmetNeed(
        Released(wards.reset_index(drop=True), (), by),
        measure,
        theme,
        # Of the wards that a plan can speak of: elsewhere nobody told what is missing.
        share_without_provision(wards["need"].mask(wards["is_unknown"]), wards["has_gap"]),
        factor,
        theme_share,
    )


_COLUMNS = ("unmet", "lower", "upper", "is_estimated", "observed_from", "observed_to", "expected")


def served_level(frame: pd.DataFrame) -> float:
    """How many times the expected number wards with all three components send together; 1 where
    none of them can be judged."""
    served = frame[frame["status"].isin(_JUDGED) & frame["expected"].notna()]
    expected = float(served["expected"].sum())
    return float(served[REFERRALS].sum()) / expected if expected else 1.0


def _share_of(gaps: Gaps, theme: str) -> float:
    """The share (0-1) that a theme is of all referrals by need; 0 where none is known."""
    cells = gaps.cells
    by_theme, _ = added_up_by(cells, REFERRED, cells.frame["theme"])
    everything, _ = added_up(cells, REFERRED)
    mine = by_theme.get(theme)
    if not everything or mine is None or pd.isna(mine):
        return 0.0
    return float(mine) / everything


def unknown_wards(found: UnmetNeed) -> pd.DataFrame:
    """The wards whose need, or whose provision, nobody told: in no plan, and never 0."""
    frame = found.wards.frame
    return frame[frame["need"].isna() | frame["is_unknown"]]
