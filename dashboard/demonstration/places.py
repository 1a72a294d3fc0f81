"""The places of the demonstration: real shapes, simulated people and deprivation."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.demonstration import demonstration_lsoas, demonstration_wards_bytes

Floats = npt.NDArray[np.float64]

RANKED_LSOAS = 32_844  # in England, LSOAs of 2011
AGES = np.arange(91)  # the last is 90 and above
# Where need is highest and lowest: easting, northing, strength, reach in metres.
DEPRIVED = (
    ("Margate", 635_500, 170_800, 1.3, 2_600),
    ("Ramsgate", 638_000, 165_000, 1.0, 2_400),
    ("Sheerness", 592_500, 174_500, 1.5, 5_500),
    ("Sittingbourne", 591_000, 163_500, 0.7, 4_000),
    ("Chatham", 576_500, 167_500, 1.0, 4_500),
    ("Dover", 631_500, 141_800, 1.2, 3_500),
    ("Folkestone", 622_000, 136_300, 1.2, 4_000),
    ("Gravesend", 565_000, 173_500, 0.9, 3_500),
    ("Ashford", 600_800, 141_500, 0.8, 3_500),
    ("Sevenoaks", 552_500, 155_500, -1.1, 7_000),
    ("Tunbridge Wells", 559_000, 139_500, -1.1, 7_000),
    ("Kings Hill", 567_500, 155_000, -0.7, 5_000),
)


@dataclass(frozen=True)
class Board:
    """A board of the demonstration and the codes that stand for it in files."""

    icb_code: str
    name: str
    sub_icb_code: str
    letters: str
    practices: int


KENT = Board("QDK", "Kent (demonstration)", "DK1", "DK", 150)
MEDWAY = Board("QDM", "Medway (demonstration)", "DM1", "DM", 25)
BOARDS = (KENT, MEDWAY)
MEDWAY_LAD = "E06000035"


@dataclass(frozen=True)
class Places:
    """`lsoas`: one row an LSOA, with people, deprivation and board; `wards`: one row a ward
    in use; `ages`: people of each LSOA (rows) by single year of age (columns)."""

    lsoas: pd.DataFrame
    wards: pd.DataFrame
    ages: npt.NDArray[np.int64]
    boundaries: bytes


def make_places(rng: np.random.Generator) -> Places:
    """The LSOAs and wards with simulated people: 1,500 to 1,900 in each LSOA."""
    lsoas = demonstration_lsoas().sort_values("LSOA11CD").reset_index(drop=True)
    # The smallest vanish when shapes are generalised.
    lsoas["area_hectares"] = lsoas["area_hectares"].clip(lower=5)
    easting, northing = (lsoas[c].to_numpy(dtype=float) for c in ("easting", "northing"))
    need = _need(easting, northing) + rng.normal(0, 0.3, len(lsoas))
    # The most deprived LSOA first; ranks spread over all of England's, none twice.
    place = np.empty(len(lsoas), dtype=int)
    place[np.argsort(-need, kind="stable")] = np.arange(len(lsoas))
    lsoas["imd_rank"] = np.round((place + 0.5) / len(lsoas) * RANKED_LSOAS).astype(int)
    lsoas["imd_decile"] = lsoas["imd_rank"] * 10 // RANKED_LSOAS + 1
    lsoas["people"] = rng.integers(1_500, 1_901, len(lsoas))
    lsoas["board"] = np.where(lsoas["LAD25CD"] == MEDWAY_LAD, MEDWAY.icb_code, KENT.icb_code)
    boundaries = demonstration_wards_bytes()
    properties = [feature["properties"] for feature in json.loads(boundaries)["features"]]
    wards = pd.DataFrame(properties)[["WD25CD", "WD25NM", "LAD25CD", "LAD25NM"]]
    centres = lsoas.groupby("WD25CD").agg(
        easting=("easting", "mean"),
        northing=("northing", "mean"),
        imd_rank=("imd_rank", "mean"),
        people=("people", "sum"),
    )
    wards = wards.merge(centres, on="WD25CD").sort_values("WD25CD").reset_index(drop=True)
    lsoas["WD25NM"] = lsoas["WD25CD"].map(wards.set_index("WD25CD")["WD25NM"])
    return Places(lsoas, wards, _by_age(lsoas, rng), boundaries)


def _need(easting: Floats, northing: Floats) -> Floats:
    need = np.zeros(len(easting))
    for _name, east, north, strength, reach in DEPRIVED:
        squared = (easting - east) ** 2 + (northing - north) ** 2
        need += strength * np.exp(-squared / (2 * reach**2))
    return need


def _by_age(lsoas: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """People by single year of age: older where an LSOA is wide, that is rural."""
    shape = np.interp(AGES, [0, 17, 25, 55, 70, 80, 89], [1.1, 1.2, 1.2, 1.4, 1.1, 0.7, 0.25])
    shape[-1] = 0.8
    wide = np.log(lsoas["area_hectares"].to_numpy(dtype=float))
    older = 0.15 * (wide - wide.mean()) / wide.std() + rng.normal(0, 0.12, len(lsoas))
    weights = shape * np.exp(older[:, None] * (AGES - 45) / 45)
    upto = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    # Differences of rounded running totals: whole people who add up to the LSOA's.
    totals = np.floor(upto * lsoas["people"].to_numpy()[:, None] + 0.5).astype(np.int64)
    people: npt.NDArray[np.int64] = np.diff(totals, axis=1, prepend=0)
    return people
