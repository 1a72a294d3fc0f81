"""PCN workforce, individual level: link workers in post, and which PCNs returned at all."""

from __future__ import annotations

import calendar
from datetime import date

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    PCN,
    SUB_ICB,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
    sheet_with,
)
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = (
    "Data_source",
    "CENSUS_YEAR",
    "CENSUS_MONTH",
    "PCN_CODE",
    "STAFF_ROLE",
    "FTE",
    "UNIQUE_IDENTIFIER",
)
# Exactly this role: "contains" would add mental-health practitioners.
LINK_WORKER_ROLE = "Social Prescribing Link Workers"
OWN_STAFF, CONTRACTED = "NWRS Staff", "NWRS contracted services"


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "origin": check.one_of("Data_source", (OWN_STAFF, CONTRACTED), required=True),
            "year": check.whole("CENSUS_YEAR"),
            "month": check.whole("CENSUS_MONTH"),
            "pcn_code": check.code("PCN_CODE", *PCN),
            "pcn_name": check.column("PCN_NAME"),
            "sub_icb_code": check.code("SUB_ICB_CODE", *SUB_ICB),
            "sub_icb_name": check.column("SUB_ICB_NAME"),
            "icb_code": check.code("ICB_CODE", *ICB),
            "icb_name": check.column("ICB_NAME"),
            "role": check.column("STAFF_ROLE"),
            "role_title": check.column("DETAILED_STAFF_ROLE"),
            "fte": check.number("FTE"),
            "person_id": check.column("UNIQUE_IDENTIFIER"),
        }
    )
    wrong = ~rows["month"].between(1, 12).fillna(True)
    check.fail(wrong, check.column("CENSUS_MONTH"), "CENSUS_MONTH", "expected a month from 1 to 12")
    wrong = ~rows["year"].between(2000, 2100).fillna(True)
    check.fail(wrong, check.column("CENSUS_YEAR"), "CENSUS_YEAR", "expected a year such as 2026")
    check.finish()

    rows["census"] = [_month_end(y, m) for y, m in zip(rows["year"], rows["month"], strict=True)]
    rows["part_key"] = [
        f"{census:%Y-%m} {icb}"
        for census, icb in zip(rows["census"], rows["icb_code"], strict=True)
    ]
    workers = rows[rows["role"] == LINK_WORKER_ROLE].assign(
        is_contracted=lambda r: r["origin"] == CONTRACTED,
        person_id=lambda r: r["person_id"].mask(r["is_contracted"] | (r["person_id"] == "")),
    )
    returns = rows.groupby(["part_key", "pcn_code", "icb_code"]).size().rename("staff_rows")
    places = pd.concat(
        [
            areas_of(rows, "pcn", "pcn_code", "pcn_name", parent="sub_icb_code"),
            areas_of(rows, "sub_icb", "sub_icb_code", "sub_icb_name", parent="icb_code"),
            areas_of(rows, "icb", "icb_code", "icb_name"),
        ]
    )
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=", ".join(sorted({f"{c:%B %Y}" for c in rows["census"]})),
        parts=parts_of(rows, "census", "census"),
        rows={
            "area": places,
            "workforce_return": returns.reset_index(),
            "link_worker": workers[
                [
                    "part_key",
                    "pcn_code",
                    "icb_code",
                    "is_contracted",
                    "role_title",
                    "fte",
                    "person_id",
                ]
            ],
        },
        notes=(
            f"{len(workers)} of {len(rows)} rows are link workers, "
            f"in {workers['pcn_code'].nunique()} PCNs",
        ),
    )


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


DATASET = Dataset(
    "workforce",
    "PCN workforce, individual level (NHS England)",
    _recognises,
    _read,
    replaces="the staff of the same month and board",
    parts="months of a board",
)
