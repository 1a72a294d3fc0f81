"""Take-up ward by ward: against what need would lead us to expect, beside its neighbours, and where
it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import REFERRALS, Coverage, ward_coverage
from dashboard.outcomes import Groups, Pathway, board_pathway, pathway_by
from dashboard.rules.clusters import judge_clusters
from dashboard.rules.coverage import State, Status
from dashboard.rules.disclosure import Released, hidden_flag
from dashboard.rules.funnel import WIDE_CONFIDENCE, Kind, fit_funnel, funnel_places
from dashboard.rules.leak import Leak, Provision, decompose
from dashboard.rules.pathway import STEPS
from dashboard.rules.rates import funnel_limits
from dashboard.rules.smoothing import smoothed_ratios
from dashboard.rules.staffing import FunnelPlace, judge_funnel
from geodata.shapes import geometries_of, touching
from queries import needs, places
from queries.frames import each_row
from queries.pathway import WARD
from queries.scope import Scope

AT_CAPACITY = "at capacity"


class Place(StrEnum):
    """Referrals of a ward against the limits of the number expected."""

    FAR_BELOW = "below the 99.8% limit"
    BELOW = "below the 95% limit"
    WITHIN = "within the limits"
    ABOVE = "above the 95% limit"
    FAR_ABOVE = "above the 99.8% limit"


LOW = (Place.FAR_BELOW, Place.BELOW)
# Of these nobody can say whether take-up is low: they are set apart, and never called so.
SET_APART = (Status.NO_PROVISION, Status.NO_RETURN, Status.HIDDEN, Status.UNKNOWN)


@dataclass(frozen=True)
class TakeUp:
    """Take-up in the wards of a board.

    `wards`: one row each as in `Coverage`, with `apart` (why it is not judged, "" where it is),
    `place` (a `Place`), `smoothed` (100 is as expected), `cluster` (a `Cluster`) and its
    `cluster_p`, `stays_low` (below limits that are widened for what wards differ by anyway), and
    `leak` (the main loss), `shortfall` and `lost` (people) of the low ones. `leaks`: by ward code
    of the low wards. `phi` is how many times more wards differ than by chance.
    """

    wards: Released
    leaks: Mapping[str, Leak]
    phi: float | None
    board_shares: Mapping[str, float | None]


def board_take_up(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, with_stale: bool
) -> TakeUp:
    """Take-up in the wards of a whole board: limits, neighbours and shares are the board's."""
    coverage = ward_coverage(engine, scope, icb_code, as_at, with_stale)
    pathway = board_pathway(engine, scope, icb_code, as_at, "")
    cohort = pathway.cohort
    by_ward = None if cohort is None else pathway_by(engine, scope, cohort, WARD)
    shapes = places.shapes(engine, scope, icb_code)
    geometries = geometries_of(shapes)
    pairs = touching(shapes["ward_code"].tolist(), geometries)
    return ward_take_up(coverage, pathway, by_ward, pairs)


def ward_take_up(
    coverage: Coverage, pathway: Pathway, by_ward: Groups | None, touching: pd.DataFrame
) -> TakeUp:
    """The wards of a board judged. `by_ward` are the steps of the same months by ward, missing where
    none were told; `touching` the pairs of wards that share an edge or a corner.

    All of it is worked out from released numbers.
    """
    frame = coverage.wards.frame.reset_index(drop=True)
    status = frame["status"].map(Status)
    # Where none are expected there is nothing to hold the number against.
    is_expected = (frame["expected"] > 0).fillna(False).astype(bool)
    is_apart = status.isin(SET_APART) | ~is_expected | frame[REFERRALS].isna()
    observed = frame[REFERRALS].astype("Float64").mask(is_apart)
    expected = frame["expected"].mask(is_apart)
    smoothed = smoothed_ratios(observed, expected) * 100
    clusters = judge_clusters(smoothed.set_axis(frame["ward_code"]), touching)
    funnel = fit_funnel(Kind.RATIO, observed, expected, 1.0)
    widened = funnel_places(funnel, observed, expected)
    shares = _board_shares(pathway)
    frame = frame.assign(
        apart=[
            _why_apart(row) if apart else ""
            for row, apart in zip(each_row(frame), is_apart, strict=True)
        ],
        place=_places(observed, expected),
        smoothed=smoothed,
        cluster=clusters["cluster"].to_numpy(),
        cluster_p=clusters["p"].to_numpy(),
    )
    is_low = frame["place"].isin(LOW)
    frame["stays_low"] = is_low & (widened["value"] < widened["lower_95"]).fillna(False)
    leaks = {
        row.ward_code: _leak(row, by_ward, shares) for row in each_row(frame[is_low])
    }  # fmt: skip
    frame["leak"] = [
        (leaks[code].main or "") if code in leaks else "" for code in frame["ward_code"]
    ]
    frame["shortfall"] = frame["ward_code"].map({c: found.shortfall for c, found in leaks.items()})
    frame["lost"] = frame["ward_code"].map(
        {code: found.by_loss[found.main] for code, found in leaks.items() if found.main}
    )
    released = Released(frame, coverage.wards.people, coverage.wards.profile)
    return TakeUp(released, leaks, funnel.phi, shares)


def _why_apart(row: Any) -> str:
    """A ward without a link worker or a service is judged where its numbers are told."""
    if row.status in SET_APART:
        return str(row.status)
    if getattr(row, hidden_flag(REFERRALS)):
        return Status.HIDDEN.value
    return Status.NO_RETURN.value if pd.isna(getattr(row, REFERRALS)) else "no expected number"


def _places(observed: pd.Series[float], expected: pd.Series[float]) -> pd.Series[str]:
    """The place of each ward, "" where it is not judged. Limits are exact Poisson quantiles, those
    by which Coverage calls take-up low."""
    numbers = expected.to_numpy(float, na_value=np.nan)
    inner, outer = (np.column_stack(funnel_limits(numbers, *c)) for c in ((), (WIDE_CONFIDENCE,)))
    places = []
    for seen, mean, near, far in zip(observed, expected, inner, outer, strict=True):
        if pd.isna(seen) or pd.isna(mean):
            places.append("")
            continue
        found = judge_funnel(float(seen), (near[0], near[1]), (far[0], far[1]))
        below = seen < mean
        by_place = {
            FunnelPlace.OUTSIDE_998: Place.FAR_BELOW if below else Place.FAR_ABOVE,
            FunnelPlace.OUTSIDE_95: Place.BELOW if below else Place.ABOVE,
            FunnelPlace.INSIDE: Place.WITHIN,
        }
        places.append(by_place[found])
    return pd.Series(places, observed.index, dtype="str")


def _board_shares(pathway: Pathway) -> dict[str, float | None]:
    """The board's share (0-1) at each step; `None` where it is not recorded or hidden."""
    if pathway.cohort is None:
        return {}
    mine = pathway.steps[pathway.steps["group"] == pathway.cohort.icb_code].set_index("step")
    return {
        step: float(mine["share"][step])
        for step in STEPS
        if step in mine.index and pd.notna(mine["share"][step])
    }


def _leak(row: Any, by_ward: Groups | None, shares: Mapping[str, float | None]) -> Leak:
    if by_ward is None:
        steps = pd.DataFrame(columns=["step", "share", "lower", "upper", "state"])
    else:
        steps = by_ward.steps[by_ward.steps["group"] == row.ward_code]
    reason = Provision(
        link_worker_absent=row.link_worker == State.ABSENT,
        services_absent=row.services in (State.ABSENT, State.STALE),
        all_full=AT_CAPACITY in row.flags.split("; "),
    )
    return decompose(
        float(row.expected),
        float(getattr(row, REFERRALS)),
        steps,
        shares,
        reason,
    )


@dataclass(frozen=True)
class Needs:
    """What is loaded of need: one row per ward with a column for each index, by its name, of the
    mean of its LSOAs; and one with `high`, the share (0-1) of its LSOAs in the two highest
    deciles."""

    values: pd.DataFrame
    high: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """The indices, by name."""
        return self.values.columns.tolist()


def ward_needs(engine: Engine, scope: Scope, icb_code: str) -> Needs:
    """The indices that are loaded for the wards of a board."""
    rows = needs.ward_indices(engine, scope, icb_code)
    rows["high_share"] = rows["high"] / rows["with_decile"].mask(rows["with_decile"] == 0)
    values, high = (
        rows.pivot(index="ward_code", columns="index_name", values=column)
        for column in ("value", "high_share")
    )
    return Needs(values, high)
