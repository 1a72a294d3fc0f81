"""The demonstration's places, as committed in `geodata/files/`; see `SOURCES.md` there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

_FILES = Path(__file__).parent / "files"


def demonstration_lsoas() -> pd.DataFrame:
    """One row per LSOA (2011) of Kent and Medway: its ward in the vintages 2025 and 2023, its
    district, its middle (easting, northing in EPSG:27700) and its area in hectares."""
    numbers = {"easting": "int64", "northing": "int64", "area_hectares": "float64"}
    text = ("LSOA11CD", "LSOA11NM", "WD25CD", "WD23CD", "LAD25CD", "LAD25NM")
    return pd.read_csv(
        _FILES / "demonstration_lsoas.csv", dtype={**dict.fromkeys(text, "str"), **numbers}
    )


def demonstration_wards_bytes() -> bytes:
    """The wards of 2025 as GeoJSON, in the form of the Office for National Statistics."""
    return (_FILES / "demonstration_wards_2025.geojson").read_bytes()
