"""Scheme areas, a local return: which scheme serves which area, and which are served by none."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    LAD,
    WARD,
    Column,
    Dataset,
    Lookups,
    Template,
    parts_of,
    sheet_with,
)
from dashboard.intake.local_return import check_return, fail_backwards, not_read
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("scheme", "speaks_for", "serves")
ALSO = {
    "scheme": ("scheme_name",),
    "organisation": ("delivery_organisation", "provider"),
    "model": ("delivery_model",),
    "speaks_for": ("speaks_for_code", "area_it_speaks_for", "area_spoken_for"),
    "serves": ("served_area", "served_code", "serves_code", "served_area_code", "area_served"),
    "from": ("valid_from", "from_date", "start_date"),
    "until": ("valid_until", "to", "until_date", "end_date"),
}
MODELS = ("employed by the NHS", "contracted provider", "consortium", "council-funded")


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO)
    rows = pd.DataFrame(
        {
            "scheme": check.text("scheme"),
            "organisation": check.text("organisation", required=False),
            "delivery_model": check.one_of("model", MODELS),
            "speaks_for_code": check.code(
                "speaks_for", f"{LAD[0]}|{ICB[0]}", "expected a district or ICB code"
            ),
            "served_code": check.code(
                "serves",
                f"{WARD[0]}|{LAD[0]}|{ICB[0]}",
                "expected a ward, district or ICB code, or blank where nothing is served",
                required=False,
            ),
            "valid_from": check.date("from", required=False),
            "valid_until": check.date("until", required=False),
        }
    )
    fail_backwards(check, rows["valid_from"], rows["valid_until"])
    key = ["scheme", "speaks_for_code", "served_code", "valid_from"]
    check.no_repeats(rows[key], "scheme, area it speaks for, served area and date")
    check.finish()

    rows["part_key"] = rows["speaks_for_code"]
    first = rows.dropna(subset="valid_from").groupby("part_key")["valid_from"].min()
    parts = parts_of(rows)
    parts["period_start"] = parts["part_key"].map(first)
    served = int(rows["served_code"].notna().sum())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts,
        rows={"scheme_area": rows},
        notes=(
            f"schemes: {rows['scheme'].nunique()}; areas served: {served}; "
            f"rows that say nothing is served: {len(rows) - served}",
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one scheme and one area it serves; also a scheme that serves nothing yet",
    (
        Column("scheme", True, "Name of the scheme, always spelt the same.", "North links"),
        Column(
            "speaks_for",
            True,
            "Code of the district or board whose wards the rows describe: a ward in it that no "
            "row serves has no scheme.",
            "E07000112",
        ),
        Column(
            "serves",
            True,
            "Code of the ward, district or board served; blank where nothing is served.",
            "E05012345",
        ),
        Column("organisation", False, "Who delivers the scheme.", "North charity"),
        Column("model", False, f"One of: {', '.join(MODELS)}.", "contracted provider"),
        Column("from", False, "First day on which the area is served.", "2026-04-01"),
        Column("until", False, "Last day; blank if open.", "2027-03-31"),
    ),
)
DATASET = Dataset(
    "scheme_areas",
    "Scheme areas (local return)",
    _recognises,
    _read,
    replaces="the schemes of the same district or board",
    parts="areas",
    template=TEMPLATE,
)
