"""How far a rate differs from the most to the least deprived end of the population.

Source of the index: Office for Health Improvement and Disparities, slope index of inequality
(weighted least squares on the midpoints of cumulative population shares). Source of the standard
errors: Cochran, Sampling Techniques, 3rd edition, chapter 6, ratio estimation, with PCNs as the
clusters, since a PCN's link workers serve all its wards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from dashboard.rules.apportion import PER_PEOPLE
from dashboard.rules.rates import CONFIDENCE

LEAST_GROUPS, MOST_GROUPS = 5, 100
LEAST_CLUSTERS = 2


@dataclass(frozen=True)
class SlopeIndex:
    """The fitted rate at the most deprived end less that at the least deprived end.

    Positive: more where it is most deprived. `intercept` is the fitted rate at the least deprived
    end; `relative_index` is (intercept + slope) / intercept, the most deprived end over the least,
    and `None` where the intercept is not above 0. Much published work runs the other way, from
    the most to the least deprived: its slope has the other sign, its index is the inverse.
    """

    slope: float
    lower: float | None
    upper: float | None
    relative_index: float | None
    intercept: float


class ClusteredRates(NamedTuple):
    """Rates of groups, and how many PCNs were left out of all of them for want of a return."""

    rates: pd.DataFrame
    pcns_left_out: int


def slope_index(
    rates: Sequence[float], people: Sequence[float], standard_errors: Sequence[float | None]
) -> SlopeIndex:
    """The slope index of groups in order from the most to the least deprived.

    The 95% interval is exact for independent groups, as the slope is linear in their rates; it is
    missing where a standard error is. A group without people has no place and is left out;
    `ValueError` when then fewer than 5 or more than 100 remain, or a rate is missing: a slope over
    the groups that are left would be of another population.
    """
    rate, number, error = (
        np.array([np.nan if pd.isna(value) else value for value in values], dtype=float)
        for values in (rates, people, standard_errors)
    )
    there = number > 0
    rate, number, error = rate[there], number[there], error[there]
    if not LEAST_GROUPS <= len(rate) <= MOST_GROUPS:
        raise ValueError(
            f"expected {LEAST_GROUPS} to {MOST_GROUPS} groups with people, found {len(rate)}"
        )
    if np.isnan(rate).any():
        raise ValueError("expected a rate of every group with people")
    share = number / number.sum()
    # From 0 at the least deprived end to 1 at the most deprived; their weighted mean is a half.
    ridit = 1 - (share.cumsum() - share / 2)
    weight = share * (ridit - 0.5)
    coefficients = weight / (weight @ (ridit - 0.5))
    slope = float(coefficients @ rate)
    intercept = float(share @ rate - slope / 2)
    reach = float(ndtri((1 + CONFIDENCE) / 2) * np.sqrt((coefficients**2) @ (error**2)))
    is_known = not np.isnan(reach)
    return SlopeIndex(
        slope,
        slope - reach if is_known else None,
        slope + reach if is_known else None,
        (intercept + slope) / intercept if intercept > 0 else None,
        intercept,
    )


def clustered_rates(frame: pd.DataFrame) -> ClusteredRates:
    """One row per fifth, 1 (most deprived) first: FTE per 10,000 people and its standard error.

    `frame`: pcn_code, fifth, fte, people; one row per PCN and fifth. A PCN without a return (any
    FTE missing) leaves with its people. The standard error is that of a ratio over the PCNs with
    people in the fifth, missing with fewer than two; where none has people, there is no row.
    `people` and `pcns` say what each rate rests on.
    """
    silent = frame.loc[frame["fte"].isna(), "pcn_code"].unique()
    told = frame[~frame["pcn_code"].isin(silent) & (frame["people"] > 0)]
    told = told.astype({"fte": "float64", "people": "float64"})
    groups = told.groupby("fifth")
    fte, people, pcns = groups["fte"].sum(), groups["people"].sum(), groups["pcn_code"].nunique()
    ratio = fte / people
    residual = told["fte"] - told["fifth"].map(ratio) * told["people"]
    squares = (residual**2).groupby(told["fifth"]).sum()
    enough = pcns.where(pcns >= LEAST_CLUSTERS)
    error = (enough / (enough - 1) * squares) ** 0.5 / people
    rates = pd.DataFrame(
        {
            "rate": (ratio * PER_PEOPLE).astype("Float64"),
            "standard_error": (error * PER_PEOPLE).astype("Float64"),
            "people": people,
            "pcns": pcns,
        }
    )
    return ClusteredRates(rates.reset_index(), len(silent))
