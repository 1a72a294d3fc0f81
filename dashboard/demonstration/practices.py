"""Simulated practices, the PCNs they form, and where their patients live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.demonstration.places import BOARDS, Board, Places

PCNS = {
    "Ashford": 3,
    "Canterbury": 4,
    "Dartford": 2,
    "Dover": 3,
    "Folkestone and Hythe": 3,
    "Gravesham": 3,
    "Maidstone": 4,
    "Sevenoaks": 3,
    "Swale": 4,
    "Thanet": 3,
    "Tonbridge and Malling": 3,
    "Tunbridge Wells": 3,
    "Medway": 6,
}
COMPASS = ("East", "North East", "North", "North West", "West", "South West", "South", "South East")
# A practice that draws less than this share of an LSOA's people has none of them.
LEAST_SHARE = 0.02


@dataclass(frozen=True)
class Pcn:
    """A primary care network of the demonstration."""

    code: str
    name: str
    district: str
    board: Board


@dataclass(frozen=True)
class Practices:
    """`practices`: one row a practice; `patients`: one row a practice and LSOA (`lsoa` and
    `practice` count rows of the frames), sorted by LSOA."""

    practices: pd.DataFrame
    pcns: list[Pcn]
    patients: pd.DataFrame


def make_practices(places: Places, rng: np.random.Generator) -> Practices:
    """Practices at the centres of LSOAs, joined by neighbourhood into PCNs."""
    lsoas = places.lsoas
    practices: list[pd.DataFrame] = []
    pcns: list[Pcn] = []
    for board in BOARDS:
        mine = lsoas[lsoas["board"] == board.icb_code]
        start = len(pcns)
        for district in sorted(mine["LAD25NM"].unique()):
            group = mine[mine["LAD25NM"] == district]
            count = round(board.practices * len(group) / len(mine))
            # Towns have more practices than their area says: the smaller an LSOA, the likelier.
            likely = 1 / np.sqrt(group["area_hectares"].to_numpy(dtype=float))
            order = np.argsort(-np.log(rng.random(len(group))) / likely, kind="stable")
            sites = group.iloc[np.sort(order[:count])]
            groups = _split(sites[["easting", "northing"]].to_numpy(dtype=float), PCNS[district])
            for name, members in zip(_names(district, sites, groups), groups, strict=True):
                code = f"U{board.letters}{len(pcns) - start + 1:03d}"
                pcns.append(Pcn(code, name, district, board))
                practices.append(sites.iloc[members].assign(pcn_code=code, letters=board.letters))
    found = pd.concat(practices).reset_index(drop=True)
    number = found.groupby("board").cumcount() + 1
    found["practice_code"] = found["letters"] + number.map("{:04d}".format)
    found["practice_name"] = found["LAD25NM"] + " Surgery " + number.map(str)
    sizes = rng.uniform(0.7, 1.6, len(found))
    return Practices(found, pcns, _patients(places, found, sizes))


def _split(points: np.ndarray, parts: int) -> list[np.ndarray]:
    """Rows of the points in compact groups of about equal size: cut across the longer side."""

    def cut(rows: np.ndarray, parts: int) -> list[np.ndarray]:
        if parts == 1:
            return [np.sort(rows)]
        inside = points[rows]
        longer = int(np.argmax(np.ptp(inside, axis=0)))
        ordered = rows[np.argsort(inside[:, longer], kind="stable")]
        first = parts // 2
        middle = round(len(rows) * first / parts)
        return cut(ordered[:middle], first) + cut(ordered[middle:], parts - first)

    return cut(np.arange(len(points)), parts)


def _names(district: str, sites: pd.DataFrame, groups: list[np.ndarray]) -> list[str]:
    """'Thanet North PCN': by where in the district it lies; a second one gets a number."""
    points = sites[["easting", "northing"]].to_numpy(dtype=float)
    named: list[str] = []
    names: list[str] = []
    for members in groups:
        east, north = points[members].mean(axis=0) - points.mean(axis=0)
        sector = COMPASS[round(np.arctan2(north, east) / (np.pi / 4)) % 8]
        name = f"{district} {sector}"
        named.append(name)
        names.append(f"{name} {named.count(name)} PCN" if named.count(name) > 1 else f"{name} PCN")
    return names


def _patients(places: Places, practices: pd.DataFrame, sizes: np.ndarray) -> pd.DataFrame:
    """Most people register near by, some further off, and borders do not stop them."""
    at = ["easting", "northing"]
    apart = places.lsoas[at].to_numpy(dtype=float)[:, None] - practices[at].to_numpy(dtype=float)
    metres = np.sqrt((apart**2).sum(axis=2))
    nearest = metres.min(axis=1, keepdims=True)
    drawn = sizes * np.exp(-(metres - nearest) / (350 + 0.25 * nearest))
    drawn /= drawn.sum(axis=1, keepdims=True)
    # A PCN is a neighbourhood: who leaves a practice mostly stays with the others of its PCN.
    pcns = practices["pcn_code"].to_numpy(dtype=object)
    drawn *= drawn @ (pcns[:, None] == pcns)
    drawn /= drawn.sum(axis=1, keepdims=True)
    drawn[drawn < LEAST_SHARE] = 0
    drawn /= drawn.sum(axis=1, keepdims=True)
    # Lists hold a few more people than live there: some have moved away and not said so.
    listed = np.round(drawn * places.lsoas["people"].to_numpy()[:, None] * 1.03).astype(int)
    lsoa, practice = np.nonzero(listed)
    return pd.DataFrame(
        {
            "lsoa": lsoa,
            "practice": practice,
            "lsoa_code": places.lsoas["LSOA11CD"].to_numpy()[lsoa],
            "practice_code": practices["practice_code"].to_numpy()[practice],
            "patients": listed[lsoa, practice],
        }
    )
