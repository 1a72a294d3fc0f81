"""Providers and their services: listed, counted by what one asks for, week by week, and in money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.rules.disclosure import (
    PROFILES,
    Released,
    added_up,
    added_up_by,
    hidden_flag,
    release,
)
from dashboard.rules.funding import PER_PEOPLE, shared_out, worth
from dashboard.rules.services import free_places
from dashboard.services import ONLINE, Services, board_box
from dashboard.settings import settings
from queries import services
from queries.scope import Scope

WAITING = "people_waiting"
VCSE = "VCSE"
# What a week's trend can be of: its column, its name, and which way is better.
WEEKLY = {
    "free": ("free_places", "Free places", "neither"),
    "filled": ("places_filled", "Places filled", "neither"),
    "waiting": (WAITING, "People waiting", "low"),
}


@dataclass(frozen=True)
class Providers:
    """The services of a board, released: one row per service as `board_services` lists it, with
    `wards` and `districts` it serves, `reach` (how it serves), `postcodes` of its places."""

    listed: Released
    found: Services


def described(found: Services, wards: pd.DataFrame) -> Providers:
    """Every open service of one board, released. `wards`: ward_code and lad_name of each."""
    served = found.serving.merge(wards[["ward_code", "lad_name"]], on="ward_code")
    by_key = served.sort_values(["service_key", "lad_name"]).groupby("service_key")
    districts = by_key["lad_name"].agg(_once)
    first_way = pd.concat([found.serving, found.everywhere]).groupby("service_key")["way"].first()
    postcodes = found.sites.dropna(subset="postcode").groupby("service_key")["postcode"].agg(_once)
    keys = found.listed["service_key"]
    listed = found.listed.assign(
        wards=by_key["ward_code"].nunique().reindex(keys, fill_value=0).to_numpy(),
        districts=keys.map(districts).astype("str"),
        reach=keys.map(first_way.to_dict()).astype("object").fillna("not placed").astype("str"),
        postcodes=keys.map(postcodes).astype("str"),
    )
    profile = PROFILES[settings().disclosure_profile]
    return Providers(release(listed, profile, people=[WAITING]), found)


def _once(names: pd.Series[str]) -> str:
    return ", ".join(dict.fromkeys(names.dropna()))


def serving_area(found: Services, ward_codes: Iterable[str] | None) -> pd.Series[bool]:
    """Which of the listed services serve one of the wards; all of them for `None`."""
    keys = found.listed["service_key"]
    if ward_codes is None:
        return pd.Series(True, keys.index)
    mine = found.serving[found.serving["ward_code"].isin(list(ward_codes))]["service_key"]
    return keys.isin(mine) | keys.isin(found.everywhere["service_key"])


def groups_of(providers: Providers, by: str, wards: pd.DataFrame) -> pd.DataFrame:
    """One row per service and group: `group`, by "provider", "theme", "locality" or "ward", these
    two by their codes, since names repeat.

    A service that answers two needs, or serves two wards, stands in both: groups do not add up.
    `wards`: ward_code and lad_code.
    """
    found, listed = providers.found, providers.listed.frame
    match by:
        case "theme":
            return found.themes.rename(columns={"theme": "group"})
        case "locality" | "ward":
            code = "lad_code" if by == "locality" else "ward_code"
            rows = found.serving.merge(wards[["ward_code", "lad_code"]], on="ward_code")
            rows = rows.dropna(subset=code)[["service_key", code]]
            return rows.rename(columns={code: "group"}).drop_duplicates()
    return listed[["service_key", "provider"]].rename(columns={"provider": "group"})


def capacity_by(listed: Released, groups: pd.DataFrame) -> Released:
    """One row per group, most places first: services, how many `told` of their places, places
    offered, filled and free, `utilisation` (share filled), how many have room and how many are
    full, of these `full_with_list`, and the people waiting, added up from shown numbers."""
    frame = listed.frame.merge(groups, on="service_key")
    told = frame["places_offered"].notna() & frame["places_filled"].notna()
    # Who said neither a state nor places may be full, or not.
    is_known = frame["state"].notna() | frame["free_places"].notna()
    has_list = frame["is_full"] & (frame["state"] == "full with waiting list")
    figures = pd.DataFrame(
        {
            "group": frame["group"],
            "services": 1,
            "told": told.astype(int),
            **{
                name: frame[name].where(told)
                for name in ("places_offered", "places_filled", "free_places")
            },
            "has_room": (~frame["is_full"]).astype("Int64").where(is_known),
            "full": frame["is_full"].astype("Int64").where(is_known),
            "full_with_list": has_list.astype("Int64").where(is_known),
            "waiting_told": (frame[WAITING].notna() | frame[hidden_flag(WAITING)]).astype(int),
        }
    )
    by_group = figures.groupby("group", sort=False)
    totals = by_group.sum(min_count=1)
    offered = totals["places_offered"].astype("Float64")
    totals["utilisation"] = totals["places_filled"] / offered.mask(offered == 0)
    totals[WAITING], totals[hidden_flag(WAITING)] = added_up_by(
        Released(frame, listed.people, listed.profile), WAITING, frame["group"]
    )
    waits = frame["wait_days"].astype("Float64").groupby(frame["group"])
    totals["median_wait_days"] = waits.median()
    totals = totals.reset_index()[["group", *TOTALS]].astype({"group": "str", **TOTALS})
    order = totals.sort_values(
        ["places_offered", "services", "group"], ascending=[False, False, True], ignore_index=True
    )
    return Released(order, (WAITING,), listed.profile)


TOTALS = {
    "services": "int64",
    "told": "int64",
    "places_offered": "Int64",
    "places_filled": "Int64",
    "free_places": "Int64",
    "utilisation": "Float64",
    "has_room": "Int64",
    "full": "Int64",
    "full_with_list": "Int64",
    "waiting_told": "int64",
    WAITING: "Int64",
    hidden_flag(WAITING): "bool",
    "median_wait_days": "Float64",
}


def capacity_total(listed: Released) -> dict[str, Any]:
    """The same figures of all the listed services together; no service is 0 services."""
    everything = pd.DataFrame({"service_key": listed.frame["service_key"], "group": ""})
    found = capacity_by(listed, everything).frame
    if found.empty:
        nothing = dict.fromkeys(TOTALS, pd.NA)
        return {**nothing, "services": 0, "told": 0, "waiting_told": 0, hidden_flag(WAITING): False}
    return {name: found[name].iloc[0] for name in TOTALS}


@dataclass(frozen=True)
class WeeklyTrend:
    """One row per week, oldest first: `value` of the services that told it in each of the weeks.

    `judged` of `told` services did; the others told some weeks only.
    """

    weeks: Released
    judged: int
    told: int


def capacity_trend(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    measure: str,
    listed: pd.DataFrame,
    weeks: int,
) -> WeeklyTrend:
    """Weekly figures of the listed services, like for like: a late return is no change."""
    column = WEEKLY[measure][0]
    box = board_box(engine, scope, icb_code)
    first = as_at - timedelta(weeks=weeks)
    told = services.capacity_by_week(engine, scope, icb_code, box, first, as_at)
    own = listed[["provider", "service_id", "service_key"]]
    told = told.merge(own, on=["provider", "service_id"])
    told["free_places"] = free_places(told)
    told = told.dropna(subset=column)
    every = told["week"].nunique()
    alike = told.groupby("service_key")["week"].transform("nunique") == every
    profile = PROFILES[settings().disclosure_profile]
    released = release(
        told[alike].rename(columns={column: "value"}),
        profile,
        people=["value"] if column == WAITING else [],
    )
    rows: list[tuple[Any, Any, bool]] = []
    for week, mine in released.frame.groupby("week"):
        if column == WAITING:
            value, is_hidden = added_up(Released(mine, ("value",), profile), "value")
        else:
            value, is_hidden = int(mine["value"].sum()), False
        rows.append((week, value, is_hidden))
    frame = pd.DataFrame(rows, columns=["week", "value", hidden_flag("value")])
    frame = frame.astype({"week": "object", "value": "Int64", hidden_flag("value"): "bool"})
    return WeeklyTrend(
        Released(frame, ("value",), profile),
        told.loc[alike, "service_key"].nunique(),
        told["service_key"].nunique(),
    )


def money_by_district(providers: Providers, wards: pd.DataFrame) -> pd.DataFrame:
    """One row per district: pounds that the places of the next 4 weeks are worth (`pounds`), those
    of the voluntary sector (`vcse_pounds`), people, and the latter for every 1,000 of them."""
    found = providers.found
    listed = providers.listed.frame.assign(worth=worth(providers.listed.frame))
    pounds = shared_out(listed, found.serving, found.everywhere, wards)
    voluntary = listed[listed["sector"] == VCSE]
    vcse = shared_out(voluntary, found.serving, found.everywhere, wards)
    named = wards.dropna(subset="lad_code").groupby(["lad_code", "lad_name"], as_index=False)
    frame = named.agg(population=("population", lambda people: people.sum(min_count=1)))
    frame["pounds"] = frame["lad_code"].map(pounds)
    frame["vcse_pounds"] = frame["lad_code"].map(vcse)
    people = frame["population"].astype("Float64").mask(frame["population"] == 0)
    frame["vcse_per_1000"] = frame["vcse_pounds"] / people * PER_PEOPLE
    return frame.sort_values(["vcse_per_1000", "lad_name"], ignore_index=True)


def online_or_wide(found: Services) -> set[str]:
    """The services that serve nobody by being near: online, or for the whole board."""
    near = set(found.serving.loc[found.serving["way"] != ONLINE, "service_key"])
    return (set(found.serving["service_key"]) | set(found.everywhere["service_key"])) - near
