"""Practices: the PCN, sub-ICB location and board each belongs to, and where it is."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    PCN,
    PRACTICE,
    SUB_ICB,
    UNALLOCATED,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
    sheet_with,
)
from dashboard.intake.source import Source
from geodata.postcodes import place_postcodes
from queries.load import CleanLoad

COLUMNS = ("EXTRACT_DATE", "PRACTICE_CODE", "PRACTICE_POSTCODE", "PCN_CODE", "ICB_CODE")


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "extracted": check.date("EXTRACT_DATE"),
            "practice_code": check.code("PRACTICE_CODE", *PRACTICE),
            "practice_name": check.text("PRACTICE_NAME", required=False),
            "postcode": check.text("PRACTICE_POSTCODE", required=False).str.upper(),
            "pcn_code": check.code("PCN_CODE", *PCN),
            "pcn_name": check.text("PCN_NAME", required=False),
            "sub_icb_code": check.code("SUB_ICB_LOCATION_CODE", *SUB_ICB),
            "sub_icb_name": check.text("SUB_ICB_LOCATION_NAME", required=False),
            "icb_code": check.code("ICB_CODE", *ICB),
            "icb_name": check.text("ICB_NAME", required=False),
        }
    )
    check.no_repeats(rows[["extracted", "practice_code"]], "practice")
    check.finish()

    extracted = rows["extracted"].map("{:%Y-%m-%d}".format).astype("str")
    rows["part_key"] = extracted + " " + rows["icb_code"]
    rows["allocated_pcn"] = rows["pcn_code"].mask(rows["pcn_code"] == UNALLOCATED)
    places = place_postcodes(rows["postcode"].dropna()).drop_duplicates("postcode")
    placed = rows.merge(places, on="postcode", how="left", validate="many_to_one")
    areas = pd.concat(
        [
            areas_of(rows, "practice", "practice_code", "practice_name", parent="allocated_pcn"),
            areas_of(rows, "pcn", "pcn_code", "pcn_name", parent="sub_icb_code"),
            areas_of(rows, "sub_icb", "sub_icb_code", "sub_icb_name", parent="icb_code"),
            areas_of(rows, "icb", "icb_code", "icb_name"),
        ]
    )
    unplaced = int(placed["easting"].isna().sum())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=", ".join(sorted(extracted.unique())),
        parts=parts_of(rows, "extracted", "extracted"),
        rows={
            "area": areas,
            "practice": placed[
                [
                    "part_key",
                    "practice_code",
                    "postcode",
                    "pcn_code",
                    "sub_icb_code",
                    "icb_code",
                    "easting",
                    "northing",
                ]
            ],
        },
        notes=(
            f"{len(rows)} practices in {rows['allocated_pcn'].nunique()} PCNs; "
            f"{rows['allocated_pcn'].isna().sum()} in none",
            f"{len(rows) - unplaced} of {len(rows)} postcodes placed on the map",
        ),
    )


DATASET = Dataset(
    "practices",
    "Practices with their PCN and ICB (NHS England)",
    _recognises,
    _read,
    replaces="the practices of the same extract and board",
    parts="boards",
)
