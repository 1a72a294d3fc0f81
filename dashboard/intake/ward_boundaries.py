"""Ward boundaries: which wards there are, in which district, and their shapes."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    LAD,
    WARD,
    Check,
    Dataset,
    Lookups,
    areas_of,
    parts_of,
    vintage_column,
)
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source
from geodata.shapes import ShapeError, read_features
from queries.load import CleanLoad

# Files of the whole United Kingdom: social prescribing there is not described by these data.
ELSEWHERE = r"S13[0-9]{6}|N08[0-9]{6}|95[0-9A-Z]+"


def _recognises(source: Source) -> bool:
    if not isinstance(source.json, dict) or source.json.get("type") != "FeatureCollection":
        return False
    match source.json.get("features"):
        case [{"properties": dict() as properties}, *_]:
            return vintage_column(properties, "WD", "CD") is not None
    return False


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    try:
        features = read_features(source.raw)
    except ShapeError as error:
        raise RefusedError(source.name, [Problem(str(error))]) from error
    frame = pd.DataFrame(features.drop(columns="geometry")).apply(lambda text: text.str.strip())
    # A row in a message is the number of the feature.
    frame.index = features.index = pd.RangeIndex(1, 1 + len(frame))
    heading, year = vintage_column(frame.columns, "WD", "CD") or ("WD", 0)
    elsewhere = frame[heading].str.fullmatch(ELSEWHERE)
    check = Check(source, frame[~elsewhere])
    # The boundaries of 2013 do not name the district.
    lad = vintage_column(frame.columns, "LAD", "CD") or ("LADCD", 0)
    rows = pd.DataFrame(
        {
            "ward_code": check.code(heading, *WARD),
            "ward_name": check.text(f"WD{year % 100:02}NM"),
            "lad_code": check.code(lad[0], *LAD, required=lad[1] > 0),
            "lad_name": check.text(f"LAD{lad[1] % 100:02}NM", required=False),
            "geometry": features.geometry[~elsewhere].to_wkb(),
        }
    )
    check.no_repeats(rows[["ward_code"]], "ward code")
    check.finish()

    rows["part_key"] = (f"{year} " + rows["lad_code"].fillna("")).str.strip()
    wards = areas_of(rows, "ward", "ward_code", "ward_name", parent="lad_code", vintage=year)
    lads = areas_of(rows, "lad", "lad_code", "lad_name", vintage=lad[1] or None)
    notes = [f"{len(rows)} wards of {year} in {rows['lad_code'].nunique()} districts"]
    if elsewhere.any():
        notes.append(f"{elsewhere.sum()} wards outside England and Wales were left out")
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(frame),
        vintage=f"{year} wards",
        parts=parts_of(rows),
        rows={
            "area": pd.concat([wards, lads]),
            "boundary": rows[["part_key", "ward_code", "geometry"]],
        },
        notes=tuple(notes),
    )


DATASET = Dataset(
    "ward_boundaries",
    "Ward boundaries, GeoJSON (ONS)",
    _recognises,
    _read,
    replaces="the wards of the same vintage and district",
    parts="districts",
)
