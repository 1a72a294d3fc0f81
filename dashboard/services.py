"""The services of a board at a date: entries joined, placed, and told whom they serve."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Engine

from dashboard.rules.freshness import COUNTING, freshness
from dashboard.rules.services import (
    RETURN,
    free_places,
    is_full,
    is_open,
    joined,
    service_keys,
)
from dashboard.settings import settings
from geodata.reach import wards_of_points
from geodata.shapes import geometries_of
from queries import places, services
from queries.scope import Scope
from queries.services import Box

# How an area comes to be served, the nearest first.
WARD, PLACE, DISTRICT, ONLINE, BOARD = WAYS = (
    "names the ward", "lies in the ward", "names the district", "online", "names the board",
)  # fmt: skip
# A week longer ago than this says nothing of the room there is now.
CAPACITY_WEEKS = 8
# A box in which nothing of Great Britain lies.
NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Services:
    """The services of a board. Nobody changes the frames: every session shares them.

    `listed`: one row per open service (`service_key`) that serves the board or is placed nowhere,
    with `freshness`, `is_full`, `free_places`, `themes` (joined by "; "), `is_placed`.
    `themes`: one row per service and need. `serving`: one row per service and ward that it serves
    by itself, with the nearest `way`. `everywhere`: services for the whole board, with `way`.
    `sites`: one row per service and place, with the ward it lies in. `closed`: those that closed
    or that their directory lists no more. `is_returned`: whether anybody ever returned one;
    `names_needs`: and said of one which need it answers.
    """

    listed: pd.DataFrame
    themes: pd.DataFrame
    serving: pd.DataFrame
    everywhere: pd.DataFrame
    sites: pd.DataFrame
    closed: pd.DataFrame
    is_returned: bool
    names_needs: bool

    def without(self, keys: Collection[str]) -> Services:
        """The same, supposing that these services close."""
        parts = ("listed", "themes", "serving", "everywhere", "sites")
        left = {
            name: rows[~rows["service_key"].isin(keys)].reset_index(drop=True)
            for name, rows in ((name, getattr(self, name)) for name in parts)
        }
        return replace(self, **left) if keys else self


def board_services(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Services:
    """What there is to refer to in a board at a date. A query by its signature."""
    box = board_box(engine, scope, icb_code)
    entries = services.service_entries(engine, scope, icb_code, as_at, box)
    entries["service_key"] = service_keys(
        entries, services.service_matches(engine, scope, icb_code, box)
    )
    open_now = is_open(entries, as_at)
    keys = entries.loc[open_now, ["part_id", "service_id", "service_key"]]
    all_areas = services.service_areas(engine, scope, icb_code)
    all_sites = _sites(engine, scope, icb_code, box)
    # Also by what has closed since, or has not opened yet.
    is_mine = all_sites["ward_code"].notna() & ~all_sites["has_areas"]
    is_returned = bool(len(all_areas)) or bool(is_mine.any())
    # What its directory lists no more has moved nowhere while its provider returns it.
    open_keys = set(entries.loc[open_now, "service_key"])
    known = entries.loc[entries["service_key"].isin(open_keys), keys.columns]
    areas, sites = all_areas.merge(keys), all_sites.merge(known)
    all_themes = services.service_themes(engine, scope, icb_code, box)
    themes = all_themes.merge(keys)
    themes = themes[["service_key", "theme"]].drop_duplicates(ignore_index=True)

    wards = places.wards(engine, scope, icb_code)
    serving = _serving(areas, sites, wards)
    found = joined(entries[open_now])
    found = _with_capacity(engine, scope, icb_code, as_at, box, found, entries)
    online = set(found.loc[found["is_online"], "service_key"])
    is_remote = serving["service_key"].isin(online) & (serving["way"] != PLACE)
    serving["way"] = serving["way"].mask(is_remote, ONLINE)
    # One without an area counts for every board that returned any.
    without_area = online - set(areas["service_key"]) - set(sites["service_key"])
    without_area &= set(entries.loc[entries["dataset"] == RETURN, "service_key"])
    board_wide = set(areas.loc[areas["area_code"] == icb_code, "service_key"])
    everywhere = pd.DataFrame(
        [(key, BOARD) for key in sorted(board_wide)]
        + [(key, ONLINE) for key in sorted(without_area - board_wide) if is_returned],
        columns=["service_key", "way"],
        dtype="str",
    )
    placed = set(serving["service_key"]) | set(everywhere["service_key"])
    # What lies in the box around the board, but neither in it nor for it, is another board's.
    elsewhere = set(sites["service_key"]) - placed
    # Online, and yet for nobody here: of a directory, or where nobody ever returned services.
    elsewhere |= online - placed
    found = found[~found["service_key"].isin(elsewhere)].assign(
        is_placed=lambda rows: rows["service_key"].isin(placed)
    )
    shut = entries[~open_now & ~entries["service_key"].isin({*found["service_key"], *elsewhere})]
    return Services(
        listed=_described(found, themes, as_at),
        themes=themes[themes["service_key"].isin(found["service_key"])].reset_index(drop=True),
        serving=_of(serving, found),
        everywhere=_of(everywhere, found),
        sites=_of(sites.dropna(subset="ward_code"), found),
        closed=joined(shut),
        is_returned=is_returned,
        names_needs=is_returned and bool(len(all_themes)),
    )


def board_box(engine: Engine, scope: Scope, icb_code: str) -> Box:
    """West, south, east and north of a board in degrees; of nowhere, where it has no shapes."""
    shapes = places.shapes(engine, scope, icb_code)
    if shapes.empty:
        return NOWHERE
    west, south, east, north = shapely.total_bounds(geometries_of(shapes)).tolist()
    return west, south, east, north


def _of(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["service_key"].isin(found["service_key"])].reset_index(drop=True)


def _sites(engine: Engine, scope: Scope, icb_code: str, box: Box) -> pd.DataFrame:
    """One row per entry and place in the box, with the ward of the board that it lies in."""
    sites = services.service_places(engine, scope, icb_code, box)
    shapes = places.shapes(engine, scope, icb_code)
    geometries = geometries_of(shapes)
    longitudes, latitudes = sites["longitude"].tolist(), sites["latitude"].tolist()
    codes: list[Any] = wards_of_points(
        shapes["ward_code"].tolist(), geometries, longitudes, latitudes
    )
    return sites.assign(ward_code=pd.Series(codes, sites.index, dtype="str"))


def _serving(areas: pd.DataFrame, sites: pd.DataFrame, wards: pd.DataFrame) -> pd.DataFrame:
    """One row per service and ward, with the nearest way in which it serves it.

    A place says where a service is, not for whom: it counts for the ward it lies in where the
    service names no area.
    """
    codes = wards[["ward_code", "lad_code"]]
    named = areas[["service_key", "area_code"]]
    by_ward = named.merge(codes, left_on="area_code", right_on="ward_code").assign(way=WARD)
    by_district = named.merge(
        codes.dropna(subset="lad_code"), left_on="area_code", right_on="lad_code"
    ).assign(way=DISTRICT)
    # Whichever of its entries names the area, of this board or another.
    with_area = {*areas["service_key"], *sites.loc[sites["has_areas"], "service_key"]}
    by_place = sites[~sites["service_key"].isin(with_area)].dropna(subset="ward_code")
    by_place = by_place.assign(way=PLACE)
    # A service that names the ward and its district is one service, and the ward's own.
    together = pd.concat([by_ward, by_place, by_district])[["service_key", "ward_code", "way"]]
    return together.drop_duplicates(["service_key", "ward_code"], ignore_index=True)


def _with_capacity(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    box: Box,
    found: pd.DataFrame,
    entries: pd.DataFrame,
) -> pd.DataFrame:
    """The same with the figures of the newest week, where that is newer than the entry; and
    `capacity_on`, the day the figures are of."""
    first = as_at - timedelta(weeks=CAPACITY_WEEKS)
    weeks = services.newest_capacity(engine, scope, icb_code, box, first, as_at)
    returned = entries[entries["dataset"] == RETURN]
    ids = returned[["provider", "service_id", "service_key"]].drop_duplicates()
    newest = weeks.merge(ids)
    newest = newest.drop_duplicates("service_key").set_index("service_key")
    # A directory confirms that a service is there, not what room it has.
    days = pd.to_datetime(returned["confirmed_on"]).groupby(returned["service_key"]).max()
    told_on = pd.to_datetime(found["service_key"].map(days.to_dict())).dt.date.astype(object)
    figures = ["state", "places_offered", "places_filled", "people_waiting", "wait_days"]
    found = found.assign(capacity_on=told_on.where(_has_figures(found) & told_on.notna(), None))
    week = pd.to_datetime(found["service_key"].map(newest["week"]))
    newer = week.notna() & ~(pd.to_datetime(found["capacity_on"]) > week)
    said = {column: found["service_key"].map(newest[column].to_dict()) for column in figures}
    # Room is told together, and waiting is: who says only how many wait has said nothing of room.
    waiting = ("people_waiting", "wait_days")
    of_waiting = said["people_waiting"].notna() | said["wait_days"].notna()
    of_room = said["state"].notna() | said["places_offered"].notna() | said["places_filled"].notna()
    for column in figures:
        is_told = of_waiting if column in waiting else of_room
        dtype = found[column].dtype
        found[column] = found[column].mask(newer & is_told, said[column]).astype(dtype)
    found["capacity_on"] = found["capacity_on"].mask(newer, week.dt.date.astype(object))
    return found


def _has_figures(found: pd.DataFrame) -> pd.Series[bool]:
    has: pd.Series[bool] = found[["state", "places_offered", "people_waiting"]].notna().any(axis=1)
    return has


def _described(found: pd.DataFrame, themes: pd.DataFrame, as_at: date) -> pd.DataFrame:
    said = themes.groupby("service_key")["theme"].agg("; ".join)
    return found.assign(
        freshness=freshness(found["confirmed_on"], as_at, settings().stale_months),
        is_full=is_full(found),
        free_places=free_places(found),
        themes=found["service_key"].map(said).astype("str"),
    ).reset_index(drop=True)


def counted_keys(found: Services, *, with_stale: bool) -> set[str]:
    """The services that count as provision: confirmed in time, or all where stale ones count."""
    listed = found.listed
    if with_stale:
        return set(listed["service_key"])
    return set(listed.loc[listed["freshness"].isin(COUNTING), "service_key"])


def service_counts(
    found: Services, ward_codes: Sequence[str], as_at: date, *, with_stale: bool
) -> pd.DataFrame:
    """One row per ward, indexed by its code: own, own_full, wide and stale services, and the
    first date from the chosen one on at which the money of one of its own ends.
    """
    every = pd.DataFrame({"service_key": found.listed["service_key"], "theme": ""})
    counts = theme_counts(found, ward_codes, every, ("",), with_stale=with_stale)
    ends = pd.to_datetime(found.listed.set_index("service_key")["funding_ends"])
    to_come = ends[ends >= pd.Timestamp(as_at)]
    own = found.serving[found.serving["way"] != ONLINE]
    own = own[own["service_key"].isin(counted_keys(found, with_stale=with_stale))]
    first = own["service_key"].map(to_come.to_dict()).groupby(own["ward_code"]).min()
    return counts.set_index("ward_code")[["own", "own_full", "wide", "stale"]].assign(
        funding_ends=lambda rows: pd.to_datetime(first).reindex(rows.index)
    )


def theme_counts(
    found: Services,
    ward_codes: Sequence[str],
    themes: pd.DataFrame,
    names: Sequence[str],
    *,
    with_stale: bool,
) -> pd.DataFrame:
    """One row per ward and theme: services own, own_full, wide, wide_full and stale, and the free
    places of its own.

    `themes`: service_key, theme; a service for two counts in both. One of the whole board that
    also serves the ward by itself counts once, where it is nearest.
    """
    counted = counted_keys(found, with_stale=with_stale)
    facts = found.listed.set_index("service_key")[["is_full", "free_places"]]
    key, grid = ["ward_code", "theme"], pd.MultiIndex.from_product([ward_codes, names])

    def of_theme(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.merge(themes, on="service_key").join(facts, on="service_key")
        return rows.assign(is_counted=rows["service_key"].isin(counted))

    serving, everywhere = of_theme(found.serving), of_theme(found.everywhere)
    is_online = serving["way"] == ONLINE
    is_both = serving["service_key"].isin(set(everywhere["service_key"]))
    own = serving[serving["is_counted"] & ~is_online].groupby(key)

    def at(counts: pd.Series[int]) -> np.ndarray:
        filled: np.ndarray = counts.reindex(grid, fill_value=0).to_numpy(dtype=int)
        return filled

    def wide(there: pd.Series[bool], for_all: pd.Series[bool]) -> np.ndarray:
        """Of those marked: online for the ward, and for everybody unless it serves the ward too."""
        for_each = everywhere[for_all].groupby("theme").size().reindex(list(names), fill_value=0)
        near = serving[there & (is_online | ~serving["is_counted"])].groupby(key).size()
        twice = serving[there & is_both].groupby(key).size()
        found: np.ndarray = at(near) - at(twice)
        found += np.tile(for_each.to_numpy(dtype=int), len(ward_codes))
        return found

    return pd.DataFrame(
        {
            "ward_code": np.repeat(np.array(ward_codes, dtype=object), len(names)),
            "theme": np.tile(np.array(names, dtype=object), len(ward_codes)),
            "own": at(own.size()),
            "own_full": at(own["is_full"].sum()),
            "wide": wide(serving["is_counted"], everywhere["is_counted"]),
            "wide_full": wide(
                serving["is_counted"] & serving["is_full"],
                everywhere["is_counted"] & everywhere["is_full"],
            ),
            "stale": wide(~serving["is_counted"], ~everywhere["is_counted"]),
            "free_places": own["free_places"].sum(min_count=1).reindex(grid).array,
        }
    ).astype({"ward_code": "str", "theme": "str", "free_places": "Int64"})


def keys_of_ward(found: Services, ward_code: str) -> pd.DataFrame:
    """One row per service that serves a ward, with the nearest way."""
    own = found.serving[found.serving["ward_code"] == ward_code][["service_key", "way"]]
    both = pd.concat([own, found.everywhere])
    return both.drop_duplicates("service_key", ignore_index=True)


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The same services, the nearest first and by name."""
    return rows.sort_values(["way", "service_name"], key=_nearest, ignore_index=True)


def _nearest(column: pd.Series[str]) -> pd.Series[Any]:
    return column.map(WAYS.index) if column.name == "way" else column
