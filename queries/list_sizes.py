"""List sizes: how many patients are registered with the practices of each board."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, case, func, select

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.practices import newest_practices
from queries.scope import Scope

_PART = tables.load_part.c


def patients_by_board(engine: Engine, scope: Scope, as_at: date) -> pd.DataFrame:
    """One row per board with list sizes: its registered patients, and the newest extract.

    `extracted_on` is the newest extract at the date; before the first, the newest there is.
    """
    practices = newest_practices(as_at, select(tables.practice.c.practice_code))
    extract = (
        select(_PART.period_end)
        .where(_PART.dataset == "list_sizes", _PART.replaced_by.is_(None))
        .order_by(case((_PART.period_end <= as_at, 0), else_=1), _PART.period_end.desc())
        .limit(1)
        .scalar_subquery()
    )
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                practices.c.icb_code,
                func.sum(practices.c.patients).label("patients"),
                extract.label("extracted_on"),
            )
            .where(practices.c.patients.is_not(None), scope.within(practices.c.icb_code))
            .group_by(practices.c.icb_code)
            .order_by(practices.c.icb_code),
            {"icb_code": "str", "patients": "Int64", "extracted_on": "object"},
        )
