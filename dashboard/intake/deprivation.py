"""Index of Multiple Deprivation, File 1: rank and decile of each LSOA."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import LAD, LSOA, Check, Dataset, Lookups, parts_of
from dashboard.intake.source import Sheet, Source
from queries.load import CleanLoad

# Each index stands on the LSOAs of one census; joining it to the other loses areas silently.
INDEX_OF_LSOA_YEAR = {2021: 2025, 2011: 2019}
# The published headings are long, and one breaks off in the middle: their beginnings suffice.
RANK = "Index of Multiple Deprivation (IMD) Rank"
DECILE = "Index of Multiple Deprivation (IMD) Decile"
DISTRICT = "Local Authority District code"


def _beginning_with(sheet: Sheet, start: str) -> str | None:
    headings = (str(column) for column in sheet.headings)
    return next((h for h in headings if h.casefold().startswith(start.casefold())), None)


def _sheet_and_year(source: Source) -> tuple[Sheet, int] | None:
    for sheet in source.sheets:
        for year in INDEX_OF_LSOA_YEAR:
            starts = (f"LSOA code ({year})", DISTRICT, RANK, DECILE)
            if all(_beginning_with(sheet, start) for start in starts):
                return sheet, year
    return None


def _recognises(source: Source) -> bool:
    return _sheet_and_year(source) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    found = _sheet_and_year(source)
    assert found is not None
    sheet, lsoa_year = found
    index_year = INDEX_OF_LSOA_YEAR[lsoa_year]
    lsoa, lad, rank, decile = (
        _beginning_with(sheet, start) or start
        for start in (f"LSOA code ({lsoa_year})", DISTRICT, RANK, DECILE)
    )
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "lsoa_code": check.code(lsoa, *LSOA),
            "lad_code": check.code(lad, *LAD),
            "imd_rank": check.whole(rank),
            "imd_decile": check.whole(decile),
        }
    )
    check.fail(rows["imd_rank"].eq(0).fillna(False), check.column(rank), rank, "ranks begin at 1")
    outside = ~rows["imd_decile"].between(1, 10).fillna(True)
    check.fail(outside, check.column(decile), decile, "expected a decile from 1 to 10")
    check.no_repeats(rows[["lsoa_code"]], "LSOA")
    check.finish()

    rows["part_key"] = f"{index_year} " + rows["lad_code"]
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"IMD {index_year} on LSOA {lsoa_year}",
        parts=parts_of(rows),
        rows={"deprivation": rows.drop(columns="lad_code")},
        notes=(f"{len(rows)} LSOAs in {rows['lad_code'].nunique()} districts",),
    )


DATASET = Dataset(
    "deprivation",
    "Index of Multiple Deprivation 2025 or 2019, File 1",
    _recognises,
    _read,
    replaces="the index of the same year and district",
    parts="districts",
)
