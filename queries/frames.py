"""Answers of the database as frames whose columns and types are promised."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pandas as pd
from sqlalchemy import CompoundSelect, Connection, Select


def read_frame(
    connection: Connection, statement: Select[Any] | CompoundSelect[Any], dtypes: Mapping[str, str]
) -> pd.DataFrame:
    """One row per row of the answer, with exactly these columns, in this order and type.

    An empty answer has the types too. `ValueError` when the statement selects others.
    """
    result = connection.execute(statement)
    columns = list(result.keys())
    if columns != list(dtypes):
        raise ValueError(f"the query selects {columns}, but promises {list(dtypes)}")
    rows = result.fetchall()
    # Column by column: pandas takes rows that have names for something else, and looks at each.
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return pd.DataFrame(
        {
            name: pd.Series(found, dtype=dtype)
            for (name, dtype), found in zip(dtypes.items(), values, strict=True)
        },
        index=range(len(rows)),
    )


def in_utc(moment: datetime) -> datetime:
    """SQLite forgets the zone it was given, which is UTC; PostgreSQL answers in its session's."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def moments(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The same frame with the moments of these columns in UTC; `None` where one is missing."""
    for column in columns:
        found = [None if pd.isna(moment) else in_utc(moment) for moment in frame[column]]
        frame[column] = pd.Series(found, frame.index, dtype="object")
    return frame


def each_row(frame: pd.DataFrame) -> Iterable[Any]:
    """The rows as named tuples, whose fields have the types that the columns promise.

    As `itertuples`, which makes a new type each time: longer than a short table takes.
    """
    row = _row_of(tuple(map(str, frame.columns)))
    return map(row._make, zip(frame.index, *(column for _, column in frame.items()), strict=True))


@lru_cache(maxsize=256)
def _row_of(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", ("Index", *columns), rename=True)
