"""Meetings of a board: opened, and closed with what was seen."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
from sqlalchemy import Engine, func, insert, select, update

from queries import tables
from queries.database import reading, writing
from queries.frames import moments, read_frame
from queries.scope import Scope

_MEETING = tables.meeting.c


class MeetingClosedError(ValueError):
    """Somebody closed the meeting already."""


def meetings(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per meeting of the board, the newest first: when it was opened and closed and by whom,
    and the date that was looked at. `closed_at` is missing while it is open."""
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            select(
                _MEETING.id,
                _MEETING.opened_at,
                _MEETING.opened_by,
                _MEETING.closed_at,
                _MEETING.closed_by,
                _MEETING.as_at,
                _MEETING.address,
            )
            .where(_MEETING.icb_code == icb_code, scope.within(_MEETING.icb_code))
            .order_by(_MEETING.opened_at.desc(), _MEETING.id.desc()),
            {
                "id": "int64",
                "opened_at": "object",
                "opened_by": "str",
                "closed_at": "object",
                "closed_by": "str",
                "as_at": "object",
                "address": "str",
            },
        )
    return moments(frame, "opened_at", "closed_at")


def meetings_mark(engine: Engine, scope: Scope, icb_code: str) -> tuple[object, ...]:
    """What is another after each change of what `meetings` answers."""
    columns = (
        func.count(),
        func.max(_MEETING.id),
        func.count(_MEETING.closed_at),
        func.max(_MEETING.closed_at),
    )
    with reading(engine, scope) as connection:
        found = connection.execute(
            select(*columns).where(_MEETING.icb_code == icb_code, scope.within(_MEETING.icb_code))
        ).one()
    return tuple(found)


def seen_at(engine: Engine, scope: Scope, meeting_id: int) -> str | None:
    """What was seen when a meeting was closed, as it was kept; `None` where there is none."""
    with reading(engine, scope) as connection:
        seen: str | None = connection.scalar(
            select(_MEETING.seen).where(_MEETING.id == meeting_id, scope.within(_MEETING.icb_code))
        )
    return seen


def open_meeting(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, address: str, opened_by: str
) -> int:
    """Open a meeting, or join the one that is open: its number. `LookupError` outside the scope."""
    if not scope.admits(icb_code):
        raise LookupError(f"there is no board {icb_code!r}")
    with writing(engine, scope=scope) as connection:
        going_on: int | None = connection.scalar(
            select(_MEETING.id).where(_MEETING.icb_code == icb_code, _MEETING.closed_at.is_(None))
        )
        if going_on is not None:
            return going_on
        opened: int = connection.execute(
            insert(tables.meeting)
            .values(
                icb_code=icb_code,
                opened_at=datetime.now(UTC),
                opened_by=opened_by,
                as_at=as_at,
                address=address,
            )
            .returning(_MEETING.id)
        ).scalar_one()
    return opened


def close_meeting(
    engine: Engine,
    scope: Scope,
    meeting_id: int,
    as_at: date,
    address: str,
    seen: str,
    closed_by: str,
) -> None:
    """Close a meeting and keep what was seen. `MeetingClosedError` where that was done already,
    `LookupError` where there is no such meeting in the scope."""
    mine = (_MEETING.id == meeting_id) & scope.within(_MEETING.icb_code)
    with writing(engine, scope=scope) as connection:
        found = connection.execute(
            select(_MEETING.closed_at, _MEETING.closed_by).where(mine)
        ).first()
        if found is None:
            raise LookupError(f"there is no meeting {meeting_id}")
        if found.closed_at is not None:
            raise MeetingClosedError(f"{found.closed_by} closed the meeting already.")
        connection.execute(
            update(tables.meeting)
            .where(mine)
            .values(
                closed_at=datetime.now(UTC),
                closed_by=closed_by,
                as_at=as_at,
                address=address,
                seen=seen,
            )
        )
