"""Places within reach of each ward, shared with everybody who can reach them too."""

from __future__ import annotations

import pandas as pd
import shapely
from sqlalchemy import Engine

from dashboard.services import Services, counted_keys
from dashboard.settings import STRAIGHT_LINE, settings
from geodata.reach import floating_catchment, stepped, straight_lines, to_metres
from geodata.shapes import centroids_metres
from queries import places, services
from queries.scope import Scope

PER_PEOPLE = 1_000
NONE_NEAR = "no service that says how many places it has, and where, is within reach"


def ward_reach(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    found: Services,
    people: pd.Series[int],
    *,
    with_stale: bool,
) -> tuple[pd.Series[float], str]:
    """Places offered within reach for every 1,000 people, by ward code, and how reach is measured.

    `people` by ward code. Missing where none is within reach. A service's places are shared out
    over its sites alike; those that do not say how many they offer are not in it, and nothing
    beyond the board's border is.
    """
    sites = _supply(found, with_stale=with_stale)
    modes = services.travel_modes(engine, scope, icb_code)
    wanted = settings().travel_mode
    mode = wanted if wanted in modes else next(iter(modes), "") if not wanted else ""
    if mode:
        most: float = settings().reach_minutes
        costs = services.travel_times(engine, scope, icb_code, mode, most)
        supply = sites.groupby("ward_code")["supply"].sum(min_count=1)
        words = f"{most:g} minutes by {mode}, between wards"
    else:
        most = settings().reach_metres
        shapes = places.shapes(engine, scope, icb_code)
        geometries = list(shapely.from_wkb(shapes["geometry"].to_numpy(dtype=object)))
        middles = centroids_metres(shapes["ward_code"].tolist(), geometries)
        middles = middles.rename(columns={"ward_code": "code"})
        there = to_metres(sites["longitude"].tolist(), sites["latitude"].tolist())
        costs = straight_lines(middles, there.assign(code=sites["code"].tolist()), most)
        supply = sites.set_index("code")["supply"]
        words = f"{most / 1000:g} km in a {STRAIGHT_LINE} from the middle of the ward"
    access = floating_catchment(people, supply.astype("Float64"), costs, most, stepped(most))
    return access * PER_PEOPLE, words


def _supply(found: Services, *, with_stale: bool) -> pd.DataFrame:
    """One row per place of a service that counts: code, where it is, and its share of places."""
    counted = counted_keys(found, with_stale=with_stale)
    sites = found.sites.drop_duplicates(["service_key", "latitude", "longitude"])
    sites = sites[sites["service_key"].isin(counted)].reset_index(drop=True)
    offered = found.listed.set_index("service_key")["places_offered"]
    alike = sites.groupby("service_key")["service_key"].transform("size")
    return pd.DataFrame(
        {
            "code": [str(place) for place in sites.index],
            "ward_code": sites["ward_code"],
            "longitude": sites["longitude"],
            "latitude": sites["latitude"],
            "supply": sites["service_key"].map(offered).astype("Float64") / alike,
        }
    )
