"""Saved column mappings: how each supplier's export becomes ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, delete, insert, select

from queries import tables
from queries.database import writing
from queries.frames import read_frame

_MAPPING = tables.column_mapping.c


def save_mapping(
    engine: Engine, name: str, dataset: str, headings: str, content: str, saved_by: str | None
) -> None:
    """Keep a mapping under its name, in place of an earlier one of that name."""
    with writing(engine) as connection:
        connection.execute(delete(tables.column_mapping).where(_MAPPING.mapping_name == name))
        connection.execute(
            insert(tables.column_mapping).values(
                mapping_name=name,
                dataset=dataset,
                headings=headings,
                content=content,
                saved_by=saved_by,
                saved_at=datetime.now(UTC),
            )
        )


def saved_mappings(engine: Engine) -> pd.DataFrame:
    """One row per saved mapping, the newest last: name, dataset, fingerprint, content (JSON)."""
    columns = ["mapping_name", "dataset", "headings", "content"]
    with engine.connect() as connection:
        return read_frame(
            connection,
            select(*(_MAPPING[column] for column in columns)).order_by(_MAPPING.id),
            dict.fromkeys(columns, "str"),
        )
