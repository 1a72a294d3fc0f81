"""The benches of growth and of the maps: slopes by hand, and what the usual maps are given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from geodata.shapes import MapLayer
from tests.bench import usual_files
from tests.bench.growth import exponent, table
from tests.served import ROOT


@pytest.mark.parametrize(
    ("figures", "slope"),
    [
        ({0.1: 5.0, 1.0: 5.0, 3.0: 5.0}, 0.0),
        ({0.1: 0.2, 1.0: 2.0, 3.0: 6.0}, 1.0),
        ({0.1: 0.07, 1.0: 7.0, 3.0: 63.0}, 2.0),
    ],
)
def test_the_exponent_is_that_of_the_size(figures: dict[float, float], slope: float):
    assert exponent(figures) == pytest.approx(slope)


def test_what_was_not_measured_at_a_size_is_a_dash():
    lines = table({"load": {0.1: 2.0, 1.0: 20.0}, "map": {1.0: 1234.0}}).splitlines()
    assert lines[0] == "|  | 0.1 | 1 | exponent |"
    assert lines[2:] == ["| load | 2 | 20 | 1.00 |", "| map | – | 1.23e+03 | nan |"]


def test_the_usual_maps_are_given_what_was_written(tmp_path: Path):
    """Each place and month by its title: not the shapes or the values of another."""
    frames = [
        pd.DataFrame({"ward_code": [code], "ward_name": ["Hill"], "fte": [fte]})
        for code, fte in (("E1", 1.5), ("E1", 2.5), ("E2", 3.5), ("E2", 4.5))
    ]
    shapes = [
        MapLayer("wards", json.dumps({"of": n}).encode(), b"", (0.0, 1.0, 2.0, n)) for n in (3, 4)
    ]
    usual_files.write(
        tmp_path,
        {"Link workers": "fte"},
        ["May", "June"],
        [
            usual_files.Place("Kent", shapes[0], frames[:2]),
            usual_files.Place("Devon", shapes[1], frames[2:]),
        ],
    )
    script = (
        "import json, usual_data as u; frame, shapes, bounds = u.read('Devon', 'June');"
        "print(json.dumps([u.LAYERS, list(u.PLACES), u.MONTHS, frame.values.tolist(), shapes, bounds]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT / "tests" / "bench" / "peers",
        env=os.environ | {"BENCH_FOLDER": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert json.loads(told) == [
        {"Link workers": "fte"},
        ["Kent", "Devon"],
        ["May", "June"],
        [["E2", "Hill", 4.5]],
        {"of": 4},
        [0.0, 1.0, 2.0, 4],
    ]
