"""Schemes and services: who says they serve which area."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import ColumnElement, Engine, and_, exists, literal, or_, select, true

from queries import tables
from queries.frames import read_frame
from queries.places import in_force
from queries.scope import Scope

_PART = tables.load_part.c


def scheme_areas(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per scheme and area it serves, for returns that speak for part of the board.

    Rows that begin after the date are left out. `is_running` says whether the scheme still
    runs; one that has ended serves nobody, but its return still speaks for its area.
    """
    scheme, ward = tables.scheme_area.c, tables.ward.c
    districts = select(ward.lad_code).where(ward.icb_code == icb_code, scope.within(ward.icb_code))
    columns = {
        "scheme": "str",
        "organisation": "str",
        "delivery_model": "str",
        "speaks_for_code": "str",
        "served_code": "str",
        "valid_until": "object",
    }
    with engine.connect() as connection:
        rows = read_frame(
            connection,
            select(*(scheme[column] for column in columns)).where(
                scheme.part_id.in_(in_force()),
                or_(scheme.valid_from.is_(None), scheme.valid_from <= as_at),
                or_(
                    scheme.speaks_for_code.in_(districts),
                    and_(scheme.speaks_for_code == icb_code, literal(scope.admits(icb_code))),
                ),
            ),
            columns,
        )
    ended = pd.Series(
        [until is not None and until < as_at for until in rows["valid_until"]], dtype=bool
    )
    return rows.assign(is_running=~ended.set_axis(rows.index) & rows["served_code"].notna()).drop(
        columns="valid_until"
    )


def _serves_board(scope: Scope, icb_code: str) -> ColumnElement[bool]:
    """Whether an area that a service serves is the board, or a ward or district of it."""
    area, ward = tables.service_area.c.area_code, tables.ward.c
    mine = (ward.icb_code == icb_code) & scope.within(ward.icb_code)
    return or_(
        area.in_(select(ward.ward_code).where(mine)),
        area.in_(select(ward.lad_code).where(mine)),
        and_(area == icb_code, literal(scope.admits(icb_code))),
    )


def has_returned_services(engine: Engine, scope: Scope, icb_code: str) -> bool:
    """Whether anybody ever returned a service for the board, closed ones included."""
    served = tables.service_area.c
    with engine.connect() as connection:
        statement = select(served.service_id).where(
            served.part_id.in_(in_force()), _serves_board(scope, icb_code)
        )
        return connection.scalar(statement.limit(1)) is not None


def service_areas(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per service open at the date and area of the board it serves.

    `area_code` is a ward, a district or the board itself. An online service of a provider's
    return that names no area serves every board that has returned services. Services of other boards are not
    there, nor are others that name no area ("not placed").
    """
    service, served = tables.service.c, tables.service_area.c
    columns = {
        "part_id": "int64",
        "service_id": "str",
        "service_name": "str",
        "provider": "str",
        "is_online": "bool",
        "state": "str",
        "confirmed_on": "object",
        "funding_ends": "object",
    }
    is_open = and_(
        service.part_id.in_(in_force()),
        or_(service.opens_on.is_(None), service.opens_on <= as_at),
        or_(service.closes_on.is_(None), service.closes_on >= as_at),
    )
    same = and_(served.part_id == service.part_id, served.service_id == service.service_id)
    placed = (
        select(*(service[column] for column in columns), served.area_code)
        .join(tables.service_area, same)
        .where(is_open, _serves_board(scope, icb_code))
    )
    everywhere = select(
        *(service[column] for column in columns), literal(icb_code).label("area_code")
    ).where(
        is_open,
        service.is_online.is_(True),
        ~exists().where(same),
        # A directory lists what is online anywhere: an entry that names no area says nothing
        # about this board.
        service.part_id.in_(select(_PART.id).where(_PART.dataset == "services")),
        literal(has_returned_services(engine, scope, icb_code)),
    )
    with engine.connect() as connection:
        return read_frame(
            connection,
            placed.union_all(everywhere).order_by("service_name", "service_id", "area_code"),
            {**columns, "area_code": "str"},
        )


def service_themes(engine: Engine, scope: Scope) -> pd.DataFrame:
    """One row per service and need it answers, for services that serve an area in scope."""
    theme, served, ward = tables.service_theme.c, tables.service_area.c, tables.ward.c
    mine = scope.within(ward.icb_code)
    in_scope = (
        true()
        if scope.icb_codes is None
        else exists().where(
            served.part_id == theme.part_id,
            served.service_id == theme.service_id,
            or_(
                served.area_code.in_(select(ward.ward_code).where(mine)),
                served.area_code.in_(select(ward.lad_code).where(mine)),
                served.area_code.in_(sorted(scope.icb_codes)),
            ),
        )
    )
    with engine.connect() as connection:
        return read_frame(
            connection,
            select(theme.part_id, theme.service_id, theme.theme)
            .where(theme.part_id.in_(in_force()), in_scope)
            .order_by(theme.service_id, theme.theme),
            {"part_id": "int64", "service_id": "str", "theme": "str"},
        )
