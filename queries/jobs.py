"""Files that somebody offered: what became of each, and the checked rows that wait to be loaded."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, true, update
from sqlalchemy.exc import DBAPIError

from queries import tables
from queries.database import WRITERS_LOCK, reading, writing
from queries.frames import in_utc
from queries.scope import EVERYTHING, Scope

# What becomes of a file: read and checked or refused; once confirmed it waits, is loaded,
# and is then loaded, unchanged (the same bytes were in force), failed, or parked.
STATES = (
    "checking",
    "refused",
    "checked",
    "dropped",
    "waiting",
    "loading",
    "loaded",
    "unchanged",
    "failed",
    "parked",
)
UNDER_WAY = ("checking", "waiting", "loading")
# A load that stopped its worker this often would do so again, and others wait behind it.
MOST_ATTEMPTS = 3
# A check that takes longer was cut off: its process is stopped well before.
LONGEST_CHECK = timedelta(minutes=20)
# What nobody confirmed in this time is not kept.
LONGEST_CHECKED = timedelta(days=7)
WORKERS_LOCK = WRITERS_LOCK + 1
# Of several workers one loads at a time; the trail has the number between.
TURN_LOCK = WRITERS_LOCK + 3
# How often a worker looks whether it is its turn.
TURN_SECONDS = 0.1

_JOB, _PIECE = tables.job.c, tables.job_piece.c


@dataclass(frozen=True)
class Job:
    """One file that was offered; `report` is JSON for the screen, made by whoever checked it."""

    id: int
    state: str
    file_name: str
    size_bytes: int
    dataset: str | None
    offered_by: str | None
    offered_at: datetime
    started_at: datetime | None
    attempts: int
    report: str | None
    message: str | None
    load_id: int | None


def offer(
    engine: Engine, file_name: str, size_bytes: int, sha256: str, offered_by: str | None
) -> int:
    """Note that a file is being checked; its number."""
    with writing(engine) as connection:
        return _new(connection, "checking", file_name, size_bytes, sha256, offered_by)


def _new(
    connection: Connection,
    state: str,
    file_name: str,
    size_bytes: int,
    sha256: str | None,
    offered_by: str | None,
) -> int:
    number: int = connection.execute(
        insert(tables.job)
        .values(
            state=state,
            file_name=file_name,
            size_bytes=size_bytes,
            sha256=sha256,
            offered_by=offered_by,
            offered_at=datetime.now(UTC),
            attempts=0,
        )
        .returning(_JOB.id)
    ).scalar_one()
    return number


def keep_piece(engine: Engine, job_id: int, place: int, content: bytes) -> None:
    """Keep a piece of the checked rows."""
    with writing(engine) as connection:
        connection.execute(
            insert(tables.job_piece).values(job_id=job_id, place=place, content=content)
        )


def pieces(engine: Engine, job_id: int) -> Iterator[bytes]:
    """The pieces of the checked rows, one in memory at a time."""
    place = 0
    while True:
        with reading(engine, EVERYTHING) as connection:
            found = connection.scalar(
                select(_PIECE.content).where(_PIECE.job_id == job_id, _PIECE.place == place)
            )
        if found is None:
            return
        yield found
        place += 1


def checked(engine: Engine, job_id: int, dataset: str, report: str, left_out: pd.DataFrame) -> None:
    """The file can be loaded; `left_out` has one row per broken rule of the rows that cannot.

    Not one whose check took so long that `recover` gave it up: what is kept of it may be half.
    """
    with writing(engine) as connection:
        is_awaited = connection.execute(
            update(tables.job)
            .where(_JOB.id == job_id, _JOB.state == "checking")
            .values(state="checked", dataset=dataset, report=report)
        ).rowcount
        if is_awaited:
            _keep_problems(connection, job_id, left_out)
        else:
            connection.execute(delete(tables.job_piece).where(_PIECE.job_id == job_id))


def refused(
    engine: Engine, job_id: int, message: str, problems: pd.DataFrame, report: str | None = None
) -> None:
    """The file is refused: nothing of it is kept but what is wrong with it."""
    with writing(engine) as connection:
        _keep_problems(connection, job_id, problems)
        connection.execute(update(tables.job).where(_JOB.id == job_id).values(report=report))
        _end(connection, job_id, "refused", message)


def note_loaded(
    connection: Connection, load_id: int, file_name: str, size_bytes: int, sha256: str,
    offered_by: str | None, left_out: pd.DataFrame | None,
) -> None:  # fmt: skip
    """Note, in the transaction of a load, a file that was checked and loaded in one go."""
    job_id = _new(connection, "loading", file_name, size_bytes, sha256, offered_by)
    if left_out is not None:
        _keep_problems(connection, job_id, left_out)
    loaded(connection, job_id, load_id)


def _keep_problems(connection: Connection, job_id: int, problems: pd.DataFrame) -> None:
    if len(problems):
        plain = problems.astype(object).where(problems.notna(), None).assign(job_id=job_id)
        connection.execute(insert(tables.job_problem), plain.to_dict("records"))  # type: ignore[arg-type]


def queue(engine: Engine, job_id: int) -> bool:
    """Let a checked file be loaded; whether it was its turn, since a second click is none.

    A file that failed or was parked may be tried again.
    """
    with writing(engine) as connection:
        return (
            connection.execute(
                update(tables.job)
                .where(_JOB.id == job_id, _JOB.state.in_(["checked", "failed", "parked"]))
                .values(state="waiting", attempts=0, message=None, ended_at=None)
            ).rowcount
            > 0
        )


def drop(engine: Engine, job_id: int) -> bool:
    """Forget the checked rows of a file that is not wanted; whether there were any."""
    with writing(engine) as connection:
        states = ["checked", "failed", "parked"]
        found = connection.scalar(select(_JOB.id).where(_JOB.id == job_id, _JOB.state.in_(states)))
        if found:
            _end(connection, job_id, "dropped", "Not loaded: taken away before it was confirmed.")
        return found is not None


def take_next(engine: Engine) -> int | None:
    """The number of the file that waited longest, marked as being loaded; `None` for none."""
    # Not behind a load from the command line, which runs for minutes.
    with writing(engine, in_line=False) as connection:
        job_id: int | None = connection.scalar(
            select(_JOB.id)
            .where(_JOB.state == "waiting")
            .order_by(_JOB.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if job_id is not None:
            connection.execute(
                update(tables.job)
                .where(_JOB.id == job_id)
                .values(state="loading", attempts=_JOB.attempts + 1, started_at=datetime.now(UTC))
            )
    return job_id


def loaded(connection: Connection, job_id: int, load_id: int) -> None:
    """The file is loaded: said in the transaction of the load, so both hold or neither."""
    dataset = select(tables.load.c.dataset).where(tables.load.c.id == load_id).scalar_subquery()
    _end(connection, job_id, "loaded", None)
    connection.execute(
        update(tables.job).where(_JOB.id == job_id).values(load_id=load_id, dataset=dataset)
    )


def ended(engine: Engine, job_id: int, state: str, message: str) -> None:
    """The file was not loaded, and why. One that failed keeps its rows, to be tried again."""
    with writing(engine) as connection:
        _end(connection, job_id, state, message)


def _end(connection: Connection, job_id: int, state: str, message: str | None) -> None:
    connection.execute(
        update(tables.job)
        .where(_JOB.id == job_id)
        .values(state=state, message=message, ended_at=datetime.now(UTC))
    )
    if state not in ("failed", "parked"):
        connection.execute(delete(tables.job_piece).where(_PIECE.job_id == job_id))


def recover(engine: Engine) -> None:
    """Put right what a stopped process left behind; only by the worker whose turn it is: whatever else
    is being loaded has lost its worker.

    A load that was cut off left nothing in the database, and waits again, unless it stopped
    its worker `MOST_ATTEMPTS` times. A check that was cut off has to be made again.
    """
    now = datetime.now(UTC)
    left_behind = (
        (_JOB.state == "loading")
        | (_JOB.state == "checking") & (_JOB.offered_at < now - LONGEST_CHECK)
        | (_JOB.state == "checked") & (_JOB.offered_at < now - LONGEST_CHECKED)
    )
    # Asked often, and hardly ever true: nobody else has to wait for that.
    with reading(engine, EVERYTHING) as connection:
        if connection.scalar(select(_JOB.id).where(left_behind).limit(1)) is None:
            return
    with writing(engine, in_line=False) as connection:
        orphans = update(tables.job).where(_JOB.state == "loading")
        connection.execute(
            orphans.where(_JOB.attempts >= MOST_ATTEMPTS).values(
                state="parked",
                ended_at=now,
                message=f"Parked: the worker stopped {MOST_ATTEMPTS} times while it loaded this "
                "file. Nothing of it was loaded; other files go on.",
            )
        )
        connection.execute(orphans.values(state="waiting"))
        for job_id in connection.scalars(
            select(_JOB.id).where(_JOB.state == "checking", _JOB.offered_at < now - LONGEST_CHECK)
        ).all():
            message = "The check was cut off and nothing was loaded: send the file again."
            _end(connection, job_id, "refused", message)
        for job_id in connection.scalars(
            select(_JOB.id).where(_JOB.state == "checked", _JOB.offered_at < now - LONGEST_CHECKED)
        ).all():
            days = LONGEST_CHECKED.days
            _end(connection, job_id, "dropped", f"Not confirmed within {days} days.")


def open_jobs(engine: Engine, scope: Scope, who: str, finished_since: datetime) -> list[Job]:
    """One per file that waits for something, or that ended since then; the newest first.

    A reader who may not see every board sees what they offered themselves.
    """
    fields = [_JOB[name] for name in Job.__dataclass_fields__]
    statement = (
        select(*fields)
        .where(
            _JOB.state.in_([*UNDER_WAY, "checked", "failed", "parked"])
            | (_JOB.ended_at >= finished_since),
            true() if scope.icb_codes is None else _JOB.offered_by == who,
        )
        .order_by(_JOB.id.desc())
    )
    with reading(engine, scope, who) as connection:
        return [_job(row) for row in connection.execute(statement).mappings()]


def _job(row: RowMapping) -> Job:
    started = row["started_at"] and in_utc(row["started_at"])
    return Job(**{**row, "offered_at": in_utc(row["offered_at"]), "started_at": started})


def one(engine: Engine, job_id: int) -> Job:
    """The file of this number; `LookupError` when there is none."""
    with reading(engine, EVERYTHING) as connection:
        row = connection.execute(
            select(*[_JOB[name] for name in Job.__dataclass_fields__]).where(_JOB.id == job_id)
        ).mappings().first()  # fmt: skip
    if row is None:
        raise LookupError(f"there is no job {job_id}")
    return _job(row)


def same_under_way(engine: Engine, sha256: str) -> bool:
    """Whether the same bytes are being checked, wait to be confirmed, or are being loaded."""
    with reading(engine, EVERYTHING) as connection:
        states = [*UNDER_WAY, "checked"]
        found = select(func.count()).where(_JOB.sha256 == sha256, _JOB.state.in_(states))
        return bool(connection.scalar(found))


@contextmanager
def workers_lock(
    engine: Engine, wait_seconds: float = 0.0
) -> Iterator[Callable[[], object] | None]:
    """Be a worker of the database, of which an SQLite file has one: `None` where another is. The system
    lets go when it dies.

    What it yields raises `DBAPIError` once the lock was lost: PostgreSQL forgets it when it restarts.
    """
    if engine.dialect.name == "postgresql":
        with _lock(engine, WORKERS_LOCK, wait_seconds, "_shared") as check:
            yield check
        return
    beside = sqlite3.connect(f"{engine.url.database}.worker", timeout=wait_seconds)
    try:
        try:
            beside.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            yield None
        else:
            yield lambda: None
    finally:
        beside.close()


@contextmanager
def turn(engine: Engine, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Whether it is this worker's turn: of several on PostgreSQL one takes a file and loads it."""
    if engine.dialect.name != "postgresql":
        # It is the only one.
        yield True
        return
    with _lock(engine, TURN_LOCK, wait_seconds) as check:
        yield check is not None


@contextmanager
def _lock(
    engine: Engine, number: int, wait_seconds: float, kind: str = ""
) -> Iterator[Callable[[], object] | None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until = time.monotonic() + wait_seconds
        ask = f"SELECT pg_try_advisory_lock{kind}({number})"
        while not (mine := bool(connection.exec_driver_sql(ask).scalar())):
            if time.monotonic() >= until:
                break
            time.sleep(TURN_SECONDS)
        try:
            yield partial(connection.exec_driver_sql, "SELECT 1") if mine else None
        finally:
            if mine and not connection.invalidated:
                # Where the connection is lost, so is the lock.
                with suppress(DBAPIError):
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock{kind}({number})")
