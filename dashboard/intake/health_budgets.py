"""Personal health budgets, a local return: how many are in place, by group of entitlement."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import ICB, Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import check_return, month_end, months_of, not_read
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("period", "icb_code", "entitlement", "in_place")
ALSO = {
    "period": ("month", "period_end", "date"),
    "icb_code": ("icb",),
    "entitlement": ("group", "entitlement_group", "group_of_entitlement"),
    "in_place": ("number_in_place", "budgets", "budgets_in_place", "number_of_budgets"),
}
# Who has a right to one in England, and everybody else. Without a total: it would count twice.
ENTITLEMENTS = (
    "adult continuing healthcare",
    "children's continuing care",
    "section 117 aftercare",
    "personal wheelchair budget",
    "other",
)


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    rows = pd.DataFrame(
        {
            "month": months_of(check, "period"),
            "icb_code": check.code("icb_code", *ICB),
            "entitlement": check.one_of("entitlement", ENTITLEMENTS, required=True),
            "in_place": check.whole("in_place", may_be_hidden=True),
        }
    )
    check.no_repeats(rows[["month", "icb_code", "entitlement"]], "period, board and entitlement")
    check.finish()

    rows["period_end"] = rows["month"].map(month_end)
    rows["part_key"] = [
        f"{month:%Y-%m} {icb}" for month, icb in zip(rows["month"], rows["icb_code"], strict=True)
    ]
    hidden = int(rows["in_place"].isna().sum())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"{min(rows['month']):%Y-%m} to {max(rows['month']):%Y-%m}",
        parts=parts_of(rows, "month", "period_end"),
        rows={"personal_health_budget": rows.drop(columns="month")},
        notes=(
            f"{rows['in_place'].sum()} budgets in {len(rows)} rows",
            *([f"{hidden} numbers are hidden by a mark, and missing here"] if hidden else []),
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "the personal health budgets in place in one month, of one board and group of entitlement",
    (
        Column(
            "period", True, "Month, or any day in it; it is kept as the month's end.", "2026-06"
        ),
        Column("icb_code", True, "Code of the board.", "QKS"),
        Column("entitlement", True, f"One of: {', '.join(ENTITLEMENTS)}.", ENTITLEMENTS[0]),
        Column(
            "in_place", True, "Number in place at the end of the month; * if it is hidden.", "120"
        ),
    ),
)
DATASET = Dataset(
    "personal_health_budgets",
    "Personal health budgets (local return)",
    _recognises,
    _read,
    replaces="the budgets of the same month and board",
    parts="months of a board",
    template=TEMPLATE,
)
