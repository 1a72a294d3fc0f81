"""Candidate sites, a local return: places where support could be offered, and what each would cost."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    SUPPRESSED,
    Column,
    Dataset,
    Lookups,
    Template,
    parts_of,
    sheet_with,
)
from dashboard.intake.local_return import check_return, not_read
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("icb_code", "site_id", "site_name", "longitude", "latitude")
ALSO = {
    "site_name": ("name", "site", "venue"),
    "site_id": ("id", "site_code"),
    "longitude": ("lon", "long", "lng"),
    "latitude": ("lat",),
    "cost_a_year": ("cost", "annual_cost", "cost_per_year"),
    "places_a_year": ("places", "people_a_year", "capacity", "capacity_a_year"),
}
# Great Britain in degrees, as the readers of boundaries have it.
LONGITUDES, LATITUDES = (-9.5, 2.5), (49.5, 61.0)


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO)
    rows = pd.DataFrame(
        {
            "icb_code": check.code("icb_code", *ICB),
            "site_id": check.text("site_id", most=64),
            "site_name": check.text("site_name"),
            "longitude": check.real("longitude"),
            "latitude": check.real("latitude"),
            "cost_a_year": check.number("cost_a_year", required=False),
            "places_a_year": check.whole("places_a_year", required=False),
        }
    )
    for name, (least, most) in (("longitude", LONGITUDES), ("latitude", LATITUDES)):
        rule = f"expected a {name} in Great Britain in degrees, from {least:g} to {most:g}"
        text = check.column(name)
        outside = (~rows[name].between(least, most)).fillna(False).astype(bool)
        # What is no number at all is said once already.
        is_blank = (text == "") | text.str.casefold().isin(SUPPRESSED | {"na", "nan"})
        check.fail(outside | is_blank, text, name, rule)
    rule = "expected 1 or more people a year; leave blank where there is no limit"
    few = (rows["places_a_year"] < 1).fillna(False).astype(bool)
    check.fail(few, check.column("places_a_year", required=False), "places_a_year", rule)
    check.no_repeats(rows[["icb_code", "site_id"]], "site of a board")
    check.finish()

    rows["part_key"] = rows["icb_code"]
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"candidate_site": rows},
        notes=(
            f"{len(rows)} sites, {rows['cost_a_year'].notna().sum()} of them with a cost",
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one place where support could be offered",
    (
        Column("icb_code", True, "Code of the board that considers it.", "QKS"),
        Column("site_id", True, "A code of your own; it stays the same.", "S1"),
        Column("site_name", True, "What the place is called.", "Hilltop library"),
        Column("longitude", True, "Degrees east of Greenwich, so below 0 in the west.", "1.3831"),
        Column("latitude", True, "Degrees north.", "51.3813"),
        Column(
            "cost_a_year",
            False,
            "What it would cost in a year, in pounds; blank for the board's usual cost.",
            "48000",
        ),
        Column("places_a_year", False, "For how many people in a year; blank for no limit.", "250"),
    ),
)
DATASET = Dataset(
    "candidate_sites",
    "Candidate sites (local return)",
    _recognises,
    _read,
    replaces="the candidate sites of the same board",
    parts="boards",
    template=TEMPLATE,
)
