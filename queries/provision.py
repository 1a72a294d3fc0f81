"""Schemes: who says they serve which area."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, and_, literal, or_, select

from queries import tables
from queries.database import reading
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
    with reading(engine, scope) as connection:
        rows = read_frame(
            connection,
            select(*(scheme[column] for column in columns)).where(
                in_force(scheme.part_id),
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
