"""GP appointments, practice-level crosstab: social prescribing as practices recorded it."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    PCN,
    PRACTICE,
    SUB_ICB,
    UNALLOCATED,
    Check,
    Dataset,
    Lookups,
    parts_of,
    sheet_with,
)
from dashboard.intake.local_return import month_end
from dashboard.intake.problems import Problem
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = (
    "APPOINTMENT_MONTH_START_DATE",
    "GP_CODE",
    "SUB_ICB_LOCATION_CODE",
    "NATIONAL_CATEGORY",
    "COUNT_OF_APPOINTMENTS",
)
# Exactly this category: the file's staff groups have no link worker.
SOCIAL_PRESCRIBING = "Social Prescribing Service"


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "month": check.date("APPOINTMENT_MONTH_START_DATE"),
            "practice_code": check.code("GP_CODE", *PRACTICE),
            "pcn_code": check.code("PCN_CODE", *PCN, required=False),
            "sub_icb_code": check.code("SUB_ICB_LOCATION_CODE", *SUB_ICB),
            "category": check.text("NATIONAL_CATEGORY"),
            "appointments": check.whole("COUNT_OF_APPOINTMENTS", may_be_hidden=True),
        }
    )
    rows["pcn_code"] = rows["pcn_code"].mask(rows["pcn_code"] == UNALLOCATED)
    first_days = {day for day in rows["month"].unique() if day is not None and day.day == 1}
    check.fail(
        rows["month"].notna() & ~rows["month"].isin(first_days),
        check.column("APPOINTMENT_MONTH_START_DATE"),
        "APPOINTMENT_MONTH_START_DATE",
        "expected the first day of a month",
    )
    for column, heading in (("pcn_code", "PCN_CODE"), ("sub_icb_code", "SUB_ICB_LOCATION_CODE")):
        code = rows[column].fillna("")
        first = code.groupby([rows["month"], rows["practice_code"]]).transform("first")
        rule = "an earlier row has another code for the same practice and month"
        check.fail(code.ne(first) & first.notna(), check.column(heading), heading, rule)
    categories = set(rows["category"].dropna())
    if len(categories) == 1 and categories != {SOCIAL_PRESCRIBING}:
        rule = f"holds one category only, and not {SOCIAL_PRESCRIBING!r}: send all categories"
        check.problems.append(Problem(rule, column="NATIONAL_CATEGORY"))
    check.finish()

    # Text is compared once a category, not once a row: a region has millions of rows.
    is_social = rows["category"].astype("category") == SOCIAL_PRESCRIBING
    rows["social_prescribing"] = rows["appointments"].where(is_social)
    key = ["month", "practice_code", "pcn_code", "sub_icb_code"]
    # Nothing recorded is missing, never 0: most practices do not use the category.
    sums = (
        rows.groupby(key, dropna=False, sort=True)[["social_prescribing", "appointments"]]
        .sum(min_count=1)
        .astype("Int64")
        .reset_index()
        .rename(columns={"appointments": "all_categories"})
    )
    recorded = is_social.groupby([rows["month"], rows["practice_code"]]).any()
    note = f"{recorded.sum()} of {len(recorded)} practices recorded {SOCIAL_PRESCRIBING!r}"
    if len(categories) == 1:
        sums["all_categories"] = pd.NA
        note += ": the file holds that category only, so practices without it are not in it"
    notes = [note, f"{sums['social_prescribing'].sum():,} appointments of that category"]
    if hidden := int(rows["appointments"].isna().sum()):
        notes.append(f"{hidden} hidden numbers are missing, not zero, and in no sum")
    sums["part_key"] = sums["month"].map("{:%Y-%m} ".format).astype("str") + sums["sub_icb_code"]
    sums["until"] = sums["month"].map(month_end)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=", ".join(f"{day:%B %Y}" for day in sorted(rows["month"].unique())),
        parts=parts_of(sums, "month", "until"),
        rows={"practice_appointment": sums.drop(columns="until")},
        notes=tuple(notes),
    )


DATASET = Dataset(
    "appointments",
    "GP appointments, practice-level crosstab (NHS England)",
    _recognises,
    _read,
    replaces="the appointments of the same month and sub-ICB location",
    parts="months of a sub-ICB location",
)
