"""What was loaded: the version of the data, its sources, and how fresh each is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine, func, select, true

from queries import tables
from queries.database import reading
from queries.frames import moments, read_frame
from queries.scope import Scope

# What organisations of a board send it themselves; all else is published.
LOCAL_RETURNS = (
    "scheme_areas",
    "services",
    "capacity",
    "service_matches",
    "travel_times",
    "referrals",
    "outcomes",
    "gp_contacts",
    "posts",
    "named_leads",
    "personal_health_budgets",
    "recruitment_plan",
    "targets",
    "candidate_sites",
)

_LOAD, _PART = tables.load.c, tables.load_part.c


@dataclass(frozen=True)
class DataState:
    """What is in the database now: `version` is another number after each change.

    `newest_date` is the newest date that anything in force speaks of, but for plans and the
    places of coming weeks; `None` when nothing has a date.
    """

    version: int
    is_demonstration: bool
    newest_date: date | None


def data_state(engine: Engine) -> DataState:
    """The state of the data, in one question: it is another after each change of the version."""
    version = select(tables.data_version.c.version).scalar_subquery()
    demonstrations = select(func.count()).where(_LOAD.is_demonstration.is_(True)).scalar_subquery()
    # The months of a plan, and the end of a week that has begun, are yet to come.
    told = _PART.replaced_by.is_(None) & _PART.dataset.not_in(("recruitment_plan", "capacity"))
    newest = select(func.max(_PART.period_end)).where(told).scalar_subquery()
    with engine.connect() as connection:
        row = connection.execute(select(version, demonstrations, newest)).one()
    return DataState(row[0] or 0, row[1] > 0, row[2])


_VERSION = select(tables.data_version.c.version)


def data_version(engine: Engine) -> int:
    """The number of the data alone; 0 before the first load. Every page asks it once a run."""
    with engine.connect() as connection:
        return connection.scalar(_VERSION) or 0


def sources(engine: Engine, scope: Scope) -> pd.DataFrame:
    """One row per file in force: what it is, its hash, when it was loaded, its newest period.

    A reader who may not see every board is told of published files only: the name of a local
    return may name another board.

    `as_at` is the newest date its parts speak of; missing for files without a period.
    """
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            select(
                _LOAD.dataset,
                _LOAD.file_name,
                _LOAD.sha256,
                _LOAD.loaded_at,
                _LOAD.vintage,
                _LOAD.rows_read,
                _LOAD.notes,
                func.min(_PART.period_start).label("period_start"),
                func.max(_PART.period_end).label("period_end"),
            )
            .join(tables.load_part, _PART.load_id == _LOAD.id)
            .where(
                _PART.replaced_by.is_(None),
                true() if scope.icb_codes is None else _LOAD.dataset.not_in(LOCAL_RETURNS),
            )
            .group_by(_LOAD.id)
            .order_by(_LOAD.dataset, _LOAD.id),
            {
                "dataset": "str",
                "file_name": "str",
                "sha256": "str",
                "loaded_at": "object",
                "vintage": "str",
                "rows_read": "int64",
                "notes": "str",
                "period_start": "object",
                "period_end": "object",
            },
        )
    return moments(frame, "loaded_at")
