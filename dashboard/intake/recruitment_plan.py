"""Recruitment plan, a local return: the FTE of link workers each PCN means to have."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboard.intake.dataset import PCN, Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import check_return, month_end, months_of, not_read
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("pcn_code", "month", "planned_fte")
ALSO = {
    "pcn_code": ("pcn",),
    "month": ("period", "plan_month"),
    "planned_fte": ("planned_wte", "target_fte", "plan_fte"),
}
APRIL = 4


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    rows = pd.DataFrame(
        {
            "pcn_code": check.code("pcn_code", *PCN),
            "month": months_of(check, "month"),
            "planned_fte": check.number("planned_fte"),
        }
    )
    check.no_repeats(rows[["pcn_code", "month"]], "PCN and month")
    check.finish()

    # A plan is sent again as a whole, a year at a time: what was planned for years gone by
    # stays, and months of this year that are left out are no longer planned.
    years = rows["month"].map(financial_year)
    rows["part_key"] = years + " " + rows["pcn_code"]
    by_part = rows.groupby("part_key")["month"]
    parts = parts_of(rows)
    parts["period_start"] = parts["part_key"].map(by_part.min())
    parts["period_end"] = parts["part_key"].map(by_part.max()).map(month_end)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"{min(rows['month']):%Y-%m} to {max(rows['month']):%Y-%m}",
        parts=parts,
        rows={"recruitment_plan": rows},
        notes=(
            f"plans of {rows['pcn_code'].nunique()} PCNs for {rows['month'].nunique()} months",
            *not_read(check),
        ),
    )


def financial_year(month: date) -> str:
    """The year from April to March that a month lies in.

    >>> financial_year(date(2026, 3, 1)), financial_year(date(2026, 4, 1))
    ('2025-26', '2026-27')
    """
    first = month.year if month.month >= APRIL else month.year - 1
    return f"{first}-{(first + 1) % 100:02}"


TEMPLATE = Template(
    "the FTE of link workers one PCN plans to have at the end of one month",
    (
        Column("pcn_code", True, "Code of the PCN.", "U12345"),
        Column("month", True, "Month, or any day in it.", "2026-06"),
        Column("planned_fte", True, "Full-time equivalents planned; 0 if none.", "2.5"),
    ),
)
DATASET = Dataset(
    "recruitment_plan",
    "Recruitment plan (local return)",
    _recognises,
    _read,
    replaces="the whole plan of the same PCN and financial year (April to March)",
    parts="years of a PCN",
    template=TEMPLATE,
)
