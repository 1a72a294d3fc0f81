"""LSOA to ICB lookup: the sub-ICB location and board each LSOA lies in."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    LSOA,
    SUB_ICB,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
    sheet_of_vintages,
)
from dashboard.intake.source import Sheet, Source
from queries.load import CleanLoad


def _sheet(source: Source) -> tuple[Sheet, list[tuple[str, int]]] | None:
    # The NHS codes end in CDH. Where there is none of the sub-ICB location, the ONS code does.
    for ending in ("CDH", "CD"):
        stems = ("LSOA", "CD"), ("SICBL", ending), ("ICB", "CDH")
        if found := sheet_of_vintages(source, *stems):
            return found
    return None


def _recognises(source: Source) -> bool:
    return _sheet(source) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    found = _sheet(source)
    assert found is not None
    sheet, ((lsoa, lsoa_year), (sub_icb, sub_icb_year), (icb, icb_year)) = found
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "lsoa_code": check.code(lsoa, *LSOA),
            "sub_icb_code": check.code(sub_icb, *SUB_ICB),
            "sub_icb_name": check.text(f"SICBL{sub_icb_year % 100:02}NM", required=False),
            "icb_code": check.code(icb, *ICB),
            "icb_name": check.text(f"ICB{icb_year % 100:02}NM", required=False),
        }
    )
    check.no_repeats(rows[["lsoa_code"]], "LSOA")
    check.finish()

    rows["part_key"] = f"{lsoa_year} {icb_year} " + rows["icb_code"]
    sub_icbs = areas_of(
        rows, "sub_icb", "sub_icb_code", "sub_icb_name", parent="icb_code", vintage=sub_icb_year
    )
    icbs = areas_of(rows, "icb", "icb_code", "icb_name", vintage=icb_year)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"LSOA {lsoa_year} to ICBs of {icb_year}",
        parts=parts_of(rows),
        rows={
            "area": pd.concat([sub_icbs, icbs]),
            "lsoa_icb": rows[["part_key", "lsoa_code", "sub_icb_code", "icb_code"]],
        },
        notes=(f"{len(rows)} LSOAs in {rows['icb_code'].nunique()} ICBs",),
    )


DATASET = Dataset(
    "lsoa_icb",
    "LSOA to sub-ICB location and ICB lookup (ONS)",
    _recognises,
    _read,
    replaces="the LSOAs of the same two vintages and board",
    parts="boards",
)
