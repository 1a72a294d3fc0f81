"""What was offered and loaded, what each load replaced, and taking a load back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Engine, func, literal, null, select, true, update

from queries import tables, trail
from queries.database import reading, writing
from queries.frames import in_utc, moments, read_frame
from queries.load import bump_version, count_scores, parts_changed_by
from queries.loads import LOCAL_RETURNS
from queries.places import rebuild_wards
from queries.scope import Scope

_LOAD, _PART, _JOB = tables.load.c, tables.load_part.c, tables.job.c


class UndoError(ValueError):
    """A load that cannot be taken back, and why."""


@dataclass(frozen=True)
class UndoRecord:
    """What taking a load back did to the parts in force.

    `leaves_demonstration` says that nothing is in force any more, and that before the loads
    there was the demonstration.
    """

    file_name: str
    parts_withdrawn: int
    parts_restored: int
    leaves_demonstration: bool


def undo(
    engine: Engine, load_id: int, undone_by: str | None, person_id: int = trail.NOBODY
) -> UndoRecord:
    """Take a load back: what it replaced is in force again, as if it had never been loaded.

    Later loads of the same parts stay in force, and what they replaced is then what this load
    had replaced. `UndoError` when there is no such load, or it was taken back before.
    """
    with writing(engine) as connection:
        load = connection.execute(select(tables.load).where(_LOAD.id == load_id)).first()
        if load is None or load.is_demonstration:
            raise UndoError(f"There is no load {load_id} to undo: `history` lists them.")
        if load.undone_at is not None:
            raise UndoError(
                f"Load {load_id} was undone on {in_utc(load.undone_at):%d %B %Y}: to have it "
                "again, load the file again."
            )
        mine = tables.load_part.alias("mine")
        is_mine = mine.c.load_id == load_id
        in_force = select(mine.c.part_key).where(is_mine, mine.c.replaced_by.is_(None))
        withdrawn = connection.scalar(select(func.count()).select_from(in_force.subquery())) or 0
        before = (_PART.replaced_by == load_id) & (_PART.dataset == load.dataset)
        restored = (
            connection.scalar(select(func.count()).where(before, _PART.part_key.in_(in_force))) or 0
        )
        newer = (
            select(mine.c.replaced_by)
            .where(is_mine, mine.c.part_key == _PART.part_key)
            .scalar_subquery()
        )
        changed = parts_changed_by(connection, load_id)
        connection.execute(update(tables.load_part).where(before).values(replaced_by=newer))
        connection.execute(
            update(tables.load_part).where(_PART.load_id == load_id).values(replaced_by=load_id)
        )
        connection.execute(
            update(tables.load)
            .where(_LOAD.id == load_id)
            .values(undone_at=datetime.now(UTC), undone_by=undone_by)
        )
        trail.note(connection, trail.UNDONE, person_id, {"load": load_id, "dataset": load.dataset})
        rebuild_wards(connection)
        count_scores(connection, changed)
        bump_version(connection)
        left = connection.scalar(select(func.count()).where(_PART.replaced_by.is_(None)))
        if left and load.removed_demonstration:
            # Had it never been loaded, the next one would have removed the demonstration.
            following = select(func.min(_LOAD.id)).where(
                _LOAD.id > load_id, _LOAD.undone_at.is_(None)
            )
            connection.execute(
                update(tables.load)
                .where(_LOAD.id == following.scalar_subquery())
                .values(removed_demonstration=True)
            )
    return UndoRecord(
        load.file_name, withdrawn, restored, bool(load.removed_demonstration) and not left
    )


def history(engine: Engine, scope: Scope) -> pd.DataFrame:
    """One row per file offered or loaded, the newest first.

    `rows_out` counts the rows kept; `parts_in_force` is 0 for a load that was
    undone or replaced whole. A reader who may not see every board is told of published files
    only. Files of the demonstration are left out.
    """
    parts = (
        select(
            _PART.load_id,
            func.sum(_PART.row_count).label("rows_out"),
            func.count().filter(_PART.replaced_by.is_(None)).label("parts_in_force"),
        )
        .group_by(_PART.load_id)
        .subquery()
    )
    everybody = scope.icb_codes is None
    loads = (
        select(
            _LOAD.id.label("load_id"),
            _JOB.id.label("job_id"),
            _LOAD.loaded_at.label("at"),
            _LOAD.loaded_by.label("who"),
            _LOAD.file_name,
            _LOAD.sha256,
            _LOAD.dataset,
            literal("loaded").label("state"),
            _LOAD.vintage,
            _LOAD.rows_read.label("rows_in"),
            parts.c.rows_out,
            _LOAD.rows_refused,
            parts.c.parts_in_force,
            _LOAD.undone_at,
            _LOAD.notes.label("message"),
        )
        .outerjoin(tables.job, _JOB.load_id == _LOAD.id)
        .outerjoin(parts, parts.c.load_id == _LOAD.id)
        .where(
            _LOAD.is_demonstration.is_(False),
            true() if everybody else _LOAD.dataset.not_in(LOCAL_RETURNS),
        )
    )
    others = select(
        null().label("load_id"),
        _JOB.id,
        _JOB.offered_at,
        _JOB.offered_by,
        _JOB.file_name,
        _JOB.sha256,
        _JOB.dataset,
        _JOB.state,
        null(),
        null(),
        null(),
        null(),
        null(),
        null(),
        _JOB.message,
    ).where(*_ended_without_a_load(scope))
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            loads.union_all(others).order_by("at", "job_id"),
            {
                "load_id": "Int64",
                "job_id": "Int64",
                "at": "object",
                "who": "str",
                "file_name": "str",
                "sha256": "str",
                "dataset": "str",
                "state": "str",
                "vintage": "str",
                "rows_in": "Int64",
                "rows_out": "Int64",
                "rows_refused": "Int64",
                "parts_in_force": "Int64",
                "undone_at": "object",
                "message": "str",
            },
        )
    return moments(frame, "at", "undone_at").iloc[::-1].reset_index(drop=True)


def history_mark(engine: Engine, scope: Scope) -> tuple[object, ...]:
    """What is another whenever `history` is, but for loads and undoing, which change the data's version:
    files that were refused or left."""
    newest = select(func.count(), func.max(_JOB.id), func.max(_JOB.ended_at))
    with reading(engine, scope) as connection:
        return tuple(connection.execute(newest.where(*_ended_without_a_load(scope))).one())


def _ended_without_a_load(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (
        _JOB.load_id.is_(None),
        _JOB.ended_at.is_not(None),
        true() if scope.icb_codes is None else _JOB.dataset.not_in(LOCAL_RETURNS),
    )


def problems(engine: Engine, scope: Scope, job_id: int) -> pd.DataFrame:
    """One row per broken rule of a file: row and column of the file, rule, and what was found,
    masked."""
    problem = tables.job_problem.c
    seen = true() if scope.icb_codes is None else _JOB.dataset.not_in(LOCAL_RETURNS)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(problem.row, problem.column, problem.rule, problem.found)
            .join(tables.job, _JOB.id == problem.job_id)
            .where(problem.job_id == job_id, seen)
            .order_by(problem.id),
            {"row": "Int64", "column": "str", "rule": "str", "found": "str"},
        )


def periods_in_force(engine: Engine, scope: Scope) -> pd.DataFrame:
    """One row per dataset and period in force: how many parts, and when the newest was loaded.

    Datasets without a period have one row each, with its dates missing.
    """
    seen = true() if scope.icb_codes is None else _PART.dataset.not_in(LOCAL_RETURNS)
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            select(
                _PART.dataset,
                _PART.period_start,
                _PART.period_end,
                func.count().label("parts"),
                func.max(_LOAD.loaded_at).label("loaded_at"),
            )
            .join(tables.load, _LOAD.id == _PART.load_id)
            .where(_PART.replaced_by.is_(None), seen)
            .group_by(_PART.dataset, _PART.period_start, _PART.period_end)
            .order_by(_PART.dataset, _PART.period_start),
            {
                "dataset": "str",
                "period_start": "object",
                "period_end": "object",
                "parts": "int64",
                "loaded_at": "object",
            },
        )
    return moments(frame, "loaded_at")


def replaced_by_parts(engine: Engine, dataset: str, part_keys: list[str]) -> pd.DataFrame:
    """One row per part in force that a load of these parts would replace: part_key, row_count."""
    found: list[Any] = []
    with engine.connect() as connection:
        for start in range(0, len(part_keys), 500):
            found += connection.execute(
                select(_PART.part_key, _PART.row_count)
                .join(tables.load, _LOAD.id == _PART.load_id)
                .where(
                    _PART.dataset == dataset,
                    _PART.part_key.in_(part_keys[start : start + 500]),
                    _PART.replaced_by.is_(None),
                    # The demonstration makes way as a whole.
                    _LOAD.is_demonstration.is_(False),
                )
            ).all()
    frame = pd.DataFrame(found, columns=["part_key", "row_count"])
    return frame.astype({"part_key": "str", "row_count": "int64"})


def pcn_returns(engine: Engine, scope: Scope, icb_code: str, since: date) -> pd.DataFrame:
    """One row per dataset, PCN and month in force since then: `workforce` and `referrals`."""
    returned, fact = tables.workforce_return.c, tables.referral_fact.c
    mine = select(tables.practice.c.pcn_code).where(
        tables.practice.c.icb_code == icb_code, scope.within(tables.practice.c.icb_code)
    )
    in_force = _PART.replaced_by.is_(None)
    staff = (
        select(
            literal("workforce").label("dataset"), returned.pcn_code, _PART.period_end.label("day")
        )
        .join(tables.load_part, _PART.id == returned.part_id)
        .where(
            in_force,
            returned.icb_code == icb_code,
            scope.within(returned.icb_code),
            _PART.period_end >= since,
        )
    )
    referred = (
        select(literal("referrals"), fact.pcn_code, fact.month)
        .join(tables.load_part, _PART.id == fact.part_id)
        .where(in_force, fact.pcn_code.in_(mine), fact.month >= since)
    )
    with reading(engine, scope) as connection:
        rows = read_frame(
            connection,
            staff.union(referred),
            {"dataset": "str", "pcn_code": "str", "day": "object"},
        )
    rows["month"] = pd.Series([day.replace(day=1) for day in rows["day"]], rows.index, dtype=object)
    return rows.drop(columns="day").drop_duplicates(ignore_index=True)
