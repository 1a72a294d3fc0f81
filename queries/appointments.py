"""GP appointments of the category "Social Prescribing Service", as practices recorded them."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, false, func, select, true

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.places import in_force
from queries.practices import ever_of, newest_practices
from queries.scope import Scope


def recorded_by_month(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per month up to the date: the board's practices, how many of them recorded any of the
    category, and the appointments they recorded (published ones, not people).

    A file of that category alone names no other practices: they are counted from the register.
    """
    practices = newest_practices(as_at, ever_of(icb_code))
    fact, practice = tables.practice_appointment.c, practices.c
    everyone = select(func.count()).where(practice.icb_code == icb_code).scalar_subquery()
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                fact.month,
                everyone.label("practices"),
                func.count(fact.social_prescribing).label("recording"),
                func.sum(fact.social_prescribing).label("appointments"),
            )
            .join(practices, practice.practice_code == fact.practice_code)
            .where(
                in_force(fact.part_id),
                fact.month <= as_at,
                practice.icb_code == icb_code,
                true() if scope.admits(icb_code) else false(),
            )
            .group_by(fact.month)
            .order_by(fact.month),
            {
                "month": "object",
                "practices": "int64",
                "recording": "int64",
                "appointments": "Int64",
            },
        )
