"""Residents of each ward: all ages, and in bands where the file has single years of age."""

from __future__ import annotations

import re

import pandas as pd

from dashboard.intake.dataset import (
    LAD,
    WARD,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
)
from dashboard.intake.source import Sheet, Source
from dashboard.rules.ages import AGE_BANDS, age_band_of
from queries.load import CleanLoad

ALL_AGES = "all ages"
# '17', 'F17' or 'M17'; '90' and '90+' both stand for that age and above.
AGE_HEADING = re.compile(r"[FM]?([0-9]{1,2})\+?", re.IGNORECASE)


def _sheet_and_year(source: Source) -> tuple[Sheet, int] | None:
    for sheet in source.sheets:
        for heading in sheet.headings:
            year = re.fullmatch(r"Ward (20[0-9]{2}) Code", heading, re.IGNORECASE)
            if year and "total" in map(str.casefold, sheet.headings):
                return sheet, int(year[1])
    return None


def _recognises(source: Source) -> bool:
    return _sheet_and_year(source) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    found = _sheet_and_year(source)
    assert found is not None
    sheet, year = found
    check = Check(source, sheet.frame)
    # The district's vintage can differ from the ward's.
    lads = [h for h in check.headings if re.fullmatch(r"LAD 20[0-9]{2} Code", h, re.IGNORECASE)]
    lad = lads[0][:8] if lads else f"LAD {year}"
    rows = pd.DataFrame(
        {
            "ward_code": check.code(f"Ward {year} Code", *WARD),
            "lad_code": check.code(f"{lad} Code", *LAD),
            "lad_name": check.text(f"{lad} Name", required=False),
            ALL_AGES: check.whole("Total", may_be_hidden=True),
        }
    )
    check.no_repeats(rows[["ward_code"]], "ward code")
    bands = _bands(check)
    if len(bands.columns):
        apart = (bands.sum(axis=1, skipna=False) != rows[ALL_AGES]).fillna(False)
        rule = f"expected the ages to add up to the total; {' + '.join(AGE_BANDS)} do not"
        check.fail(apart, check.column("Total"), "Total", rule)
    check.finish()

    rows["part_key"] = f"{year} " + rows["lad_code"]
    people = (
        rows.join(bands)
        .melt(
            id_vars=["part_key", "ward_code", "lad_code"],
            value_vars=[ALL_AGES, *bands.columns],
            var_name="age_band",
            value_name="people",
        )
        .astype({"people": "Int64"})
    )
    notes = [f"{len(rows)} wards of {year}, {rows[ALL_AGES].sum():,} residents"]
    if not len(bands.columns):
        notes.append("totals only: no single years of age in the file")
    if hidden := int(people["people"].isna().sum()):
        notes.append(f"{hidden} hidden numbers are missing, not zero")
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"{year} wards",
        parts=parts_of(rows),
        rows={
            "area": areas_of(rows, "lad", "lad_code", "lad_name", vintage=int(lad[-4:])),
            "ward_population": people.dropna(subset="people"),
        },
        notes=tuple(notes),
    )


def _bands(check: Check) -> pd.DataFrame:
    """One column per age band, summed over years of age and sexes; none without ages."""
    ages = {h: int(m[1]) for h in check.headings if (m := AGE_HEADING.fullmatch(h))}
    years = pd.DataFrame({h: check.whole(h, may_be_hidden=True) for h in ages})
    return years.T.groupby([age_band_of(age) for age in ages.values()]).sum(min_count=1).T


DATASET = Dataset(
    "ward_population",
    "Ward population (ONS)",
    _recognises,
    _read,
    replaces="the wards of the same vintage and district",
    parts="districts",
)
