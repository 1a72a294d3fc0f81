"""The Providers page at the size of England beside that of one board, in one run:
`python -m tests.bench.providers`.

Three databases: one board of 280 wards and 200 services; England, 36 boards of 7,056 wards and
20,000 services together, of which one board is shown; and all of that as a single board, which no
board is. For each part of the page: server milliseconds of the first run, which judges everything,
and of a rerun. Times depend on the machine, so nothing here is asserted; ratios are what counts.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Engine

from dashboard.rules.needs import NEED_THEMES
from queries.database import make_engine, upgrade
from queries.load import CleanLoad, save
from tests.bench.__main__ import ROOT, serving
from tests.bench.client import Session
from tests.small_board import made_of

AS_AT = "2026-06-30"
PARTS = ("gaps", "services", "capacity", "map", "freshness", "funding", "demand", "directory")
WARDS_A_DISTRICT = 22
ROUNDS = 8


def main() -> None:
    sizes = {
        "one board: 280 wards, 200 services": (280, 200, 1),
        "England, one board shown": (7_056, 20_000, 36),
        "England as one board": (7_056, 20_000, 1),
    }
    results: dict[str, dict[str, tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for words, (wards, services, boards) in sizes.items():
            folder = Path(name) / words.split(",")[0].replace(" ", "_").replace(":", "")
            folder.mkdir()
            os.environ["DASHBOARD_DATABASE_URL"] = f"sqlite:///{(folder / 'bench.db').as_posix()}"
            engine = make_engine(os.environ["DASHBOARD_DATABASE_URL"])
            upgrade(engine)
            started = time.perf_counter()
            fill(engine, wards, services, boards)
            print(f"{words}: made in {time.perf_counter() - started:.1f} s", flush=True)
            results[words] = measure(folder)
    show(results)


def fill(engine: Engine, wards: int, services: int, boards: int) -> None:
    """Wards on a grid, by district and board; services for wards, districts and boards."""
    rng = np.random.default_rng(1)
    place = np.arange(wards)
    ward = [f"E05{n:06d}" for n in place]
    lad = [f"E07{n:06d}" for n in place // WARDS_A_DISTRICT]
    icb = [f"QZ{chr(65 + board % 26)}{board // 26}"[:5] for board in place * boards // wards]
    icb = [code if len(code) == 3 else f"Z{code[1:3]}{code[3]}A" for code in icb]
    for load in (*_places(ward, lad, icb), _services(rng, ward, lad, icb, services)):
        save(engine, load)


def _places(ward: list[str], lad: list[str], icb: list[str]) -> list[CleanLoad]:
    side = int(np.ceil(np.sqrt(len(ward))))
    west = -3.0 + np.arange(len(ward)) % side * 0.05
    south = 51.0 + np.arange(len(ward)) // side * 0.03
    wards = pd.DataFrame({"area_code": ward, "area_name": [f"Ward {c}" for c in ward],
                          "parent_code": lad, "kind": "ward", "vintage": 2025})  # fmt: skip
    lads = pd.DataFrame({"area_code": sorted(set(lad)), "kind": "lad", "vintage": 2025})
    lads["area_name"] = "District " + lads["area_code"]
    boards = pd.DataFrame({"area_code": sorted(set(icb)), "kind": "icb"})
    boards["area_name"] = "Board " + boards["area_code"]
    lsoa = [f"E01{code[3:]}" for code in ward]
    one = {"part_key": "2025 all"}
    shapes = shapely.box(west, south, west + 0.05, south + 0.03)
    return [
        made_of(
            "ward_boundaries",
            ["2025 all"],
            {
                "area": pd.concat([wards, lads]).assign(**one),
                "boundary": pd.DataFrame(
                    {"ward_code": ward, "geometry": list(shapely.to_wkb(shapes))}
                ).assign(**one),
            },
        ),
        made_of(
            "lsoa_ward",
            ["2021 2024 all"],
            {
                "lsoa_ward": pd.DataFrame(
                    {"lsoa_code": lsoa, "ward_code": ward, "lad_code": lad}
                ).assign(part_key="2021 2024 all")
            },
        ),
        made_of(
            "lsoa_icb",
            ["2021 2024 all"],
            {
                "lsoa_icb": pd.DataFrame(
                    {"lsoa_code": lsoa, "sub_icb_code": "99Z", "icb_code": icb}
                ).assign(part_key="2021 2024 all"),
                "area": boards.assign(part_key="2021 2024 all"),
            },
        ),
        made_of(
            "ward_population",
            ["2023 all"],
            {
                "ward_population": pd.DataFrame(
                    {"ward_code": ward, "lad_code": lad, "age_band": "all ages", "people": 8_000}
                ).assign(part_key="2023 all")
            },
        ),
    ]


def _services(
    rng: np.random.Generator, ward: list[str], lad: list[str], icb: list[str], count: int
) -> CleanLoad:
    """Seven in ten name wards, two in ten a district, one in ten the board or nothing but a place."""
    side = int(np.ceil(np.sqrt(len(ward))))
    home = rng.integers(0, len(ward), count)
    ids = [f"S{n:05d}" for n in range(count)]
    provider = [f"Provider {n // 4}" for n in range(count)]
    offered = rng.integers(8, 41, count)
    confirmed = [
        date(2026, 6, 30) - timedelta(days=int(days)) for days in rng.integers(1, 500, count)
    ]
    frame = pd.DataFrame(
        {
            "part_key": provider,
            "service_id": ids,
            "service_name": [f"Service {n}" for n in range(count)],
            "provider": provider,
            "is_online": False,
            "state": rng.choice(["has capacity", "full", "full with waiting list"], count),
            "places_offered": offered,
            "places_filled": (offered * rng.uniform(0.3, 1, count)).astype(int),
            "people_waiting": rng.integers(0, 30, count),
            "confirmed_on": confirmed,
            "funding_ends": [date(2026, 7, 1) + timedelta(days=int(d)) for d in rng.integers(0, 900, count)],
            "cost_per_place": 50.0,
            "sector": "VCSE",
        }
    )  # fmt: skip
    kind = rng.random(count)
    areas = [
        (provider[n], ids[n], code)
        for n in range(count)
        for code in (
            [ward[home[n]], ward[(home[n] + 1) % len(ward)]]
            if kind[n] < 0.7
            else [lad[home[n]]]
            if kind[n] < 0.9
            else [icb[home[n]]]
            if kind[n] < 0.92
            else []
        )
    ]
    themes = rng.integers(0, len(NEED_THEMES), count)
    return made_of(
        "services",
        sorted(set(provider)),
        {
            "service": frame,
            "service_area": pd.DataFrame(areas, columns=["part_key", "service_id", "area_code"]),
            "service_theme": pd.DataFrame(
                {"part_key": provider, "service_id": ids, "theme": [NEED_THEMES[t] for t in themes]}
            ),
            "service_place": pd.DataFrame(
                {
                    "part_key": provider,
                    "service_id": ids,
                    "latitude": 51.015 + home // side * 0.03,
                    "longitude": -2.975 + home % side * 0.05,
                    "placed_by": "point",
                }
            ),
        },
    )


def measure(folder: Path) -> dict[str, tuple[float, float]]:
    """First run and median rerun of each part, in milliseconds; and an empty page's rerun."""
    found = {}
    with serving(ROOT / "dashboard/app.py", folder) as port:
        session = Session(port)
        # What every page needs is warmed up before: the first board's coverage.
        session.rerun(query=f"as_at={AS_AT}")
        for part in PARTS:
            query = f"as_at={AS_AT}&part={part}"
            first = session.rerun("providers", query).seconds
            again = [session.rerun("providers", query).seconds for _ in range(ROUNDS)]
            found[part] = (first * 1000, statistics.median(again) * 1000)
        session.close()
    return found


def show(results: dict[str, dict[str, tuple[float, float]]]) -> None:
    """First run and rerun of each part, and as ratios of the small board."""
    small = next(iter(results.values()))
    for place, title in enumerate(("first run, ms", "rerun, ms")):
        print(f"\n{title:40}" + "".join(f"{part:>12}" for part in PARTS))
        for words, found in results.items():
            cells = "".join(f"{found[part][place]:>12,.0f}" for part in PARTS)
            ratios = "".join(f"{found[part][place] / small[part][place]:>12.1f}" for part in PARTS)
            print(f"{words:40}{cells}")
            if found is not small:
                print(f"{'  over the small board':40}{ratios}")


if __name__ == "__main__":
    main()
