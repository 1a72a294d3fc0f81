"""What a PCN's link-worker workforce means: in post or not, pressure, gaps and vacancies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import pandas as pd

from dashboard.rules.apportion import PER_PEOPLE

# People a year for one link worker, "depending on complexity and on how mature the scheme is".
# Source: NHS England, workforce development framework for link workers. That it is meant for a
# full-time worker (per FTE) is our reading.
CASELOAD_LOW, CASELOAD_HIGH = 200, 250
# FTE is shown for so many people, and for the patients of a large PCN.
# Source of the second: NHS England, network contract (30,000 to 50,000 patients).
PER_10_000_PEOPLE, PER_50_000_PEOPLE = PER_PEOPLE, 50_000
# To which a ratio is judged.
DECIMALS = 6
# A mean stands for its window when at least this share of the months is known.
LEAST_KNOWN_SHARE = 0.5


class InPost(StrEnum):
    """What is known of a PCN's link workers at a census date."""

    IN_POST = "in post"
    NO_WORKER = "no worker"
    NO_RETURN = "no return"


class Pressure(StrEnum):
    """New referrals per FTE in a year against the 200 to 250 people of the guidance."""

    BELOW = "below the band"
    WITHIN = "within the band"
    ABOVE = "above the band"
    NO_WORKER = "no worker"
    NO_RETURN = "no return"
    HIDDEN = "hidden"


class TargetState(StrEnum):
    """Whether a target counts at a date."""

    IN_FORCE = "in force"
    EXPIRED = "expired"
    NOT_YET = "not yet"


class FunnelPlace(StrEnum):
    """Where a value lies against the limits of its funnel."""

    INSIDE = "inside the 95% limits"
    OUTSIDE_95 = "outside the 95% limits"
    OUTSIDE_998 = "outside the 99.8% limits"


def judge_in_post(fte: float | None) -> InPost:
    """FTE in post at the date; missing is no return, never nobody."""
    if pd.isna(fte):
        return InPost.NO_RETURN
    return InPost.IN_POST if fte else InPost.NO_WORKER


def pressure(referrals: pd.Series[int], mean_fte: pd.Series[float]) -> pd.Series[float]:
    """New referrals in 12 months per FTE, one per PCN; missing where either is, or with no FTE:
    never infinity. `judge_pressure` says which of these it is."""
    fte = mean_fte.astype("Float64")
    return referrals.astype("Float64") / fte.mask(fte == 0)


def judge_pressure(
    referrals_per_fte: float | None, mean_fte: float | None, *, is_hidden: bool = False
) -> Pressure:
    """One PCN's pressure against the band; on either line is within.

    Nobody in post is said before anything of its referrals; a number that is missing, with FTE
    in post and not hidden, was not returned.
    """
    in_post = judge_in_post(mean_fte)
    if in_post is not InPost.IN_POST:
        return Pressure(in_post.value)
    if is_hidden:
        return Pressure.HIDDEN
    if pd.isna(referrals_per_fte):
        return Pressure.NO_RETURN
    # Means of decimals miss a line by their last digits.
    ratio = round(referrals_per_fte, DECIMALS)
    if ratio < CASELOAD_LOW:
        return Pressure.BELOW
    return Pressure.ABOVE if ratio > CASELOAD_HIGH else Pressure.WITHIN


def needed_fte(referrals: pd.Series[int], fte: pd.Series[float]) -> pd.DataFrame:
    """The FTE that brings each PCN into the band, indexed as the referrals.

    `least_fte` at 250 people each, `most_fte` at 200, `further_fte` what is short of the least,
    0 where nothing is. Missing stays missing.
    """
    people = referrals.astype("Float64")
    least = people / CASELOAD_HIGH
    return pd.DataFrame(
        {
            "least_fte": least,
            "most_fte": people / CASELOAD_LOW,
            "further_fte": gap(least, fte).clip(lower=0),
        }
    )


def gap(target_fte: pd.Series[float], fte: pd.Series[float]) -> pd.Series[float]:
    """FTE short of the target, one per PCN; negative above it, missing where either is."""
    return target_fte.astype("Float64") - fte.astype("Float64")


def vacancy_days(since: date | None, as_at: date) -> int | None:
    """Days a post has stood vacant at the date; missing where nobody told since when."""
    return None if since is None else (as_at - since).days


def mean_fte(values: Sequence[float | None]) -> tuple[float | None, int]:
    """The mean FTE of the known months of a window, and how many are known.

    `values` has one entry for every month of the window, missing where not returned; the mean is
    missing where fewer than half are known.
    """
    known = [float(value) for value in values if value is not None and pd.notna(value)]
    if not known or len(known) < LEAST_KNOWN_SHARE * len(values):
        return None, len(known)
    return sum(known) / len(known), len(known)


def target_in_force(valid_from: date, valid_until: date | None, as_at: date) -> TargetState:
    """Whether the target counts at the date; it does on its first and its last day."""
    if as_at < valid_from:
        return TargetState.NOT_YET
    if valid_until is not None and as_at > valid_until:
        return TargetState.EXPIRED
    return TargetState.IN_FORCE


def judge_funnel(
    value: float, limits_95: tuple[float, float], limits_998: tuple[float, float]
) -> FunnelPlace:
    """Where a value lies against its own limits (lower, upper); on a limit is inside."""
    if not limits_998[0] <= value <= limits_998[1]:
        return FunnelPlace.OUTSIDE_998
    if not limits_95[0] <= value <= limits_95[1]:
        return FunnelPlace.OUTSIDE_95
    return FunnelPlace.INSIDE
