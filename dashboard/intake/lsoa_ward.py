"""LSOA to ward lookup: the ward and district each LSOA best fits."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    LAD,
    LSOA,
    WARD,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
    sheet_of_vintages,
)
from dashboard.intake.source import Source
from queries.load import CleanLoad

STEMS = ("LSOA", "CD"), ("WD", "CD"), ("LAD", "CD")


def _recognises(source: Source) -> bool:
    return sheet_of_vintages(source, *STEMS) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    found = sheet_of_vintages(source, *STEMS)
    assert found is not None
    sheet, ((lsoa, lsoa_year), (ward, ward_year), (lad, lad_year)) = found
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "lsoa_code": check.code(lsoa, *LSOA),
            "lsoa_name": check.text(f"LSOA{lsoa_year % 100:02}NM", required=False),
            "ward_code": check.code(ward, *WARD),
            "lad_code": check.code(lad, *LAD),
            "lad_name": check.text(f"LAD{lad_year % 100:02}NM", required=False),
        }
    )
    check.no_repeats(rows[["lsoa_code"]], "LSOA")
    check.finish()

    rows["part_key"] = f"{lsoa_year} {ward_year} " + rows["lad_code"]
    # No wards among the areas: only boundaries say which wards are in use.
    lsoas = areas_of(rows, "lsoa", "lsoa_code", "lsoa_name", parent="ward_code", vintage=lsoa_year)
    lads = areas_of(rows, "lad", "lad_code", "lad_name", vintage=lad_year)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"LSOA {lsoa_year} to {ward_year} wards",
        parts=parts_of(rows),
        rows={
            "area": pd.concat([lsoas, lads]),
            "lsoa_ward": rows[["part_key", "lsoa_code", "ward_code", "lad_code"]],
        },
        notes=(f"{len(rows)} LSOAs in {rows['ward_code'].nunique()} wards",),
    )


DATASET = Dataset(
    "lsoa_ward",
    "LSOA to ward lookup (ONS)",
    _recognises,
    _read,
    replaces="the LSOAs of the same two vintages and district",
    parts="districts",
)
