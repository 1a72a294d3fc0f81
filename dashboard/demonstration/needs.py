"""What areas need beside deprivation, who leads each locality, and places that could be funded."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.demonstration.places import KENT, RANKED_LSOAS, Places
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source

# Two localities have no lead; Dover's left in March, and Thanet's changed in April 2025.
LEADS = (
    ("Ashford", "Head of personalised care", "occupational therapist", "2023-09-01", ""),
    ("Canterbury", "Personalised care manager", "manager", "2024-02-01", ""),
    ("Dover", "Community therapy lead", "occupational therapist", "2023-05-01", "2026-03-31"),
    ("Folkestone and Hythe", "Neighbourhood lead nurse", "nurse", "2024-06-01", ""),
    ("Gravesham", "Community therapy lead", "occupational therapist", "2025-01-01", ""),
    ("Maidstone", "Clinical director for prevention", "GP", "2022-11-01", ""),
    ("Medway", "Head of personalised care", "manager", "2023-04-01", ""),
    ("Sevenoaks", "Social prescribing lead", "link worker", "2025-10-01", ""),
    ("Thanet", "Personalised care manager", "manager", "2022-07-01", "2025-03-31"),
    ("Thanet", "Occupational therapy lead", "occupational therapist", "2025-04-01", ""),
    ("Tonbridge and Malling", "Neighbourhood lead nurse", "nurse", "2024-09-01", ""),
    ("Tunbridge Wells", "Personalised care manager", "manager", "2023-01-01", ""),
)
# Districts in which the board looks at places, how many in each, and what they are.
LOOKED_AT = {"Thanet": 8, "Gravesham": 3, "Swale": 3, "Ashford": 2}
KINDS = ("library", "leisure centre", "community hall", "family hub")
# Pounds and people in a year of a place; of some the cost is not known yet.
COSTS, PLACES, WITHOUT_COST = (36_000, 58_000), (180, 260), 0.2


def need_files(places: Places, rng: np.random.Generator) -> list[Source]:
    """Two indices by LSOA in their publishers' form: loneliness, and long-term conditions."""
    lsoas = places.lsoas
    deprived = 1 - lsoas["imd_rank"].to_numpy(dtype=float) / RANKED_LSOAS
    old = places.ages[:, 65:].sum(axis=1) / places.ages.sum(axis=1)
    older = (old - old.mean()) / old.std()
    lonely = 6 + 4 * deprived + 0.5 * older + rng.normal(0, 0.8, len(lsoas))
    several = 22 + 6 * deprived + 4 * older + rng.normal(0, 1.5, len(lsoas))
    return [
        _index("demonstration loneliness", lsoas, lonely),
        _index("demonstration several long-term conditions", lsoas, several),
    ]


def lead_files() -> list[Source]:
    """The return of named leads: posts, no persons."""
    headings = ("locality", "post", "profession", "from", "until")
    columns = dict(zip(headings, zip(*LEADS, strict=True), strict=True))
    return [csv_file("demonstration named leads.csv", columns)]


def site_files(places: Places, rng: np.random.Generator) -> list[Source]:
    """Places that the board of Kent could fund, each in the middle of a ward."""
    features = json.loads(places.boundaries)["features"]
    wards = pd.DataFrame([feature["properties"] for feature in features])
    rows: list[tuple[object, ...]] = []
    for district, number in LOOKED_AT.items():
        # The most deprived of the district.
        codes = places.wards[places.wards["LAD25NM"] == district].sort_values("imd_rank")
        chosen = wards.set_index("WD25CD").loc[codes["WD25CD"].iloc[2 : 2 + number]]
        for place, ward in enumerate(chosen.to_dict("records")):
            name = f"{ward['WD25NM']} {KINDS[place % len(KINDS)]}"
            cost = (
                "" if rng.random() < WITHOUT_COST else str(int(rng.integers(*COSTS)) // 500 * 500)
            )
            room = str(int(rng.integers(*PLACES)) // 10 * 10)
            site = f"S{len(rows) + 1:02d}"
            rows.append((KENT.icb_code, site, name, ward["LONG"], ward["LAT"], cost, room))
    headings = (
        "icb_code", "site_id", "site_name", "longitude", "latitude", "cost_a_year", "places_a_year",
    )  # fmt: skip
    columns = dict(zip(headings, zip(*rows, strict=True), strict=True))
    return [csv_file("demonstration candidate sites.csv", columns)]


def _index(name: str, lsoas: pd.DataFrame, value: npt.NDArray[np.float64]) -> Source:
    """An index with deciles, 10 of most need."""
    place = np.empty(len(value), dtype=int)
    place[np.argsort(value, kind="stable")] = np.arange(len(value))
    return csv_file(
        f"{name}.csv",
        {
            "lsoa11cd": lsoas["LSOA11CD"],
            "perc": [f"{share:.2f}" for share in value],
            "decile": place * 10 // len(value) + 1,
        },
    )
