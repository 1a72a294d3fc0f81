"""Referrals against the number expected: indirect standardisation to the board's own rates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from math import ceil

import pandas as pd

WINDOW_MONTHS = 12
PER_ADULTS = 1_000

# How many LSOAs each index ranks: a rank over this is a place between 0 and 1.
# Source: Ministry of Housing, Communities and Local Government, IoD 2019 and IoD 2025.
RANKED_LSOAS = {"2019": 32_844, "2025": 33_755}


def months_before(month: date, months: int) -> date:
    """The first day of the month that lies so many months before."""
    years, rest = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(years, rest + 1, 1)


def month_end(month: date) -> date:
    """The last day of a month."""
    return months_before(month, -1) - timedelta(days=1)


def last_whole_month(as_at: date) -> date:
    """The first day of the newest month that is over at the end of the date."""
    return as_at.replace(day=1) if month_end(as_at) == as_at else months_before(as_at, 1)


def deprivation_fifth(imd_rank: pd.Series[float], index_year: pd.Series[str]) -> pd.Series[int]:
    """The national fifth of a mean rank, 1 most deprived; missing where the rank is."""
    fifths = imd_rank * 5 / index_year.map(RANKED_LSOAS).astype("Float64")
    # The last rank of a fifth is still in it, as in the published deciles.
    ceiled: pd.Series[int] = fifths.apply(lambda value: ceil(value) if pd.notna(value) else pd.NA)
    return ceiled.astype("Int64")


def expected_referrals(
    strata: pd.DataFrame, shown: Callable[[pd.Series], pd.Series] = lambda sums: sums
) -> pd.Series[float]:
    """Expected referrals by ward: each stratum's people at the board's own rate for the stratum.

    `strata`: ward_code, stratum, people, referrals; one row per ward and stratum of the wards
    that returned. Referrals whose stratum is not known stand in rows with a missing stratum:
    they are shared out in proportion, so the expected add up to the observed. A ward without
    people has no expected number and is not there.

    `shown` turns the sums by stratum into those that may be known: a stratum can be one ward's
    alone, and its expected number would be its own count.
    """
    told = strata.dropna(subset=["stratum", "people"])
    told = told[
        ~told["ward_code"].isin(
            strata[strata["people"].isna() & strata["stratum"].notna()]["ward_code"]
        )
    ]
    by_stratum = told.groupby("stratum")[["referrals", "people"]].sum()
    in_strata = by_stratum["referrals"].sum()
    by_stratum["referrals"] = shown(by_stratum["referrals"])
    rates = by_stratum["referrals"] / by_stratum["people"].mask(by_stratum["people"] == 0)
    rate = told["stratum"].map(rates).astype("Float64")
    expected = (told["people"] * rate).groupby(told["ward_code"]).sum()
    elsewhere = strata[strata["ward_code"].isin(expected.index)]["referrals"].sum() - in_strata
    observed = by_stratum["referrals"].sum() + shown(pd.Series([elsewhere])).sum()
    placed = expected.sum()
    return (
        (expected * (observed / placed) if placed else expected)
        .astype("Float64")
        .rename("expected")
    )
