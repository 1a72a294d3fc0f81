"""Schemes and services: who says they serve which area."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, and_, exists, literal, or_, select, true

from queries import tables
from queries.frames import read_frame
from queries.places import in_force
from queries.scope import Scope


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


def service_areas(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per service open at the date and area of the board it serves.

    `area_code` is a ward, a district or the board itself; services of other boards are not
    there, nor are those that name no area ("not placed").
    """
    service, served, ward = tables.service.c, tables.service_area.c, tables.ward.c
    mine = (ward.icb_code == icb_code) & scope.within(ward.icb_code)
    columns = {
        "service_id": "str",
        "service_name": "str",
        "provider": "str",
        "is_online": "bool",
        "state": "str",
        "confirmed_on": "object",
        "funding_ends": "object",
    }
    with engine.connect() as connection:
        return read_frame(
            connection,
            select(*(service[column] for column in columns), served.area_code)
            .join(
                tables.service_area,
                (served.part_id == service.part_id) & (served.service_id == service.service_id),
            )
            .where(
                service.part_id.in_(in_force()),
                or_(service.opens_on.is_(None), service.opens_on <= as_at),
                or_(service.closes_on.is_(None), service.closes_on >= as_at),
                or_(
                    served.area_code.in_(select(ward.ward_code).where(mine)),
                    served.area_code.in_(select(ward.lad_code).where(mine)),
                    and_(served.area_code == icb_code, literal(scope.admits(icb_code))),
                ),
            )
            .order_by(service.service_name, service.service_id, served.area_code),
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
            select(theme.service_id, theme.theme)
            .where(theme.part_id.in_(in_force()), in_scope)
            .order_by(theme.service_id, theme.theme),
            {"service_id": "str", "theme": "str"},
        )
