"""What was loaded: the version of the data, its sources, and how fresh each is."""

from __future__ import annotations

from datetime import UTC, date

import pandas as pd
from sqlalchemy import Engine, func, select

from queries import tables
from queries.frames import read_frame

_LOAD, _PART = tables.load.c, tables.load_part.c


def data_version(engine: Engine) -> int:
    """A number that is another after each change of the data."""
    with engine.connect() as connection:
        return connection.scalar(select(tables.data_version.c.version)) or 0


def is_demonstration(engine: Engine) -> bool:
    """Whether what is loaded is simulated."""
    with engine.connect() as connection:
        statement = select(_LOAD.id).where(_LOAD.is_demonstration.is_(True)).limit(1)
        return connection.scalar(statement) is not None


def sources(engine: Engine) -> pd.DataFrame:
    """One row per file in force: what it is, its hash, when it was loaded, its newest period.

    `as_at` is the newest date its parts speak of; missing for files without a period.
    """
    with engine.connect() as connection:
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
            .where(_PART.replaced_by.is_(None))
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
    # SQLite forgets the zone it was given; it is always UTC.
    frame["loaded_at"] = [moment.replace(tzinfo=UTC) for moment in frame["loaded_at"]]
    return frame


def newest_date(engine: Engine) -> date | None:
    """The newest date that anything loaded speaks of; `None` when nothing has a date."""
    with engine.connect() as connection:
        newest: date | None = connection.scalar(
            select(func.max(_PART.period_end)).where(_PART.replaced_by.is_(None))
        )
    return newest
