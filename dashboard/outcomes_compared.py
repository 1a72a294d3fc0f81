"""The pathway compared: networks in a funnel, months in a control chart, groups beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import ward_coverage
from dashboard.outcomes import (
    FIFTH,
    NETWORK,
    NOT_SAID,
    Groups,
    Pathway,
    judged_steps,
    pathway_by,
    ward_fifths,
    whole_pathway,
)
from dashboard.outcomes_change import Question, changes_by, scale
from dashboard.own_networks import own_released
from dashboard.rules.control_chart import Improvement
from dashboard.rules.disclosure import Released, hidden_flag, release, rounding
from dashboard.rules.funnel import Funnel, Kind, fit_funnel, funnel_curve, funnel_places
from dashboard.rules.groups import in_order
from dashboard.rules.inequality import LEAST_GROUPS, SlopeIndex, slope_index
from dashboard.rules.pathway import STEPS
from dashboard.rules.rates import poisson_limits, wilson_limits
from dashboard.rules.returns import months_between
from dashboard.rules.take_up import PER_ADULTS, WINDOW_MONTHS
from dashboard.workforce import profile
from queries import pathway
from queries.pathway import WARD, Cohort
from queries.scope import Scope

DECLINED, TAKE_UP = "declined", "take_up"
# Shares of referrals that are compared: what each is, and which direction is good for people. Of
# declining neither is: it is people's own choice.
SHARES: Mapping[str, tuple[str, Improvement]] = {
    "contacted": ("contacted by a link worker", Improvement.HIGH),
    "connected": ("connected to a service", Improvement.HIGH),
    "completed": ("completed", Improvement.HIGH),
    DECLINED: ("declined", Improvement.NEITHER),
}
# Of fewer, a share says too little to be set beside others.
LEAST_OF = 20
# Numbers are rounded to 5: of fewer than these a share is off by more than its limits are wide. And
# the limits are rough where fewer than these are expected to reach the step, or not to.
LEAST_IN_FUNNEL, LEAST_EXPECTED = 50, 5
# A month is judged when at most this share of its referrals may still reach the step.
MOST_OPEN = 0.1
FUNNEL_POINTS = 120
FIFTHS = tuple("12345")


@dataclass(frozen=True)
class NetworkFunnel:
    """One row per network with a share: pcn_code, pcn_name, people (of whom it is a share), rate
    (percent), place; the limits by number of people; and what they rest on. `left_out` counts
    networks without a share by why. `is_part` where rows of other networks were taken away: the
    funnel is of all of them."""

    rows: Released
    limits: pd.DataFrame
    funnel: Funnel
    left_out: Mapping[str, int]
    is_part: bool = False


def events_of(found: Pathway | Groups, share: str) -> pd.DataFrame:
    """One row per code: people, of, state ("", "hidden" or "not recorded") of a share."""
    if share == DECLINED:
        frame = found.counts.frame.set_index("code")
        hidden = frame[hidden_flag(DECLINED)] | frame[hidden_flag("referrals")]
        people = frame[[DECLINED, "referrals"]].set_axis(["people", "of"], axis=1)
        return people.assign(state=pd.Series("", frame.index).mask(hidden, "hidden"))
    steps = found.steps[found.steps["step"] == share].set_index("group")
    told = steps["people"] + steps["lost"]
    state = steps["state"].mask(steps["state"] == "recorded", "")
    return pd.DataFrame({"people": steps["people"], "of": told, "state": state})


def network_funnel(found: Pathway, share: str) -> NetworkFunnel:
    """The networks of a board by how many people a share rests on, against the limits of chance,
    widened where networks differ by more. `found` has every network of the board."""
    frame = found.counts.frame.set_index("code")
    mine = frame[frame["kind"] == NETWORK]
    events = events_of(found, share).reindex(mine.index)
    state = events["state"].mask(mine["reason"] != "", "no return")
    told = events[(state == "") & (events["of"] >= LEAST_IN_FUNNEL).fillna(False)]
    total = int(told["of"].sum())
    centre = int(told["people"].sum()) / total if total else 0.0
    rarer = min(centre, 1 - centre)
    least = max(LEAST_IN_FUNNEL, ceil(LEAST_EXPECTED / rarer) if rarer else 0)
    few = (state == "") & (events["of"] < least).fillna(True)
    state = state.mask(few, f"fewer than {least}")
    there = events[state == ""].astype({"people": "Float64", "of": "Float64"})
    funnel = fit_funnel(Kind.PROPORTION, there["people"], there["of"], centre)
    judged = funnel_places(funnel, there["people"], there["of"])
    rows = pd.DataFrame(
        {
            "pcn_code": there.index,
            "pcn_name": mine.loc[there.index, "name"].to_numpy(),
            "people": there["of"].to_numpy(),
            "rate": (judged["value"] * 100).to_numpy(),
            "place": judged["place"].to_numpy(),
        }
    )
    released = Released(rows, (), found.counts.profile)
    return NetworkFunnel(released, _limits(funnel, rows), funnel, _counted(state[state != ""]))


def own_funnel(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, which: str, share: str
) -> NetworkFunnel:
    """The same with the networks that are shown in detail. A query by its signature."""
    found = network_funnel(whole_pathway(engine, scope, icb_code, as_at, which), share)
    if scope.networks_of(icb_code) is None:
        return found
    rows = own_released(scope, icb_code, found.rows)
    # The ends of the lines over all of them would tell how large the others are.
    limits = _limits(found.funnel, rows.frame)
    return NetworkFunnel(rows, limits, found.funnel, {}, is_part=True)


def _limits(funnel: Funnel, rows: pd.DataFrame) -> pd.DataFrame:
    """The lines of a funnel around the sizes of some networks."""
    sizes = rows["people"].astype(float)
    smallest, largest = (float(sizes.min()), float(sizes.max())) if len(rows) else (0.0, 0.0)
    grid = np.linspace(smallest * 0.8, largest * 1.05, FUNNEL_POINTS if len(rows) else 0)
    curve = funnel_curve(funnel, grid)
    return (curve.drop(columns="of") * 100).assign(people=curve["of"])


def _counted(words: pd.Series[str]) -> dict[str, int]:
    return {str(word): int(count) for word, count in words.value_counts().items()}


@dataclass(frozen=True)
class MonthlyShare:
    """One row per month: month, value (percent, missing where it is not judged) and state
    ("", "hidden", "no return", "not recorded", "still open", "too few"); and of how many networks
    each month is, the same in all of them."""

    months: Released
    networks: int


def monthly_share(engine: Engine, scope: Scope, cohort: Cohort, share: str) -> MonthlyShare:
    """A share by month of referral, of those of the networks that were told in every month."""
    wanted = months_between(cohort.first, cohort.last)
    sums = pathway.steps_by_month(engine, scope, cohort)
    told = sums.groupby("pcn_code")["month"].nunique()
    alike = told.index[told == len(wanted)]
    by_month = sums[sums["pcn_code"].isin(alike)].drop(columns="pcn_code").groupby("month").sum()
    by_month = by_month.reindex(pd.Index(wanted, name="month")).astype("Int64")
    counts, steps = judged_steps(by_month)
    found = Groups("month", counts, steps, {})
    events = events_of(found, share)
    still_open = _still_open(found, share).reindex(events.index)
    state = events["state"].mask(still_open > MOST_OPEN, "still open")
    state = state.mask((state == "") & (events["of"] < LEAST_OF).fillna(True), "too few")
    state = state.mask(by_month["referrals"].isna(), "no return")
    value = (events["people"] / events["of"].mask(events["of"] == 0) * 100).mask(state != "")
    months = pd.DataFrame({"month": wanted, "value": value.clip(upper=100).to_numpy()})
    months["state"] = state.to_numpy()
    return MonthlyShare(Released(months, (), counts.profile), len(alike))


def _still_open(found: Groups, share: str) -> pd.Series[float]:
    """The share of those referred who may still reach a step: open at it, or before it."""
    frame = found.counts.frame.set_index("code")
    if share == DECLINED:
        return pd.Series(0.0, frame.index)
    before = [f"{step}_open" for step in STEPS[: STEPS.index(share) + 1]]
    referred = frame["referrals"].astype("Float64")
    return (frame[before].sum(axis=1) / referred.mask(referred == 0)).fillna(0.0)


@dataclass(frozen=True)
class Equity:
    """One row per group, in an order of their own: name, value with its 95% interval, `of` (people it
    rests on), state ("", "hidden", "too few", "not recorded"). `slope` over fifths of deprivation,
    `None` with the reason in `no_slope`. `everybody` is the value of all together, where known."""

    rows: Released
    slope: SlopeIndex | None
    no_slope: str
    everybody: float | None


def equity(engine: Engine, scope: Scope, cohort: Cohort, figure: str, category: str) -> Equity:
    """A figure by fifth of deprivation, age band, sex or ethnicity group: "take_up" (referrals a
    year per 1,000 adults, by fifth only), one of `SHARES`, or a question as "measure|item"."""
    if figure == TAKE_UP:
        rows = _take_up(engine, scope, cohort)
    elif figure in SHARES:
        rows = _shares(pathway_by(engine, scope, cohort, category), figure)
    else:
        measure, _, item = figure.partition("|")
        rows = _changes(engine, scope, cohort, category, (measure, item))
    few = (rows["state"] == "") & (rows["of"] < LEAST_OF).fillna(True)
    rows["state"] = rows["state"].mask(few, "too few")
    shown = ["value", "lower", "upper", "error"]
    rows[shown] = rows[shown].astype("Float64").mask(rows["state"] != "")
    slope, reason = _slope(rows) if category == FIFTH else (None, "")
    told = rows[(rows["state"] == "") & rows["of"].notna()]
    weights = told["of"].astype(float)
    everybody = (
        float((told["value"].astype(float) * weights).sum() / weights.sum()) if len(told) else None
    )
    rows = rows.loc[in_order(rows.index, category)].rename_axis("name").reset_index()
    released = Released(rows, (), rounding(profile()))
    return Equity(released, slope, reason, everybody)


def _shares(found: Groups, share: str) -> pd.DataFrame:
    rows = events_of(found, share)
    events, of = (rows[name].astype("Float64") for name in ("people", "of"))
    value = (events / of.mask(of == 0)).clip(upper=1)
    lower, upper = wilson_limits(_floats(value * of), _floats(of))
    return rows.assign(
        value=value, lower=lower, upper=upper, error=(value * (1 - value) / of.mask(of == 0)) ** 0.5
    )


def _changes(
    engine: Engine, scope: Scope, cohort: Cohort, category: str, question: Question
) -> pd.DataFrame:
    scale(question)
    frame = changes_by(engine, scope, cohort, category).rows.frame
    mine = frame[(frame["measure"] == question[0]) & (frame["item"] == question[1])]
    mine = mine.set_index("value")
    pairs = mine["pairs"].astype("Float64")
    return pd.DataFrame(
        {
            "people": mine["pairs"],
            "of": mine["pairs"],
            "state": mine["state"],
            "value": mine["mean_change"],
            "lower": mine["lower"],
            "upper": mine["upper"],
            "error": mine["sd_change"] / pairs.mask(pairs == 0) ** 0.5,
        }
    )


def _take_up(engine: Engine, scope: Scope, cohort: Cohort) -> pd.DataFrame:
    """Referrals a year per 1,000 adults by fifth of the ward, of wards whose networks told."""
    wards = ward_coverage(engine, scope, cohort.icb_code, cohort.as_at).wards.frame
    told = wards[(wards["take_up_reason"] == "") & wards["adults"].notna()]
    told = told.set_index("ward_code")
    sums = pathway.steps_by_group(engine, scope, cohort, WARD).set_index("value")["referrals"]
    counted = sums.reindex(told.index).fillna(0).astype("Int64")
    fifth = ward_fifths(engine, scope, cohort.icb_code).reindex(told.index).fillna(NOT_SAID)
    by_fifth = pd.DataFrame(
        {
            "people": counted.groupby(fifth).sum(),
            "adults": told["adults"].groupby(fifth).sum(),
        }
    )
    released = release(by_fifth, rounding(profile()), people=["people"]).frame
    people = released["people"].astype("Float64")
    adults = released["adults"].astype("Float64")
    months = len(months_between(cohort.first, cohort.last))
    a_year = WINDOW_MONTHS / months * PER_ADULTS / adults.mask(adults == 0)
    lower, upper = poisson_limits(_floats(people))
    return pd.DataFrame(
        {
            "people": released["people"],
            "of": released["adults"],
            "state": pd.Series("", released.index).mask(released[hidden_flag("people")], "hidden"),
            "value": people * a_year,
            "lower": pd.Series(lower, people.index, dtype="Float64") * a_year,
            "upper": pd.Series(upper, people.index, dtype="Float64") * a_year,
            "error": people**0.5 * a_year,
        }
    )


def _slope(rows: pd.DataFrame) -> tuple[SlopeIndex | None, str]:
    fifths = rows.reindex(FIFTHS)
    there = fifths.dropna(subset="state")
    if unfit := [str(name) for name in there.index[there["state"] != ""]]:
        which = ", ".join(unfit)
        return None, f"no slope: fifth {which} is too small to be shown"
    if len(there) < LEAST_GROUPS:
        return None, f"no slope: {len(there)} of {LEAST_GROUPS} fifths have people here"
    return slope_index(
        there["value"].tolist(), there["of"].astype(float).tolist(), there["error"].tolist()
    ), ""


def _floats(values: pd.Series[float]) -> np.ndarray:
    return values.astype("Float64").to_numpy(float, na_value=np.nan)
