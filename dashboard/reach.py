"""Places within reach of each ward, shared with everybody who can reach them too."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Engine

from dashboard.services import Services, counted_keys
from dashboard.settings import STRAIGHT_LINE, settings
from geodata.reach import floating_catchment, stepped, straight_lines, to_metres
from geodata.shapes import centroids_metres, geometries_of
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
    mode = travel_mode(services.travel_modes(engine, scope, icb_code))
    if mode:
        most: float = settings().reach_minutes
        costs = services.travel_times(engine, scope, icb_code, mode, most)
        supply = sites.groupby("ward_code")["supply"].sum(min_count=1)
        words = by_minutes(most, mode)
    else:
        most = settings().reach_metres
        costs = lines_from_wards(engine, scope, icb_code, sites, most)
        supply = sites.set_index("code")["supply"]
        words = by_metres(most)
    access = floating_catchment(people, supply.astype("Float64"), costs, most, stepped(most))
    return access * PER_PEOPLE, words


def travel_mode(modes: Sequence[str]) -> str:
    """The way of travelling that counts, of those that are loaded; "" where straight lines do."""
    wanted = settings().travel_mode
    if wanted:
        return wanted if wanted in modes else ""
    return next(iter(modes), "")


def by_minutes(minutes: float, mode: str) -> str:
    """How reach is measured, in words."""
    return f"{minutes:g} minutes by {mode}, between wards"


def by_metres(metres: float) -> str:
    """The same in straight lines."""
    return f"{metres / 1_000:g} km in a {STRAIGHT_LINE} from the middle of the ward"


def lines_from_wards(
    engine: Engine, scope: Scope, icb_code: str, sites: pd.DataFrame, most_metres: float
) -> pd.DataFrame:
    """From the middle of every ward of the board to each place at most so far away: from_code,
    to_code, cost (metres). `sites`: code, longitude, latitude."""
    shapes = places.shapes(engine, scope, icb_code)
    middles = centroids_metres(shapes["ward_code"].tolist(), geometries_of(shapes))
    there = to_metres(sites["longitude"].tolist(), sites["latitude"].tolist())
    return straight_lines(
        middles.rename(columns={"ward_code": "code"}),
        there.assign(code=sites["code"].tolist()),
        most_metres,
    )


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
