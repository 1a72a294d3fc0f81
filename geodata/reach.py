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
# People stop moving when the mean of what they could still save is below this share of average
# crowding: for 279 wards and 300 sites that is within 0.1% of where they would end.
LEAST_SAVING = 1e-5
MOST_ROUNDS = 10_000  # ten times as many as those needed
TWICE = "Expected one cost per origin and site; found a pair more than once."


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
    within = costs[costs["cost"] <= most_cost]
    return _shared_out(people, supply, within, weight(within["cost"].to_numpy(float)))


def three_step_catchment(
    people: pd.Series,
    supply: pd.Series,
    costs: pd.DataFrame,
    most_cost: float,
    weight: Weight = even,
) -> pd.Series:
    """Supply per person within reach, where people divide themselves among the sites near them.

    The three-step floating catchment area (3SFCA; Wan, Zou and Sternberg 2012), for how the answer
    changes under another measure of reach: who has many sites near makes less use of each. A pair
    weighs f(c_ij) G_ij in both steps of `floating_catchment`, where
    G_ij = f(c_ij) / sum_k f(c_ik) is over every site in `costs`, also beyond `most_cost` or of
    unknown supply: some go there all the same.

    Else as `floating_catchment`. Raises ValueError when a pair stands twice, at any cost.
    """
    costs = costs[costs["cost"].notna()]
    if costs.duplicated(["from_code", "to_code"]).any():
        raise ValueError(TWICE)
    weights = weight(costs["cost"].to_numpy(float))
    origin, origins = pd.factorize(costs["from_code"])
    total = np.bincount(origin, weights, len(origins))[origin]
    weights = weights * np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    within = (costs["cost"] <= most_cost).to_numpy()
    return _shared_out(people, supply, costs[within], weights[within])


def rational_agent_access(
    people: pd.Series, supply: pd.Series, costs: pd.DataFrame, tau: float
) -> pd.Series:
    """What crowding and travel cost a person of each origin: Float64 by code, in the order of
    `people`; less is better, and 1 is average crowding next door.

    The rational agent access model (RAAM; Saxon and Snow 2020), for how the answer changes under
    another measure of reach: people pass over a near site for one that is less crowded. A site
    costs them demand_j / (rho supply_j) + c_ij / tau, where rho is all people over all supply, and
    `tau` the travel that weighs as much as average crowding. At equilibrium, which is what is
    given, nobody has a cheaper site. `people`, `supply` and `costs` are as for
    `floating_catchment`.

    Missing where no site of known supply above 0 stands in `costs`, and everywhere where nobody
    lives anywhere. An origin without people, or whose people are not known, crowds nobody and has
    access all the same. Raises ValueError when a pair stands twice, or there is no equilibrium
    within `MOST_ROUNDS`.
    """
    supply = supply[supply.fillna(0) > 0]
    counted = np.nan_to_num(people.to_numpy(float, na_value=np.nan))
    nowhere = pd.Series(np.nan, people.index, dtype="Float64", name="access_cost")
    if supply.empty or not counted.any():
        return nowhere
    room = supply.to_numpy(float) * (counted.sum() / supply.sum())
    costs = costs[costs["cost"].notna()]
    origin, site, known = _pairs(people, supply, costs)
    travel = np.full((len(people), len(supply)), np.inf)
    travel[origin, site] = costs["cost"].to_numpy(float)[known] / tau
    reached = np.isfinite(travel).any(axis=1)

    going = np.zeros_like(travel)
    for _ in range(MOST_ROUNDS):
        demand = going.sum(axis=0)
        # Each origin in turn divides its people as is cheapest for them while the others stay.
        for i in np.flatnonzero(reached & (counted > 0)):
            others = demand - going[i]
            going[i] = _divided(counted[i], others / room + travel[i], room)
            demand = others + going[i]
        paid = demand / room + travel
        cheapest = paid.min(axis=1)
        origin, site = np.nonzero(going)
        saving = going[origin, site] @ (paid[origin, site] - cheapest[origin])
        if saving <= LEAST_SAVING * going.sum():
            return nowhere.where(~reached, cheapest)
    raise ValueError(f"Expected an equilibrium within {MOST_ROUNDS} rounds; found none.")


def _divided(number: float, costs: np.ndarray, room: np.ndarray) -> np.ndarray:
    """How many go to each site, where each who goes adds 1 / room to its cost: the sites that are
    used end with one cost, like vessels that are filled with water to one level."""
    dearer = costs - costs.min()
    order = np.argsort(dearer)[: np.isfinite(dearer).sum()]
    levels = (number + np.cumsum(room[order] * dearer[order])) / np.cumsum(room[order])
    level = levels[levels > dearer[order]][-1]
    going: np.ndarray = np.maximum(level - dearer, 0) * room
    return going


def _shared_out(
    people: pd.Series, supply: pd.Series, costs: pd.DataFrame, weights: np.ndarray
) -> pd.Series:
    """A_i = sum_j S_j w_ij / sum_k P_k w_kj, with one weight per row of `costs`."""
    supply = supply.dropna()
    costs, weights = costs[weights > 0], weights[weights > 0]
    origin, site, known = _pairs(people, supply, costs)
    weights = weights[known]

    counted = np.nan_to_num(people.to_numpy(float, na_value=np.nan))
    demand = np.bincount(site, counted[origin] * weights, len(supply))
    parts = supply.to_numpy(float)[site] * (weights / np.where(demand > 0, demand, np.nan)[site])
    access = np.bincount(origin, parts, len(people))
    some = np.bincount(origin, minlength=len(people)) > 0
    access = np.where(some, access, np.nan)
    return pd.Series(access, people.index, dtype="Float64", name="supply_per_person")


def _pairs(
    people: pd.Series, supply: pd.Series, costs: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The places of origin and site in `people` and `supply` for each row of `costs` that has
    both, and which rows these are. Raises ValueError when a pair stands twice."""
    origin = people.index.get_indexer(pd.Index(costs["from_code"]))
    site = supply.index.get_indexer(pd.Index(costs["to_code"]))
    known = (origin >= 0) & (site >= 0)
    origin, site = origin[known], site[known]
    if len(np.unique(origin * len(supply) + site)) < len(origin):
        raise ValueError(TWICE)
    return origin, site, known
