"""Reach: the ward of a place, straight lines between places, and supply per person within reach."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geodata.shapes import centroids_metres

Weight = Callable[[np.ndarray], np.ndarray]

# What a place weighs in each third of the reach (Luo and Qi 2009: up to 10, 20 and 30 minutes).
STEPS = (1.0, 0.68, 0.22)
ROUNDING = 1e-9  # relative: far more than a distance is off by, far less than matters


def wards_of_points(
    ward_codes: Sequence[str],
    geometries: Sequence[BaseGeometry],
    longitudes: Sequence[float],
    latitudes: Sequence[float],
) -> list[str | None]:
    """The code of the ward each point lies in, in the order of the points; all in EPSG:4326.

    `None` for a point outside every ward, or without coordinates. A point on a common edge is in
    the ward whose code comes first.
    """
    points = shapely.points(longitudes, latitudes)
    # Shapes that are asked with are prepared: those with many vertices have to be the wards.
    shapes = np.array(geometries, dtype=object)
    ward, point = shapely.STRtree(points).query(shapes, predicate="intersects")
    codes, rank = np.unique(np.array(ward_codes, dtype=str), return_inverse=True)
    first = np.full(len(points), len(codes))
    np.minimum.at(first, point, rank[ward])
    named = [*codes.tolist(), None]
    return [named[place] for place in first]


def to_metres(longitudes: Sequence[float], latitudes: Sequence[float]) -> pd.DataFrame:
    """One row per point (EPSG:4326), in their order: easting and northing (EPSG:27700).

    Good to 5 m, as `read_features` is; missing where a coordinate is missing or is no place.
    """
    points = shapely.points(longitudes, latitudes)  # each is its own centroid
    metres = centroids_metres([""] * len(points), points)[["easting", "northing"]]
    return metres.replace(np.inf, np.nan)


def straight_lines(
    origins: pd.DataFrame, destinations: pd.DataFrame, most_metres: float
) -> pd.DataFrame:
    """One row per origin and destination at most so far apart: from_code, to_code, cost.

    Both frames have code, easting and northing (EPSG:27700); the cost is the length of the
    straight line in metres. Rows are in the order of the two frames. Raises ValueError for
    missing coordinates.
    """
    here, there = (
        cKDTree(places[["easting", "northing"]].to_numpy(float, na_value=np.nan))
        for places in (origins, destinations)
    )
    # The tree compares squares, whose rounding could lose a pair exactly at the limit.
    furthest = most_metres * (1 + ROUNDING)
    pairs = here.sparse_distance_matrix(there, furthest, output_type="ndarray")
    pairs = pairs[pairs["v"] <= most_metres]
    pairs = pairs[np.lexsort((pairs["j"], pairs["i"]))]
    return pd.DataFrame(
        {
            "from_code": pd.Series(origins["code"].to_numpy()[pairs["i"]], dtype="str"),
            "to_code": pd.Series(destinations["code"].to_numpy()[pairs["j"]], dtype="str"),
            "cost": pairs["v"],
        }
    )


def even(costs: np.ndarray) -> np.ndarray:
    """1 for every cost: 2SFCA, within reach or not (Luo and Wang 2003)."""
    return np.ones_like(costs)


def stepped(most_cost: float) -> Weight:
    """1, 0.68 and 0.22 in the thirds of `most_cost`, edges to the nearer (Luo and Qi 2009)."""

    def weight(costs: np.ndarray) -> np.ndarray:
        return np.select([costs <= most_cost * third / 3 for third in (1, 2, 3)], STEPS, 0.0)

    return weight


def gaussian(sigma: float) -> Weight:
    """exp(-cost² / 2 sigma²), sigma in the unit of the costs."""
    return lambda costs: np.exp(-((costs / sigma) ** 2) / 2)


def gravity(scale: float, alpha: float) -> Weight:
    """(cost / scale) to the power of alpha, which is below 0; 1 up to the scale, or it would have
    no bound near cost 0."""
    return lambda costs: (np.maximum(costs, scale) / scale) ** alpha


def floating_catchment(
    people: pd.Series,
    supply: pd.Series,
    costs: pd.DataFrame,
    most_cost: float,
    weight: Weight = even,
) -> pd.Series:
    """Supply per person within reach of each origin: Float64 by code, in the order of `people`.

    The two-step floating catchment area (2SFCA, Luo and Wang 2003; with weights that fall with
    cost E2SFCA, Luo and Qi 2009). Each site shares its supply among the people within `most_cost`
    of it, and an origin has its part of every site within `most_cost`:
    A_i = sum_j S_j f(c_ij) / sum_k P_k f(c_kj). So sum_i P_i A_i is the supply of all the sites
    with somebody within reach.

    `people` and `supply` are by code; `costs` has from_code, to_code and cost, one row per pair,
    in the unit of `most_cost` and of the weight. Codes not in `people` or `supply` are passed over.

    Missing means that no site of known supply is within reach; 0, that those within reach supply 0.
    An origin without people, or whose people are not known, leaves the supply to others and has
    access all the same; but where it alone reaches a site, supply per person is not defined, and
    missing. Raises ValueError when a pair stands twice.
    """
    supply = supply.dropna()
    within = costs[costs["cost"] <= most_cost]
    origin = people.index.get_indexer(pd.Index(within["from_code"]))
    site = supply.index.get_indexer(pd.Index(within["to_code"]))
    weights = weight(within["cost"].to_numpy(float))
    reached = (origin >= 0) & (site >= 0) & (weights > 0)
    origin, site, weights = origin[reached], site[reached], weights[reached]
    if len(np.unique(origin * len(supply) + site)) < len(origin):
        raise ValueError("Expected one cost per origin and site; found a pair more than once.")

    counted = np.nan_to_num(people.to_numpy(float, na_value=np.nan))
    demand = np.bincount(site, counted[origin] * weights, len(supply))
    parts = supply.to_numpy(float)[site] * (weights / np.where(demand > 0, demand, np.nan)[site])
    access = np.bincount(origin, parts, len(people))
    some = np.bincount(origin, minlength=len(people)) > 0
    access = np.where(some, access, np.nan)
    return pd.Series(access, people.index, dtype="Float64", name="supply_per_person")
