"""Deleting what was kept about persons: whole parts of loads, with the counts made of them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, Engine, delete, select

from queries import tables, trail
from queries.database import writing
from queries.load import bump_version

# Datasets with a row for each person.
OF_PERSONS = ("referrals", "outcomes", "gp_contacts")
_PART = tables.load_part.c


def parts_corrected() -> ColumnElement[bool]:
    """Versions that were corrected or undone: no figure rests on them."""
    return _PART.replaced_by.is_not(None)


def parts_before(day: date) -> ColumnElement[bool]:
    """Months that ended before a day, whatever version. What has no month stays."""
    return _PART.period_end < day


def rows_of(engine: Engine, which: ColumnElement[bool]) -> int:
    """How many rows of persons these parts hold."""
    with engine.connect() as connection:
        counts = connection.scalars(
            select(_PART.row_count).where(which, _PART.dataset.in_(OF_PERSONS))
        )
        return sum(counts)


def forget(engine: Engine, which: ColumnElement[bool], why: str, person_id: int) -> int:
    """Delete these parts with their rows and counts, and say so in the trail; how many there were.

    No older version comes back in their place: the figures of those months are "no return".
    """
    with writing(engine) as connection:
        gone = connection.execute(
            delete(tables.load_part).where(which, _PART.dataset.in_(OF_PERSONS))
        ).rowcount
        trail.note(connection, trail.FORGOTTEN, person_id, {"why": why, "parts": gone})
        bump_version(connection)
    return gone
