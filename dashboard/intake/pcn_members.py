"""PCN core partner details (ePCN): which practice was in which PCN, and when."""

from __future__ import annotations

import re

import pandas as pd

from dashboard.intake.dataset import (
    PCN,
    PRACTICE,
    SUB_ICB,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
    sheet_with,
    to_date,
)
from dashboard.intake.local_return import fail_backwards
from dashboard.intake.source import Sheet, Source
from queries.load import CleanLoad

PRACTICE_CODE, PCN_CODE = "Partner Organisation Code", "PCN Code"
START = "Practice to PCN Relationship Start Date"
END = "Practice to PCN Relationship End Date"
SUB_ICB_CODE = "Practice Parent Sub ICB Loc Code"
PCN_SUB_ICB_CODE = "PCN Parent Sub ICB Loc Code"
# In the order of the form without a heading.
COLUMNS = (
    PRACTICE_CODE,
    "Partner Name",
    SUB_ICB_CODE,
    "Practice Parent Sub ICB Loc Name",
    PCN_CODE,
    "PCN Name",
    PCN_SUB_ICB_CODE,
    "PCN Parent Sub ICB Loc Name",
    START,
    END,
    "Practice Sub ICB Loc and PCN Sub ICB Loc Match",
)
NEEDED = (PRACTICE_CODE, SUB_ICB_CODE, PCN_CODE, START)
# Sub-ICB locations were called CCGs until July 2022.
ALSO = {
    PRACTICE_CODE: ("Partner Code",),
    SUB_ICB_CODE: (
        "Practice Parent Sub ICB Location Code",
        "Practice Parent CCG Code",
        "Practice's CCG Code",
        "Practice's CCG",
        "Practice CCG Code",
    ),
    PCN_SUB_ICB_CODE: (
        "PCN Parent Sub ICB Location Code",
        "PCN Parent CCG Code",
        "PCN's CCG Code",
        "PCN's CCG",
        "PCN CCG Code",
    ),
    START: ("Practice to PCN Start Date",),
    END: ("Practice to PCN End Date",),
}


def _sheet(source: Source) -> Sheet | None:
    if sheet := sheet_with(source, *NEEDED, also=ALSO):
        return sheet
    is_headerless = all(
        len(row) == len(COLUMNS)
        and re.fullmatch(PRACTICE[0], row[0])
        and re.fullmatch(PCN[0], row[4])
        and to_date(row[8])
        for row in source.first_rows
    )
    return source.headerless(COLUMNS) if source.first_rows and is_headerless else None


def _recognises(source: Source) -> bool:
    return _sheet(source) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = _sheet(source)
    assert sheet is not None
    check = Check(source, sheet.frame, ALSO)
    for name in NEEDED:
        # A workbook keeps the value of a formula only if a spreadsheet program worked it out.
        values = check.column(name)
        rule = "no value: if a formula stands here, save it in a spreadsheet program first"
        check.fail(values == "", values, name, rule)
    rows = pd.DataFrame(
        {
            "practice_code": check.code(PRACTICE_CODE, *PRACTICE, required=False),
            "practice_name": check.text("Partner Name", required=False),
            "sub_icb_code": check.code(SUB_ICB_CODE, *SUB_ICB, required=False),
            "pcn_code": check.code(PCN_CODE, *PCN, required=False),
            "pcn_name": check.text("PCN Name", required=False),
            "pcn_sub_icb_code": check.code(PCN_SUB_ICB_CODE, *SUB_ICB, required=False),
            "valid_from": check.date(START, required=False),
            "valid_until": check.date(END, required=False),
        }
    )
    fail_backwards(check, rows["valid_from"], rows["valid_until"], END)
    check.no_repeats(
        rows[["practice_code", "pcn_code", "valid_from"]], "practice, PCN and start date"
    )
    check.finish()

    # A newer file holds every spell again, and so replaces the older one of its sub-ICB.
    rows["part_key"] = rows["sub_icb_code"]
    ended = rows["valid_until"].notna()
    rows["current_pcn"] = rows["pcn_code"].mask(ended)
    # The spell in force is the one that says what a practice is called and where it belongs.
    spells = pd.concat([rows[~ended], rows[ended].sort_values("valid_until", ascending=False)])
    areas = pd.concat(
        [
            areas_of(spells, "practice", "practice_code", "practice_name", parent="current_pcn"),
            areas_of(spells, "pcn", "pcn_code", "pcn_name", parent="pcn_sub_icb_code"),
        ]
    )
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={
            "area": areas,
            "pcn_membership": rows[
                [
                    "part_key",
                    "practice_code",
                    "pcn_code",
                    "sub_icb_code",
                    "valid_from",
                    "valid_until",
                ]
            ],
        },
        notes=(
            f"{len(rows)} spells of {rows['practice_code'].nunique()} practices "
            f"in {rows['pcn_code'].nunique()} PCNs; {ended.sum()} ended",
            "the file does not say of which day it is",
        ),
    )


DATASET = Dataset(
    "pcn_members",
    "PCN membership of practices, ePCN (NHS ODS)",
    _recognises,
    _read,
    replaces="the memberships of the same sub-ICB location",
    parts="sub-ICB locations",
)
