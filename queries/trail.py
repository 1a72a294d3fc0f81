"""The trail of what was done: written once, each row bound to the one before by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, insert, select, text

from queries import tables
from queries.database import WRITERS_LOCK, writing
from queries.frames import in_utc, moments, read_frame

_TRAIL = tables.trail.c
# What is written down; `detail` says which, by codes and numbers.
SIGNED_IN, SIGNED_OUT, DENIED = "signed in", "signed out", "denied"
LOAD_ASKED, LOADED, UNDONE, FORGOTTEN, EXPORTED = (
    "load asked for", "loaded", "undone", "forgotten", "exported",
)  # fmt: skip
ROLE_GIVEN, ROLE_TAKEN, TARGET_SET = "role given", "role taken away", "target set"
# Whoever has no sign-in: the command line, or a dashboard on one machine.
NOBODY = 0
FIRST = "0" * 64
# Codes and numbers by what they are.
Detail = dict[str, str | int | None]
_TRAIL_LOCK = WRITERS_LOCK + 2


def note(connection: Connection, kind: str, person_id: int, detail: Detail) -> None:
    """Add a line in the transaction of what it tells of, so that neither is there without the other."""
    if connection.dialect.name == "postgresql":
        # Two at once would both follow the same line. Held to the end of the transaction.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_TRAIL_LOCK})"))
    last = connection.execute(
        select(_TRAIL.id, _TRAIL.hash).order_by(_TRAIL.id.desc()).limit(1)
    ).first()
    number, before = (last.id + 1, last.hash) if last else (1, FIRST)
    at, words = datetime.now(UTC), json.dumps(detail, sort_keys=True)
    connection.execute(
        insert(tables.trail).values(
            id=number,
            at=at,
            kind=kind,
            person_id=person_id,
            detail=words,
            hash=_hash(before, number, at, kind, person_id, words),
        )
    )


def note_alone(engine: Engine, kind: str, person_id: int, detail: Detail) -> None:
    """The same of something that writes nothing else: an export, a denial."""
    with writing(engine, in_line=False) as connection:
        note(connection, kind, person_id, detail)


def _hash(before: str, *said: Any) -> str:
    words = [each.isoformat() if isinstance(each, datetime) else each for each in said]
    return hashlib.sha256(json.dumps([before, *words]).encode()).hexdigest()


def broken_at(engine: Engine) -> Iterator[str]:
    """In words, each line of the trail that is not as it was written; none where all are.

    That the newest lines are missing cannot be seen from the rest: compare `head` with one that was
    kept elsewhere.
    """
    before, expected = FIRST, 1
    with engine.connect() as connection:
        for row in connection.execute(select(tables.trail).order_by(_TRAIL.id)):
            if row.id != expected:
                yield f"lines {expected} to {row.id - 1} are missing"
            if row.hash != _hash(
                before, row.id, in_utc(row.at), row.kind, row.person_id, row.detail
            ):
                yield f"line {row.id} is not as it was written, or not after the line before it"
            before, expected = row.hash, row.id + 1


def head(engine: Engine) -> tuple[int, str]:
    """The number and hash of the newest line: kept elsewhere, it shows later that none was cut off."""
    with engine.connect() as connection:
        last = connection.execute(
            select(_TRAIL.id, _TRAIL.hash).order_by(_TRAIL.id.desc()).limit(1)
        ).first()
    return (last.id, last.hash) if last else (0, FIRST)


def lines(engine: Engine, newest: int | None = None) -> pd.DataFrame:
    """One row per thing that was done, the newest first, at most so many; all without a number."""
    with engine.connect() as connection:
        frame = read_frame(
            connection,
            select(_TRAIL.id, _TRAIL.at, _TRAIL.kind, _TRAIL.person_id, _TRAIL.detail, _TRAIL.hash)
            .order_by(_TRAIL.id.desc())
            .limit(newest),
            {
                "id": "int64", "at": "object", "kind": "str", "person_id": "int64",
                "detail": "str", "hash": "str",
            },
        )  # fmt: skip
    return moments(frame, "at")


def has(engine: Engine, kept: str) -> bool:
    """Whether a line that was kept elsewhere, as "number:hash", is there as it was."""
    number, _, digest = kept.partition(":")
    with engine.connect() as connection:
        found = connection.scalar(
            select(_TRAIL.hash).where(_TRAIL.id == (int(number) if number.isdigit() else 0))
        )
    return found == digest
