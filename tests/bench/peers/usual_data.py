"""What each of the usual maps shows: the wards of a board in a month, and their shapes, as the benchmark
wrote them. Each is read once where `read` is kept."""

import json
import os
from pathlib import Path

import pandas as pd

_FOLDER = Path(os.environ["BENCH_FOLDER"])
_TOLD = json.loads((_FOLDER / "told.json").read_text(encoding="utf-8"))
# Columns by the title of the layer, numbers of files by the title of the place, and months.
LAYERS: dict[str, str] = _TOLD["layers"]
PLACES: dict[str, int] = _TOLD["places"]
MONTHS: list[str] = _TOLD["months"]


def read(place: str, month: str) -> tuple[pd.DataFrame, dict, list[float]]:
    """A row a ward, the shapes by code of the ward, and west, south, east, north of all."""
    number = PLACES[place]
    shapes = json.loads((_FOLDER / f"{number}-shapes.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(_FOLDER / f"{number}-{MONTHS.index(month)}.csv")
    return frame, shapes, _TOLD["bounds"][number]
