"""Services: what providers return and directories list, where, for which need, with what room."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Engine,
    ScalarSelect,
    Select,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    union,
)

from queries import tables
from queries.database import reading
from queries.frames import moments, read_frame
from queries.places import in_force
from queries.scope import Scope

_SERVICE, _AREA, _PLACE, _WARD, _PART, _LOAD = (
    tables.service.c,
    tables.service_area.c,
    tables.service_place.c,
    tables.ward.c,
    tables.load_part.c,
    tables.load.c,
)
# What an entry says of its service.
_ENTRY = {
    "part_id": "int64",
    "service_id": "str",
    "service_name": "str",
    "provider": "str",
    "is_online": "bool",
    "state": "str",
    "places_offered": "Int64",
    "places_filled": "Int64",
    "people_waiting": "Int64",
    "wait_days": "Int64",
    "cost_to_person": "str",
    "has_safeguarding": "boolean",
    "confirmed_on": "object",
    "opens_on": "object",
    "closes_on": "object",
    "funder": "str",
    "funding_ends": "object",
    "cost_per_place": "Float64",
    "minimum_age": "Float64",
    "maximum_age": "Float64",
    "web_address": "str",
    "sector": "str",
    "access": "str",
}
# West, south, east and north, in degrees.
Box = tuple[float, float, float, float]


def _area_of_board(scope: Scope, icb_code: str) -> ColumnElement[bool]:
    """Whether an area that a service serves is the board, or a ward or district of it."""
    mine = (_WARD.icb_code == icb_code) & scope.within(_WARD.icb_code)
    return or_(
        _AREA.area_code.in_(select(_WARD.ward_code).where(mine)),
        _AREA.area_code.in_(select(_WARD.lad_code).where(mine)),
        _AREA.area_code == icb_code,
    )


def _inside(box: Box) -> ColumnElement[bool]:
    west, south, east, north = box
    return and_(_PLACE.longitude.between(west, east), _PLACE.latitude.between(south, north))


def _concern(scope: Scope, icb_code: str, box: Box) -> ColumnElement[bool]:
    """Entries in force that name an area of the board or have a place in the box around it;
    and those that are nowhere: online of a provider's return, or not placed at all."""
    named = and_(_AREA.part_id == _SERVICE.part_id, _AREA.service_id == _SERVICE.service_id)
    placed = and_(_PLACE.part_id == _SERVICE.part_id, _PLACE.service_id == _SERVICE.service_id)
    nowhere = and_(
        ~exists().where(named),
        ~exists().where(placed),
        # A directory lists what is online anywhere: an entry that names no area says nothing
        # about this board.
        or_(_SERVICE.is_online.is_(False), _PART.dataset == "services"),
    )
    # The few of the board are listed once: asked of each entry, it costs what all of England has.
    here = union(
        select(_AREA.part_id, _AREA.service_id).where(_area_of_board(scope, icb_code)),
        select(_PLACE.part_id, _PLACE.service_id).where(_inside(box)),
    )
    return and_(
        in_force(_SERVICE.part_id),
        true() if scope.admits(icb_code) else false(),
        or_(tuple_(_SERVICE.part_id, _SERVICE.service_id).in_(here), nowhere),
    )


def _gone_since() -> ScalarSelect[date]:
    """The day since which a later feed of its directory lists an entry no more; null while it does.

    The provider's own return is not closed by what a directory leaves out.
    """
    closure, closing = tables.service_closure.c, tables.load_part.alias()
    return (
        select(func.min(closure.closed_on))
        .join(closing, closing.c.id == closure.part_id)
        .where(
            closure.service_id == _SERVICE.service_id,
            closing.c.replaced_by.is_(None),
            closing.c.load_id > _PART.load_id,
            _PART.dataset == "directory",
        )
        .scalar_subquery()
    )


def service_entries(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, box: Box
) -> pd.DataFrame:
    """One row per entry that had opened by the date: of a provider's return ("services") or of a
    directory ("directory").

    It names an area of the board, or has a place inside the box around it (the board's own shape
    decides later), or is online for whoever returned it, or is not placed at all. `closed_on` is
    the day since which a later feed of its directory lists it no more. Services of other boards
    are not there.
    """
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                *(_SERVICE[column] for column in _ENTRY),
                _PART.dataset,
                _LOAD.file_name,
                _gone_since().label("closed_on"),
            )
            .join(tables.load_part, _PART.id == _SERVICE.part_id)
            .join(tables.load, _LOAD.id == _PART.load_id)
            .where(
                _concern(scope, icb_code, box),
                or_(_SERVICE.opens_on.is_(None), _SERVICE.opens_on <= as_at),
            )
            .order_by(_SERVICE.service_name, _SERVICE.service_id, _SERVICE.part_id),
            {**_ENTRY, "dataset": "str", "file_name": "str", "closed_on": "object"},
        )


def service_areas(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per entry and area of the board it names: a ward, a district or the board."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_AREA.part_id, _AREA.service_id, _AREA.area_code)
            .where(
                in_force(_AREA.part_id),
                _area_of_board(scope, icb_code),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_AREA.part_id, _AREA.service_id, _AREA.area_code),
            {"part_id": "int64", "service_id": "str", "area_code": "str"},
        )


def service_places(engine: Engine, scope: Scope, icb_code: str, box: Box) -> pd.DataFrame:
    """One row per entry and place inside the box around the board, in degrees (EPSG:4326).

    `has_areas` says whether the entry names areas, of this board or another.
    """
    named = and_(_AREA.part_id == _PLACE.part_id, _AREA.service_id == _PLACE.service_id)
    columns = {
        "part_id": "int64",
        "service_id": "str",
        "place_name": "str",
        "latitude": "float64",
        "longitude": "float64",
        "postcode": "str",
        "placed_by": "str",
    }
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                *(_PLACE[column] for column in columns), exists().where(named).label("has_areas")
            )
            .where(
                in_force(_PLACE.part_id),
                _inside(box),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_PLACE.part_id, _PLACE.service_id, _PLACE.place_name),
            {**columns, "has_areas": "bool"},
        )


def service_themes(engine: Engine, scope: Scope, icb_code: str, box: Box) -> pd.DataFrame:
    """One row per entry that concerns the board and need it answers."""
    theme = tables.service_theme.c
    same = and_(_SERVICE.part_id == theme.part_id, _SERVICE.service_id == theme.service_id)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(theme.part_id, theme.service_id, theme.theme)
            .join(tables.service, same)
            .join(tables.load_part, _PART.id == _SERVICE.part_id)
            .where(_concern(scope, icb_code, box))
            .order_by(theme.part_id, theme.service_id, theme.theme),
            {"part_id": "int64", "service_id": "str", "theme": "str"},
        )


def service_matches(engine: Engine, scope: Scope, icb_code: str, box: Box) -> pd.DataFrame:
    """One row per service of a provider's return and entry of a directory that somebody looked
    at: whether they are the same service."""
    match = tables.service_match.c
    columns = {
        "provider": "str",
        "service_id": "str",
        "other_service_id": "str",
        "is_same": "bool",
    }
    # From the few that were looked at to their services, and not the other way.
    mine = (
        exists()
        .where(_SERVICE.service_id == match.service_id, _SERVICE.provider == match.provider)
        .where(_PART.id == _SERVICE.part_id, _PART.dataset == "services")
        .where(_concern(scope, icb_code, box))
    )
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(*(match[column] for column in columns))
            .where(in_force(match.part_id), mine)
            .order_by(match.provider, match.service_id, match.other_service_id),
            columns,
        )


def provider_services(engine: Engine, scope: Scope, provider: str) -> pd.DataFrame:
    """One row per entry in force of one provider, returned by it or still listed in a directory.

    Of all boards, since a provider's return replaces all that it returned before; nothing where
    one of them names an area that is not the reader's to see.
    """
    own = and_(_SERVICE.provider == provider, in_force(_SERVICE.part_id))
    with reading(engine, scope) as connection:
        found = read_frame(
            connection,
            select(*(_SERVICE[column] for column in _ENTRY), _PART.dataset)
            .join(tables.load_part, _PART.id == _SERVICE.part_id)
            .where(own, _gone_since().is_(None))
            .order_by(_SERVICE.service_name, _SERVICE.service_id, _PART.dataset.desc()),
            {**_ENTRY, "dataset": "str"},
        )
        if scope.icb_codes is None:
            return found
        named = connection.scalars(
            select(_AREA.area_code)
            .join(
                tables.service,
                and_(_AREA.part_id == _SERVICE.part_id, _AREA.service_id == _SERVICE.service_id),
            )
            .where(own)
            .distinct()
        ).all()
        mine = scope.within(_WARD.icb_code)
        seen = {
            *connection.scalars(select(_WARD.ward_code).where(mine)),
            *connection.scalars(select(_WARD.lad_code).where(mine)),
            *scope.icb_codes,
        }
    is_seen = bool(scope.icb_codes) and set(named) <= seen and bool(named)
    return found if is_seen else found.iloc[:0]


def provider_lists(engine: Engine, scope: Scope, provider: str) -> pd.DataFrame:
    """One row per entry of one provider and thing it lists: an "area" (its code), a "theme" or a
    "postcode"; of the entries that `provider_services` answers."""
    mine = provider_services(engine, scope, provider)["part_id"].unique().tolist()
    kinds = (
        ("area", tables.service_area.c, "area_code"),
        ("postcode", _PLACE, "postcode"),
        ("theme", tables.service_theme.c, "theme"),
    )
    frames = []
    with reading(engine, scope) as connection:
        for kind, table, column in kinds:
            frames.append(
                read_frame(
                    connection,
                    select(table.part_id, table.service_id, table[column].label("value")).where(
                        table.part_id.in_(mine), table[column].is_not(None)
                    ),
                    {"part_id": "int64", "service_id": "str", "value": "str"},
                ).assign(kind=kind)
            )
    found = pd.concat(frames, ignore_index=True).astype({"kind": "str"})
    return found.sort_values(["part_id", "service_id", "kind", "value"], ignore_index=True)


_CAPACITY = tables.service_capacity.c
_CAPACITY_COLUMNS = {
    "provider": "str",
    "service_id": "str",
    "week": "object",
    "state": "str",
    "places_offered": "Int64",
    "places_filled": "Int64",
    "people_waiting": "Int64",
    "wait_days": "Int64",
}


def capacity_by_week(
    engine: Engine, scope: Scope, icb_code: str, box: Box, first_week: date, last_week: date
) -> pd.DataFrame:
    """One row per provider, service and week (its Monday) returned from the first to the last:
    places of the 4 weeks from there, and people who wait; missing where not returned."""
    told = _capacity(scope, icb_code, box, first_week, last_week)
    return _read_capacity(engine, scope, told, told.selected_columns)


def newest_capacity(
    engine: Engine, scope: Scope, icb_code: str, box: Box, first_week: date, last_week: date
) -> pd.DataFrame:
    """The same of the newest week alone: one row per provider and service."""
    told = _capacity(scope, icb_code, box, first_week, last_week)
    week = func.row_number().over(
        partition_by=(_CAPACITY.provider, _CAPACITY.service_id), order_by=_CAPACITY.week.desc()
    )
    ranked = told.add_columns(week.label("place")).subquery()
    newest = select(*(ranked.c[column] for column in _CAPACITY_COLUMNS)).where(ranked.c.place == 1)
    return _read_capacity(engine, scope, newest, newest.selected_columns)


def _capacity(
    scope: Scope, icb_code: str, box: Box, first_week: date, last_week: date
) -> Select[Any]:
    mine = (
        select(_SERVICE.provider, _SERVICE.service_id)
        .join(tables.load_part, _PART.id == _SERVICE.part_id)
        .where(_concern(scope, icb_code, box), _PART.dataset == "services")
        .distinct()
        .subquery()
    )
    return (
        select(*(_CAPACITY[column] for column in _CAPACITY_COLUMNS))
        .join(
            mine,
            and_(mine.c.provider == _CAPACITY.provider, mine.c.service_id == _CAPACITY.service_id),
        )
        .where(in_force(_CAPACITY.part_id), _CAPACITY.week.between(first_week, last_week))
    )


def _read_capacity(engine: Engine, scope: Scope, told: Select[Any], columns: Any) -> pd.DataFrame:
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            told.order_by(columns.provider, columns.service_id, columns.week),
            _CAPACITY_COLUMNS,
        )


def directories(engine: Engine, scope: Scope, icb_code: str, box: Box) -> pd.DataFrame:
    """One row per load of a directory with entries that concern the board, newest first: its file,
    when, how many of those are in force, and what was said of it when it was read."""
    columns = {
        "load_id": "int64",
        "file_name": "str",
        "loaded_at": "object",
        "notes": "str",
        "entries": "int64",
    }
    with reading(engine, scope) as connection:
        found = read_frame(
            connection,
            select(
                _LOAD.id.label("load_id"),
                _LOAD.file_name,
                _LOAD.loaded_at,
                _LOAD.notes,
                func.count().label("entries"),
            )
            .join(tables.load_part, _PART.load_id == _LOAD.id)
            .join(tables.service, _SERVICE.part_id == _PART.id)
            .where(_LOAD.dataset == "directory", _concern(scope, icb_code, box))
            .group_by(_LOAD.id, _LOAD.file_name, _LOAD.loaded_at, _LOAD.notes)
            .order_by(_LOAD.id.desc()),
            columns,
        )
    return moments(found, "loaded_at")


def travel_modes(engine: Engine, scope: Scope, icb_code: str) -> list[str]:
    """The ways of travelling for which times between wards of the board are loaded, by name."""
    time = tables.travel_time.c
    with reading(engine, scope) as connection:
        return list(
            connection.scalars(
                select(time.mode)
                .join(tables.ward, _WARD.ward_code == time.from_ward_code)
                .where(
                    in_force(time.part_id),
                    _WARD.icb_code == icb_code,
                    scope.within(_WARD.icb_code),
                )
                .distinct()
                .order_by(time.mode)
            )
        )


def travel_times(
    engine: Engine, scope: Scope, icb_code: str, mode: str, most_minutes: float
) -> pd.DataFrame:
    """One row per ward of the board and ward within reach of it by a way of travelling."""
    time = tables.travel_time.c
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                time.from_ward_code.label("from_code"),
                time.to_ward_code.label("to_code"),
                time.minutes.label("cost"),
            )
            .join(tables.ward, _WARD.ward_code == time.from_ward_code)
            .where(
                in_force(time.part_id),
                time.mode == mode,
                time.minutes <= most_minutes,
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .order_by(time.from_ward_code, time.to_ward_code),
            {"from_code": "str", "to_code": "str", "cost": "float64"},
        )
