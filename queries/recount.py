"""Facts of rows that a database of an older form holds: what to count again, and writing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
from sqlalchemy import Connection, exists, select, update

from queries import tables
from queries.frames import read_frame
from queries.load import count_scores, insert_rows

_PART, _ROW = tables.load_part.c, tables.referral.c
# Parts that are read at once.
_AT_ONCE = 100
_DATES = (
    "offered_on",
    "declined_on",
    "accepted_on",
    "first_contact_on",
    "plan_agreed_on",
    "connected_on",
    "attended_on",
    "closed_on",
    "ot_referred_on",
    "ot_accepted_on",
)
_TEXTS = (
    "source", "reasons", "age_band", "sex", "ethnicity_group", "closed_reason", "complexity",
)  # fmt: skip


def loads_without_pathway(connection: Connection) -> list[int]:
    """Loads of referrals, in force or not, of whose steps nothing was counted."""
    found = (
        select(_PART.load_id)
        .where(
            exists().where(_ROW.part_id == _PART.id),
            ~exists().where(tables.pathway_fact.c.part_id == _PART.id),
        )
        .distinct()
        .order_by(_PART.load_id)
    )
    return list(connection.scalars(found))


def rename(
    connection: Connection, load_id: int, column: str, name_of: Callable[[str], str]
) -> None:
    """Put the words of a column of a load's referrals under the names that are used now."""
    said = _ROW[column]
    mine = _ROW.part_id.in_(select(_PART.id).where(_PART.load_id == load_id))
    words = connection.scalars(select(said).where(mine, said.is_not(None)).distinct()).all()
    for word in words:
        if name_of(word) != word:
            changed = update(tables.referral).where(mine, said == word)
            connection.execute(changed.values({column: name_of(word)}))


def referrals_of_load(connection: Connection, load_id: int) -> Iterator[pd.DataFrame]:
    """The referrals of a load, some parts at a time: one row each, as `referral` keeps them, with
    the month of their part."""
    parts = list(
        connection.scalars(select(_PART.id).where(_PART.load_id == load_id).order_by(_PART.id))
    )
    columns = (
        "part_id", "received_on", "ward_code", "pcn_code", "long_term_conditions", *_TEXTS, *_DATES,
    )  # fmt: skip
    for start in range(0, len(parts), _AT_ONCE):
        yield read_frame(
            connection,
            select(*(_ROW[name] for name in columns), _PART.period_start.label("month"))
            .join(tables.load_part, _PART.id == _ROW.part_id)
            .where(_ROW.part_id.in_(parts[start : start + _AT_ONCE])),
            {
                "part_id": "int64",
                "received_on": "object",
                "ward_code": "str",
                "pcn_code": "str",
                "long_term_conditions": "Int64",
                **dict.fromkeys(_TEXTS, "str"),
                **dict.fromkeys(_DATES, "object"),
                "month": "object",
            },
        )


def write_pathway(connection: Connection, facts: pd.DataFrame) -> None:
    """Write the facts of a load's steps (with `part_id`), and count its scores."""
    insert_rows(connection, tables.pathway_fact, facts)
    count_scores(connection, facts["part_id"].unique().tolist())
