"""Any index by LSOA (loneliness, community needs, ...), as its publisher scores it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

import pandas as pd

from dashboard.intake.dataset import LSOA, Check, Dataset, Lookups, parts_of, plain_heading
from dashboard.intake.local_return import not_read
from dashboard.intake.source import Sheet, Source
from queries.load import CleanLoad

# "lsoa21_code", "LSOA21CD", "LSOA code (2021)": the vintage is in the heading.
_CODE = re.compile(r"lsoa_?(?:20)?(11|21)_?(?:cd|code)|lsoa_(?:cd|code)_20(11|21)")
_VALUE = {"perc", "percent", "percentage", "pct", "score", "value", "index", "rate"}
_DECILE = {"decile", "deciles"}
# Lookups name another area beside the LSOA, returns of persons have a reference, and the
# deprivation index has a reader of its own.
_NOT_AN_INDEX = re.compile(
    r"(wd|ward|sicbl|icb)_?\d{2,4}_?(cd|cdh|code)|.*reference.*|index_of_multiple_.*"
)
MOST_CHARACTERS = 60


def _words(heading: str) -> set[str]:
    return set(plain_heading(heading).split("_"))


def _code_heading(headings: Iterable[str]) -> tuple[str, int] | None:
    """The one heading of LSOA codes, and their vintage."""
    found = [(h, match) for h in headings if (match := _CODE.fullmatch(plain_heading(h)))]
    return (found[0][0], 2000 + int(found[0][1][1] or found[0][1][2])) if len(found) == 1 else None


def _value_headings(headings: Iterable[str]) -> list[str]:
    return [h for h in headings if _words(h) & _VALUE and not _words(h) & _DECILE]


def _sheet(source: Source) -> Sheet | None:
    for sheet in source.sheets:
        is_other = any(_NOT_AN_INDEX.fullmatch(plain_heading(h)) for h in sheet.headings)
        if not is_other and _code_heading(sheet.headings) and _value_headings(sheet.headings):
            return sheet
    return None


def _decile_of(value: str, values: list[str], headings: Iterable[str]) -> str | None:
    """The column with the deciles of a value: the same words about it, or the only one."""
    deciles = [h for h in headings if _words(h) & _DECILE]
    same = [h for h in deciles if _words(h) - _DECILE - _VALUE == _words(value) - _VALUE]
    if same:
        return same[0]
    return deciles[0] if len(deciles) == len(values) == 1 else None


def _name_of(source: Source) -> str:
    """What the index is called: the file does not say, so its own name, cleaned."""
    stem = PurePath(source.name).name.split(".", 1)[0]
    return re.sub(r"[\W_]+", " ", stem).strip()[:MOST_CHARACTERS].strip() or "index"


def _recognises(source: Source) -> bool:
    return _sheet(source) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = _sheet(source)
    assert sheet is not None
    found = _code_heading(sheet.headings)
    assert found is not None
    heading, vintage = found
    check = Check(source, sheet.frame)
    codes = check.code(heading, *LSOA)
    check.no_repeats(codes.to_frame(), "LSOA")
    name, values = _name_of(source), _value_headings(sheet.headings)
    indices = []
    for value in values:
        decile = _decile_of(value, values, sheet.headings)
        index = pd.DataFrame(
            {
                "index_name": name if len(values) == 1 else f"{name}: {value}",
                "lsoa_code": codes,
                "value": check.real(value),
                "decile": check.whole(decile, required=False) if decile else pd.NA,
            }
        )
        if decile:
            outside = ~index["decile"].between(1, 10).fillna(True)
            rule = "expected a decile from 1 to 10"
            check.fail(outside, check.column(decile), decile, rule)
        indices.append(index)
    check.finish()

    rows = pd.concat(indices)
    rows["part_key"] = rows["index_name"] + f" LSOA {vintage}"
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(codes),
        vintage=f"LSOA {vintage}",
        parts=parts_of(rows),
        rows={"lsoa_index": rows},
        notes=(
            f"{len(codes)} LSOAs; {rows['value'].isna().sum()} values missing",
            "called after the file, which does not name its index: "
            + "; ".join(rows["index_name"].unique()),
            *not_read(check),
        ),
    )


DATASET = Dataset(
    "lsoa_index",
    "An index by LSOA (code, value, decile)",
    _recognises,
    _read,
    replaces="the index of the same file name and LSOA vintage",
    parts="indexes",
)
