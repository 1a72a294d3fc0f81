"""Scheme areas, a local return: which scheme serves which area, and which are served by none."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import ICB, LAD, WARD, Dataset, Lookups, parts_of, sheet_with
from dashboard.intake.local_return import check_return, not_read
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
    backwards = [
        bool(start and end and end < start)
        for start, end in zip(rows["valid_from"], rows["valid_until"], strict=True)
    ]
    rule = "expected a date on or after the one it is served from"
    until = check.column("until", required=False)
    check.fail(pd.Series(backwards, rows.index), until, "until", rule)
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


DATASET = Dataset(
    "scheme_areas",
    "Scheme areas (local return)",
    _recognises,
    _read,
    replaces="the schemes of the same district or board",
)
