"""Who lives in England's areas, how deprived they are, and which practices and PCNs serve them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import KDTree

from dashboard.demonstration.places import AGES, RANKED_LSOAS
from dashboard.rules.ages import ADULT_BANDS, age_band_of
from geodata.build_demonstration import ward_names
from tests.bench.england.shapes import Shapes

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

SEED = 20_260_630
# How many England has, shared out by LSOAs.
PCNS, PRACTICES = 1_270, 6_300
# People of an LSOA are on the lists of about so many practices, as in the published file.
NEAR_PRACTICES = 32
# Places around which need is higher, or lower, than elsewhere.
TOWNS = 300
# Referrals by age, against those of all adults.
BY_AGE = {"18-39": 0.8, "40-64": 0.95, "65-79": 1.1, "80+": 1.7}


def stream(*subject: int) -> np.random.Generator:
    """The random numbers of a subject: a change of one leaves the others as they were."""
    return np.random.default_rng([SEED, *subject])


@dataclass(frozen=True)
class Story:
    """Which PCNs (rows of their frame) and wards (by LSOA) are the ones with something to find.

    `rate`: by LSOA, referrals against those of others like it; `gone_quiet`: by LSOA, whether
    nobody was referred in the last 12 months.
    """

    without_workforce_return: npt.NDArray[np.bool_]
    without_link_worker: npt.NDArray[np.bool_]
    without_referrals: npt.NDArray[np.bool_]
    stopped_referrals: npt.NDArray[np.bool_]
    rate: Floats
    gone_quiet: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """`lsoas`: as in `Shapes`, with people, imd_rank and imd_decile; `adults`: people of each LSOA
    (rows) by adult age band; `ages`: the same by single year; `pcns` and `practices`: one row
    each; `patients`: one row a practice and LSOA (`lsoa`, `practice`: rows of their frames)."""

    lsoas: pd.DataFrame
    ages: Numbers
    adults: Numbers
    boundaries: bytes
    pcns: pd.DataFrame
    practices: pd.DataFrame
    patients: pd.DataFrame
    story: Story

    @property
    def boards(self) -> pd.DataFrame:
        """One row per board, by code: icb_code, icb_name, its first sub_icb_code and its LSOAs."""
        grouped = self.lsoas.groupby("icb_code")
        return grouped.agg(
            icb_name=("icb_name", "first"), sub_icb_code=("sub_icb_code", "min"),
            lsoas=("icb_code", "size"),
        ).reset_index()  # fmt: skip


def make_places(shapes: Shapes, share: float) -> Places:
    """The places of the boards that come first by code and have about this share (0-1) of LSOAs."""
    lsoas = shapes.lsoas.sort_values("LSOA11CD", ignore_index=True)
    lsoas["area_hectares"] = lsoas["area_hectares"].clip(lower=5)
    lsoas["imd_rank"] = _ranks(lsoas, stream(1))
    lsoas["imd_decile"] = np.minimum((lsoas["imd_rank"] - 1) * 10 // RANKED_LSOAS, 9) + 1
    lsoas["people"] = stream(2).integers(1_500, 1_901, len(lsoas))
    sizes = lsoas["icb_code"].value_counts().sort_index()
    # A board belongs to the first whose middle is within the share.
    chosen = sizes.index[sizes.cumsum() - sizes / 2 < share * len(lsoas)]
    lsoas = lsoas[lsoas["icb_code"].isin(chosen)].reset_index(drop=True)
    ages = _by_age(lsoas, stream(3))
    bands = np.array([age_band_of(int(age)) for age in AGES])
    adults = np.stack([ages[:, bands == band].sum(axis=1) for band in ADULT_BANDS], axis=1)
    practices, pcns = _practices(lsoas, stream(4))
    patients = _patients(lsoas, practices, stream(5))
    story = _story(lsoas, pcns, stream(6))
    drawn = _boundaries_of(shapes.boundaries, set(lsoas["WD25CD"]))
    return Places(lsoas, ages, adults, drawn, pcns, practices, patients, story)


def shared_out(total: int, weights: Any) -> Numbers:
    """Whole numbers in proportion to the weights that add up to the total."""
    upto = np.cumsum(np.asarray(weights, dtype=float))
    counts: Numbers = np.diff(np.round(upto / upto[-1] * total).astype(np.int64), prepend=0)
    return counts


def _boundaries_of(boundaries: bytes, wards: set[str]) -> bytes:
    features = json.loads(boundaries)["features"]
    mine = [feature for feature in features if feature["properties"]["WD25CD"] in wards]
    return json.dumps({"type": "FeatureCollection", "features": mine}).encode()


def _at(frame: pd.DataFrame) -> Floats:
    return frame[["easting", "northing"]].to_numpy(dtype=float)


def _ranks(lsoas: pd.DataFrame, rng: np.random.Generator) -> Numbers:
    """The most deprived LSOA has rank 1; ranks are spread over all of England's, none twice."""
    at = _at(lsoas)
    need = rng.normal(0, 0.4, len(lsoas))
    for town in rng.integers(0, len(lsoas), TOWNS):
        strength, reach = rng.normal(0.4, 0.8), rng.lognormal(8.3, 0.5)
        need += strength * np.exp(-((at - at[town]) ** 2).sum(axis=1) / (2 * reach**2))
    place = np.empty(len(lsoas), dtype=np.int64)
    place[np.argsort(-need, kind="stable")] = np.arange(len(lsoas))
    return np.floor((place + 0.5) / len(lsoas) * RANKED_LSOAS).astype(np.int64) + 1


def _by_age(lsoas: pd.DataFrame, rng: np.random.Generator) -> Numbers:
    """People by single year of age: older where an LSOA is wide, that is rural."""
    shape = np.interp(AGES, [0, 17, 25, 55, 70, 80, 89], [1.1, 1.2, 1.2, 1.4, 1.1, 0.7, 0.25])
    shape[-1] = 0.8
    wide = np.log(lsoas["area_hectares"].to_numpy(dtype=float))
    older = 0.15 * (wide - wide.mean()) / max(wide.std(), 1) + rng.normal(0, 0.12, len(lsoas))
    weights = shape * np.exp(older[:, None] * (AGES - 45) / 45)
    upto = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    totals = np.floor(upto * lsoas["people"].to_numpy()[:, None] + 0.5).astype(np.int64)
    people: Numbers = np.diff(totals, axis=1, prepend=0)
    return people


def _practices(lsoas: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Practices at the middles of LSOAs, joined by neighbourhood into PCNs of one board."""
    boards = lsoas["icb_code"].value_counts().sort_index()
    of_england = len(lsoas) / RANKED_LSOAS
    practices = shared_out(round(PRACTICES * of_england), boards)
    networks = np.maximum(shared_out(round(PCNS * of_england), boards), 1)
    sites: list[pd.DataFrame] = []
    pcns: list[dict[str, str]] = []
    for board, count, parts in zip(boards.index, practices, networks, strict=True):
        mine = lsoas[lsoas["icb_code"] == board]
        # Towns have more practices than their area says: the smaller an LSOA, the likelier.
        likely = 1 / np.sqrt(mine["area_hectares"].to_numpy(dtype=float))
        order = np.argsort(-np.log(rng.random(len(mine))) / likely, kind="stable")
        chosen = mine.iloc[np.sort(order[: max(int(count), int(parts))])]
        groups = _split(_at(chosen), int(parts))
        middles = np.array([_at(chosen)[members].mean(axis=0) for members in groups])
        names = ward_names(middles, str(mine["icb_name"].iloc[0]).split(" with ")[0])
        for name, members in zip(names, groups, strict=True):
            inside = chosen.iloc[members]
            first = inside.iloc[0]
            code = f"U{len(pcns) + 1:05d}"
            told = first[["sub_icb_code", "icb_code", "icb_name"]].to_dict()
            pcns.append({"pcn_code": code, "pcn_name": f"{name} PCN", **told})
            sites.append(inside[["LAD25NM", "easting", "northing"]].assign(pcn=len(pcns) - 1))
    found = pd.concat(sites, ignore_index=True)
    networks_told = pd.DataFrame(pcns)
    number = pd.Series(np.arange(1, len(found) + 1))
    found["practice_code"] = number.map("A{:05d}".format)
    found["practice_name"] = found["LAD25NM"] + " Surgery " + number.map(str)
    told = networks_told.iloc[found["pcn"].to_numpy()].reset_index(drop=True)
    return found.join(told), networks_told


def _split(points: Floats, parts: int) -> list[Numbers]:
    """Rows of the points in compact groups of about equal size: cut across the longer side."""

    def cut(rows: Numbers, parts: int) -> list[Numbers]:
        if parts == 1:
            return [np.sort(rows)]
        inside = points[rows]
        longer = int(np.argmax(np.ptp(inside, axis=0)))
        ordered = rows[np.argsort(inside[:, longer], kind="stable")]
        first = parts // 2
        middle = round(len(rows) * first / parts)
        return cut(ordered[:middle], first) + cut(ordered[middle:], parts - first)

    return cut(np.arange(len(points)), parts)


def _patients(
    lsoas: pd.DataFrame, practices: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Most people register near by, some further off, and borders do not stop them."""
    near = min(NEAR_PRACTICES, len(practices))
    metres, practice = KDTree(_at(practices)).query(_at(lsoas), k=np.arange(1, near + 1))
    sizes = rng.uniform(0.7, 1.6, len(practices))[practice]
    drawn = sizes * np.exp(-(metres - metres[:, :1]) / (350 + 0.25 * metres[:, :1]))
    drawn /= drawn.sum(axis=1, keepdims=True)
    # A PCN is a neighbourhood: who leaves a practice mostly stays with the others of its PCN.
    pcn = practices["pcn"].to_numpy()[practice]
    of_pcn = np.zeros_like(drawn)
    for other in range(near):
        of_pcn += (pcn == pcn[:, other : other + 1]) * drawn[:, other : other + 1]
    drawn *= of_pcn
    drawn /= drawn.sum(axis=1, keepdims=True)
    # One or two on the list of almost every practice within some distance: who moved, and stayed.
    few = rng.integers(0, 3, drawn.shape)
    listed = np.round(drawn * lsoas["people"].to_numpy()[:, None]).astype(np.int64) + few
    lsoa, place = np.nonzero(listed)
    frame = pd.DataFrame(
        {"lsoa": lsoa, "practice": practice[lsoa, place], "patients": listed[lsoa, place]}
    )
    return frame.sort_values(["practice", "lsoa"], ignore_index=True)


def _story(lsoas: pd.DataFrame, pcns: pd.DataFrame, rng: np.random.Generator) -> Story:
    count = len(pcns)

    def some(share: float, in_a_row: int = 1) -> npt.NDArray[np.bool_]:
        # Neighbours come one after the other, and together they are all that serves a ward.
        begun = rng.random(count) < share / in_a_row
        begun[int(rng.integers(count))] = True
        rows = np.flatnonzero(begun)[:, None] + np.arange(in_a_row)
        found = np.zeros(count, dtype=bool)
        found[rows[rows < count]] = True
        return found

    silent, without = some(0.03, 3), some(0.05, 3)
    wards = np.unique(lsoas["WD25CD"].to_numpy(dtype=object))
    lot = rng.random(len(wards))
    rate = rng.lognormal(0, 0.05, len(wards))
    # So few that their number is hidden; low; high; and the others as one would expect.
    for upto, times in ((0.03, 0.05), (0.10, 0.5), (0.95, None), (1.0, 1.6)):
        chosen = lot < upto
        rate[chosen] *= times or 1.0
        lot[chosen] = 2
    quiet = np.zeros(len(wards), dtype=bool)
    quiet[rng.choice(len(wards), max(1, len(wards) // 150), replace=False)] = True
    row = pd.Index(wards).get_indexer(lsoas["WD25CD"])
    return Story(silent, without & ~silent, some(0.03), some(0.02), rate[row], quiet[row])
