"""Actions, decisions and notes of a board: what stands now, every version, and who wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, update

from queries import tables
from queries.database import reading, writing
from queries.frames import in_utc, moments, read_frame
from queries.scope import Scope

_ACTION, _CHANGE, _MEETING = tables.action.c, tables.action_change.c, tables.meeting.c


@dataclass(frozen=True)
class ActionEdit:
    """All that may be changed of an action, decision or note; `meeting_id` is one of its board."""

    kind: str
    words: str
    owner: str | None = None
    due_on: date | None = None
    state: str = "open"
    pinned_kind: str | None = None
    pinned_code: str | None = None
    pinned_on: date | None = None
    page: str | None = None
    meeting_id: int | None = None


@dataclass(frozen=True)
class Standing:
    """One as it stands now: its version, who saved that and when (UTC), and what it says."""

    id: int
    icb_code: str
    version: int
    changed_at: datetime
    changed_by: str
    edit: ActionEdit


@dataclass(frozen=True)
class Wanted:
    """What is to be written: a change of the version that was read, or, without an id, a new one."""

    edit: ActionEdit
    id: int | None = None
    version: int | None = None


class ChangedMeanwhileError(ValueError):
    """Somebody else changed it since it was read; `now` is what stands there."""

    def __init__(self, now: Standing):
        self.now = now
        super().__init__(f"{now.changed_by} changed number {now.id} meanwhile")


class NotSavedError(ValueError):
    """Nothing was written; `reasons` says why, by the place in what was wanted."""

    def __init__(self, reasons: Mapping[int, LookupError | ChangedMeanwhileError]):
        self.reasons = reasons
        super().__init__("; ".join(str(reason) for reason in reasons.values()))


_WORDS_OF = {
    "kind": "str",
    "words": "str",
    "owner": "str",
    "due_on": "object",
    "state": "str",
    "pinned_kind": "str",
    "pinned_code": "str",
    "pinned_on": "object",
    "page": "str",
    "meeting_id": "Int64",
}
_DATES = ("due_on", "pinned_on")


def actions(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per action, decision and note of the board as it stands now, by due date (those
    without one last), then id; times are in UTC. `LookupError` outside the scope."""
    _check_board(scope, icb_code)
    columns = {
        "id": "int64",
        "icb_code": "str",
        **_WORDS_OF,
        "version": "int64",
        "created_at": "object",
        "created_by": "str",
        "changed_at": "object",
        "changed_by": "str",
    }
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            select(*(_ACTION[column] for column in columns))
            .where(_ACTION.icb_code == icb_code, *_seen_by(scope))
            .order_by(_ACTION.due_on.is_(None), _ACTION.due_on, _ACTION.id),
            columns,
        )
    return moments(frame, "created_at", "changed_at")


def actions_mark(engine: Engine, scope: Scope, icb_code: str) -> tuple[object, ...]:
    """What is another after each change of what `actions` answers. `LookupError` outside the scope."""
    _check_board(scope, icb_code)
    columns = (
        func.count(),
        func.max(_ACTION.id),
        func.sum(_ACTION.version),
        func.max(_ACTION.changed_at),
    )
    with reading(engine, scope) as connection:
        found = connection.execute(
            select(*columns).where(_ACTION.icb_code == icb_code, *_seen_by(scope))
        ).one()
    return tuple(found)


def action_history(engine: Engine, scope: Scope, action_id: int) -> pd.DataFrame:
    """One row per version, the first first: who wrote it, when (UTC), and what it said from then
    on. `LookupError` where there is no such action, or it is another board's."""
    with reading(engine, scope) as connection:
        now = _standing(connection, scope, action_id)
        found = connection.execute(
            select(_CHANGE.version, _CHANGE.changed_at, _CHANGE.changed_by, _CHANGE.content)
            .where(_CHANGE.action_id == action_id)
            .order_by(_CHANGE.version)
        ).all()
    rows = [
        {
            "version": row.version,
            "changed_at": in_utc(row.changed_at),
            "changed_by": row.changed_by,
            **asdict(_from_json(row.content)),
        }
        for row in found
        # What it said while it was another network's is theirs.
        if _admits_pin(scope, now.icb_code, _from_json(row.content))
    ]
    types = {"version": "int64", "changed_at": "object", "changed_by": "str", **_WORDS_OF}
    return pd.DataFrame(rows, columns=list(types), dtype="object").astype(types)


def pinned_notes(engine: Engine, scope: Scope, icb_code: str, kind: str, code: str) -> pd.DataFrame:
    """One row per note that stands at a day of a chart (pinned_on, words), by day: what was not
    dropped, pinned to this ward, PCN, provider or measure. `LookupError` outside the scope."""
    _check_board(scope, icb_code)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_ACTION.pinned_on, _ACTION.words)
            .where(
                _ACTION.icb_code == icb_code,
                _ACTION.kind == "note",
                _ACTION.state != "dropped",
                _ACTION.pinned_kind == kind,
                _ACTION.pinned_code == code,
                _ACTION.pinned_on.is_not(None),
                *_seen_by(scope),
            )
            .order_by(_ACTION.pinned_on, _ACTION.id),
            {"pinned_on": "object", "words": "str"},
        )


def add_action(engine: Engine, scope: Scope, icb_code: str, edit: ActionEdit, by: str) -> int:
    """Write down a new one; its id. `LookupError` outside the scope."""
    _check_board(scope, icb_code)
    _check_pin(scope, icb_code, edit)
    with writing(engine, scope=scope) as connection:
        return _add(connection, icb_code, edit, by)


def change_action(
    engine: Engine, scope: Scope, action_id: int, version: int, edit: ActionEdit, by: str
) -> int:
    """Change one whose `version` was read; its version now. What says the same is no change.

    `ChangedMeanwhileError` where another version is in force, `LookupError` where there is none
    of this id in the scope: nothing is written then.
    """
    with writing(engine, scope=scope) as connection:
        found = _standing(connection, scope, action_id)
        _check_pin(scope, found.icb_code, edit)
        return _change(connection, found, version, edit, by)


def save_all(
    engine: Engine, scope: Scope, icb_code: str, wanted: Sequence[Wanted], by: str
) -> list[int]:
    """Write several of one board, all or none; their ids in order. `NotSavedError` with every
    reason, by place; `LookupError` for a board outside the scope."""
    _check_board(scope, icb_code)
    reasons: dict[int, LookupError | ChangedMeanwhileError] = {}
    ids = []
    with writing(engine, scope=scope) as connection:
        for place, one in enumerate(wanted):
            try:
                _check_pin(scope, icb_code, one.edit)
                if one.id is None:
                    ids.append(_add(connection, icb_code, one.edit, by))
                    continue
                found = _standing(connection, scope, one.id, icb_code)
                _change(connection, found, one.version or 0, one.edit, by)
                ids.append(found.id)
            except (LookupError, ChangedMeanwhileError) as error:
                reasons[place] = error
        if reasons:
            # Raised inside the transaction: it takes back what was written before.
            raise NotSavedError(reasons)
    return ids


def edit_of(row: Any) -> ActionEdit:
    """What a row of `actions` or `action_history` says."""
    said = {name: getattr(row, name) for name in _WORDS_OF}
    plain: dict[str, Any] = {
        name: None if pd.isna(value) else value for name, value in said.items()
    }
    if plain["meeting_id"] is not None:
        plain["meeting_id"] = int(plain["meeting_id"])
    return ActionEdit(**plain)


def standing_of(row: Any) -> Standing:
    """A row of `actions` as it stands."""
    return Standing(row.id, row.icb_code, row.version, row.changed_at, row.changed_by, edit_of(row))


def _check_board(scope: Scope, icb_code: str) -> None:
    if not icb_code or not scope.admits(icb_code):
        raise LookupError(f"there is no board {icb_code!r}")


def _check_pin(scope: Scope, icb_code: str, edit: ActionEdit) -> None:
    """Nobody writes where they would not see it."""
    if not _admits_pin(scope, icb_code, edit):
        raise LookupError(f"there is no network {edit.pinned_code!r}")


def _admits_pin(scope: Scope, icb_code: str, edit: ActionEdit) -> bool:
    return edit.pinned_kind != "pcn" or scope.admits_network(icb_code, edit.pinned_code or "")


def _seen_by(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """What a reader is shown: of their boards, without what is pinned to networks they are not."""
    pins = scope.shows_pin(_ACTION.icb_code, _ACTION.pinned_kind, _ACTION.pinned_code)
    return scope.within(_ACTION.icb_code), pins


def _standing(
    connection: Connection, scope: Scope, action_id: int, icb_code: str | None = None
) -> Standing:
    """As it stands now; `LookupError` where it is not of the scope, or not of the board named."""
    row = connection.execute(
        select(tables.action).where(_ACTION.id == action_id, *_seen_by(scope))
    ).one_or_none()
    if row is None or icb_code not in (None, row.icb_code):
        raise LookupError(f"there is no action {action_id}")
    return Standing(
        id=row.id,
        icb_code=row.icb_code,
        version=row.version,
        changed_at=in_utc(row.changed_at),
        changed_by=row.changed_by,
        edit=ActionEdit(**{name: getattr(row, name) for name in _WORDS_OF}),
    )


def _add(connection: Connection, icb_code: str, edit: ActionEdit, by: str) -> int:
    _check_meeting(connection, icb_code, edit)
    now = datetime.now(UTC)
    written = connection.execute(
        insert(tables.action).values(
            icb_code=icb_code,
            version=1,
            created_at=now,
            created_by=by,
            changed_at=now,
            changed_by=by,
            **asdict(edit),
        )
    )
    assert written.inserted_primary_key is not None
    action_id = int(written.inserted_primary_key[0])
    _keep_version(connection, action_id, 1, now, edit, by)
    return action_id


def _change(
    connection: Connection, found: Standing, version: int, edit: ActionEdit, by: str
) -> int:
    if edit == found.edit:
        return found.version
    if version != found.version:
        raise ChangedMeanwhileError(found)
    if edit.meeting_id != found.edit.meeting_id:
        _check_meeting(connection, found.icb_code, edit)
    now = datetime.now(UTC)
    connection.execute(
        update(tables.action)
        .where(_ACTION.id == found.id)
        .values(version=version + 1, changed_at=now, changed_by=by, **asdict(edit))
    )
    _keep_version(connection, found.id, version + 1, now, edit, by)
    return version + 1


def _check_meeting(connection: Connection, icb_code: str, edit: ActionEdit) -> None:
    if edit.meeting_id is None:
        return
    mine = select(_MEETING.id).where(_MEETING.id == edit.meeting_id, _MEETING.icb_code == icb_code)
    if connection.scalar(mine) is None:
        raise LookupError(f"there is no meeting {edit.meeting_id}")


def _keep_version(
    connection: Connection, action_id: int, version: int, at: datetime, edit: ActionEdit, by: str
) -> None:
    said = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(edit).items()
    }
    connection.execute(
        insert(tables.action_change).values(
            action_id=action_id,
            version=version,
            changed_at=at,
            changed_by=by,
            content=json.dumps(said, ensure_ascii=False),
        )
    )


def _from_json(content: str) -> ActionEdit:
    said = json.loads(content)
    days = {name: date.fromisoformat(said[name]) for name in _DATES if said[name]}
    return ActionEdit(**said | days)
