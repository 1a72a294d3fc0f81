"""Writes what `peers/usual_data.py` reads: the wards, values and shapes of the usual maps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geodata.shapes import MapLayer


@dataclass(frozen=True)
class Place:
    """A board or all of England: its shapes, and of each month a row a ward."""

    title: str
    shapes: MapLayer
    months: Sequence[pd.DataFrame]


def write(
    folder: Path, layers: Mapping[str, str], months: Sequence[str], places: Sequence[Place]
) -> None:
    """`layers`: columns of the frames by the title of the layer."""
    columns = ["ward_code", "ward_name", *layers.values()]
    for number, place in enumerate(places):
        (folder / f"{number}-shapes.json").write_bytes(place.shapes.body)
        for month, frame in enumerate(place.months):
            frame[columns].to_csv(folder / f"{number}-{month}.csv", index=False)
    told = {
        "layers": dict(layers),
        "months": list(months),
        "places": {place.title: number for number, place in enumerate(places)},
        "bounds": [place.shapes.bounds for place in places],
    }
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")
