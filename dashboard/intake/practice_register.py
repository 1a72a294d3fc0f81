"""The national register of practices (epraccur): open or closed, since when, of what kind."""

from __future__ import annotations

import re

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    PRACTICE,
    SUB_ICB,
    Check,
    Dataset,
    Lookups,
    parts_of,
    to_date,
)
from dashboard.intake.local_return import fail_backwards
from dashboard.intake.source import Source
from queries.load import CleanLoad

# The file has 27 columns and no heading; those read have a name here, the others (addresses
# and telephone numbers among them) only their place.
WIDTH = 27
NAMES = {
    0: "organisation code",
    1: "name",
    3: "high level health geography",
    9: "postcode",
    10: "open date",
    11: "close date",
    12: "status code",
    14: "commissioner",
    25: "prescribing setting",
}
COLUMNS = tuple(f"{NAMES.get(place, 'not read')} (column {place + 1})" for place in range(WIDTH))
CODE, NAME, GEOGRAPHY, POSTCODE, OPENED, CLOSED, STATUS, COMMISSIONER, SETTING = (
    COLUMNS[place] for place in NAMES
)
# Active, closed, dormant, proposed.
STATUSES = ("A", "C", "D", "P")
GP_PRACTICE = "4"


def _recognises(source: Source) -> bool:
    return bool(source.first_rows) and all(
        len(row) == WIDTH
        and re.fullmatch(PRACTICE[0], row[0])
        and row[12] in STATUSES
        and (not row[10] or to_date(row[10]))
        for row in source.first_rows
    )


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = Check(source, source.headerless(COLUMNS).frame)
    rows = pd.DataFrame(
        {
            "practice_code": check.code(CODE, *PRACTICE),
            "practice_name": check.text(NAME),
            "postcode": check.text(POSTCODE, required=False).str.upper(),
            "icb_code": check.code(
                GEOGRAPHY, "[0-9A-Z]{3,5}", "expected the code of a board", required=False
            ),
            "sub_icb_code": check.code(COMMISSIONER, *SUB_ICB, required=False),
            "status": check.one_of(STATUS, STATUSES, required=True),
            "setting": check.code(
                SETTING, "[0-9]{1,2}", "expected a prescribing setting from 0 to 99", required=False
            ),
            "opened_on": check.date(OPENED, required=False),
            "closed_on": check.date(CLOSED, required=False),
        }
    )
    fail_backwards(check, rows["opened_on"], rows["closed_on"], CLOSED)
    check.no_repeats(rows[["practice_code"]], "practice")
    check.finish()

    # Health boards of Wales stand where a practice in England has its ICB.
    rows["icb_code"] = rows["icb_code"].where(rows["icb_code"].str.fullmatch(ICB[0]))
    rows["part_key"] = rows["icb_code"].fillna("no ICB")
    is_gp = rows["setting"] == GP_PRACTICE
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"practice_register": rows},
        notes=(
            f"{len(rows)} entries; {is_gp.sum()} GP practices (prescribing setting 4), "
            f"of which {(is_gp & (rows['status'] == 'A')).sum()} are active",
            f"{rows['icb_code'].isna().sum()} entries of no ICB",
            "the file does not say of which day it is",
        ),
    )


DATASET = Dataset(
    "practice_register",
    "Register of practices, epraccur (NHS ODS)",
    _recognises,
    _read,
    replaces="the entries of the same board",
    parts="boards",
)
