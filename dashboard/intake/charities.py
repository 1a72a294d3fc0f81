"""Register of charities (England and Wales): who is registered, and since when."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard.intake.dataset import Check, Dataset, Lookups, parts_of, sheet_with
from dashboard.intake.json_rows import EITHER, TEXT, check_of
from dashboard.intake.source import Source
from queries.load import CleanLoad

# The extract has 34 columns; contact details are not read.
COLUMNS = {
    "registered_charity_number": EITHER,
    "linked_charity_number": EITHER,
    "charity_name": TEXT,
    "charity_registration_status": TEXT,
    "date_of_registration": TEXT,
    "date_of_removal": TEXT,
}
EXTRACTED = "date_of_extract"
STATUSES = ("Registered", "Removed")
# The longest names of the register are longer than any agreed word.
MOST_CHARACTERS = 500


def _objects(source: Source) -> list[Any] | None:
    """The entries of the JSON form."""
    found = source.json
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        return None
    return found if set(COLUMNS) <= set(found[0]) else None


def _recognises(source: Source) -> bool:
    return _objects(source) is not None or sheet_with(source, *COLUMNS) is not None


def _check(source: Source) -> Check:
    if (objects := _objects(source)) is not None:
        return check_of(source, objects, {**COLUMNS, EXTRACTED: TEXT})
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    return Check(source, sheet.frame)


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = _check(source)
    number = "expected a charity number of 5 to 7 digits"
    rows = pd.DataFrame(
        {
            "charity_number": check.code("registered_charity_number", "[0-9]{5,7}", number),
            "linked": check.whole("linked_charity_number"),
            "charity_name": check.text("charity_name", most=MOST_CHARACTERS),
            "status": check.one_of("charity_registration_status", STATUSES, required=True),
            "registered_on": check.date("date_of_registration", required=False),
            "removed_on": check.date("date_of_removal", required=False),
            "extracted": check.date(EXTRACTED, required=False),
        }
    )
    check.no_repeats(rows[["charity_number", "linked"]], "charity number")
    # Each charity stands for itself: one odd entry does not keep out the register.
    good = check.finish_rows()

    # Linked charities share their parent's number and are no providers of their own.
    rows["part_key"] = "England and Wales"
    kept = rows[good & (rows["linked"] == 0).fillna(False)]
    extracted = sorted(rows["extracted"].dropna().unique())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"{extracted[-1]:%Y-%m-%d}" if extracted else None,
        parts=parts_of(rows),
        rows={"charity": kept.drop(columns=["linked", "extracted"])},
        notes=(
            f"{len(kept)} charities, {(kept['status'] == 'Registered').sum()} of them registered",
            f"{(good & (rows['linked'] > 0).fillna(False)).sum()} linked charities left out",
        ),
        refused=check.refused(),
        rows_refused=int((~good).sum()),
    )


DATASET = Dataset(
    "charities",
    "Register of charities (Charity Commission)",
    _recognises,
    _read,
    replaces="the whole register",
    parts="registers",
)
