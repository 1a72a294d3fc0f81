"""Link workers by deprivation of the people they serve, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import ward_patients
from dashboard.rules.disclosure import Released, release
from dashboard.rules.inequality import LEAST_GROUPS, clustered_rates, slope_index
from dashboard.rules.take_up import deprivation_fifth, month_end, months_before
from dashboard.workforce import profile
from queries import places, workforce
from queries.scope import Scope

# Published: 10 points more need went with so many FTE fewer per 10,000 people.
# Source: doi 10.1101/2025.04.04.25325237 and the workforce of October 2023.
PUBLISHED_FTE, PUBLISHED_POINTS, PUBLISHED_MONTH = 0.035, 10, date(2023, 10, 1)


@dataclass(frozen=True)
class ProvisionByNeed:
    """`fifths`: one row per month and fifth of deprivation, 1 most deprived: FTE per 10,000
    patients (`rate`), its standard error, and the patients and PCNs it rests on. `slopes`: one
    row per month with all five fifths: slope, lower, upper, pcns_left_out.
    """

    fifths: Released
    slopes: Released
    shares: str
    index_year: str


def provision_by_need(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, months: int
) -> ProvisionByNeed:
    """The FTE of each PCN shared out over its patients by the deprivation of their ward.

    Shares and deprivation are the newest ones in every month: only the FTE changes. Patients who
    live outside the board's wards are left out, and with them their part of the FTE.
    """
    patients, shares = ward_patients(engine, scope, icb_code, as_at)
    ranks = places.ward_deprivation(engine, scope, icb_code)
    ranks["fifth"] = deprivation_fifth(ranks["imd_rank"], ranks["index_year"])
    placed = patients[patients["pcn_code"] != "U"].merge(
        ranks[["ward_code", "fifth"]].dropna(), on="ward_code"
    )
    cells = placed.groupby(["pcn_code", "fifth"], as_index=False).agg(
        people=("patients", "sum"), pcn_patients=("pcn_patients", "first")
    )
    newest = workforce.census_date(engine, scope, icb_code, as_at)
    found = pd.DataFrame()
    if newest is not None:
        first = month_end(months_before(newest, months - 1))
        found = workforce.fte_by_pcn_and_month(engine, scope, icb_code, first, newest)
    fifths, slopes = [], []
    for census, told in found.groupby("census") if len(found) else ():
        month = pd.Timestamp(str(census)).date().replace(day=1)
        fte = cells["pcn_code"].map(told.groupby("pcn_code")["fte"].sum()).astype("float64")
        rates, left_out = clustered_rates(
            cells.assign(fte=fte * cells["people"] / cells["pcn_patients"])
        )
        fifths.append(rates.assign(month=month))
        if len(rates) == LEAST_GROUPS:
            slope = slope_index(
                *(rates[name].tolist() for name in ("rate", "people", "standard_error"))
            )
            slopes.append((month, slope.slope, slope.lower, slope.upper, left_out))
    columns = ["month", "fifth", "rate", "standard_error", "people", "pcns"]
    by_fifth = pd.concat(fifths)[columns] if fifths else pd.DataFrame(columns=columns)
    by_month = pd.DataFrame(slopes, columns=["month", "slope", "lower", "upper", "pcns_left_out"])
    years = ranks["index_year"].dropna()
    return ProvisionByNeed(
        fifths=release(by_fifth.reset_index(drop=True), profile(), people=[]),
        slopes=release(by_month, profile(), people=[]),
        shares=shares,
        index_year=str(years.max()) if len(years) else "",
    )
