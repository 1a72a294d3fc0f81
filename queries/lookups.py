"""What earlier loads tell the reader of a later file: which code belongs to which."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import Engine, exists, select

from queries import tables
from queries.frames import read_frame
from queries.places import newest_lookup

# What the lookups below are read from.
_DATASETS = ("lsoa_ward", "practices", "directory")
# Which parts of them are in force: the number of a part, and when it was loaded, for a number may be
# given again after an undo.
Mark = tuple[tuple[int, datetime], ...]


def mark(engine: Engine) -> Mark:
    """Another one whenever one of the lookups may be."""
    part, loaded = tables.load_part.c, tables.load.c
    statement = (
        select(part.id, loaded.loaded_at)
        .join(tables.load, loaded.id == part.load_id)
        .where(part.dataset.in_(_DATASETS), part.replaced_by.is_(None))
        .order_by(part.id)
    )
    with engine.connect() as connection:
        return tuple((number, moment) for number, moment in connection.execute(statement))


def ward_of_lsoa(engine: Engine) -> pd.Series[str]:
    """The ward code of each LSOA, indexed by LSOA code; empty when no lookup is loaded."""
    lookup = tables.lsoa_ward.c
    statement = select(lookup.lsoa_code, lookup.ward_code).where(
        lookup.part_id.in_(newest_lookup("lsoa_ward"))
    )
    return _mapping(engine, statement, "lsoa_code", "ward_code")


def pcn_of_practice(engine: Engine) -> pd.Series[str]:
    """The PCN code of each practice in the newest extract, indexed by practice code."""
    lookup, part = tables.practice.c, tables.load_part.c
    statement = (
        select(lookup.practice_code, lookup.pcn_code)
        .join(tables.load_part, part.id == lookup.part_id)
        .where(part.replaced_by.is_(None))
        .order_by(part.period_end.desc())
    )
    return _mapping(engine, statement, "practice_code", "pcn_code")


def directory_services(engine: Engine) -> pd.DataFrame:
    """One row per service of a directory in force that no later load has closed: load_id,
    service_id."""
    service, closure, part = tables.service.c, tables.service_closure.c, tables.load_part.c
    later = tables.load_part.alias("later")
    closed = (
        exists()
        .where(closure.service_id == service.service_id)
        .where(
            later.c.id == closure.part_id,
            later.c.replaced_by.is_(None),
            later.c.load_id > part.load_id,
        )
    )
    statement = (
        select(part.load_id, service.service_id)
        .join(tables.load_part, part.id == service.part_id)
        .where(part.dataset == "directory", part.replaced_by.is_(None), ~closed)
        .order_by(part.load_id, service.service_id)
    )
    with engine.connect() as connection:
        return read_frame(connection, statement, {"load_id": "int64", "service_id": "str"})


def _mapping(engine: Engine, statement, key: str, value: str) -> pd.Series[str]:  # type: ignore[no-untyped-def]
    with engine.connect() as connection:
        frame = read_frame(connection, statement, {key: "str", value: "str"})
    return frame.drop_duplicates(key).set_index(key)[value]
