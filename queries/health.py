"""What the health checks and the metrics ask of the database: short questions of their own."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, NullPool, create_engine, func, select, text
from sqlalchemy.engine import make_url

from queries import tables
from queries.database import NEWEST_REVISION, reading, revision
from queries.jobs import WORKERS_LOCK
from queries.scope import EVERYTHING

# libpq takes no less.
CONNECT_SECONDS = 2
STATEMENT_MILLISECONDS = 1_500

_JOB, _LOAD = tables.job.c, tables.load.c


@dataclass(frozen=True)
class Found:
    """What a database says of itself; counts are of all boards.

    `waiting` are the numbers of the jobs that wait to be loaded. Of a database of another form
    only the revision is known.
    """

    revision: str | None
    worker_at_work: bool = False
    waiting: tuple[int, ...] = ()
    jobs: dict[str, int] = field(default_factory=dict)
    loads: dict[str, int] = field(default_factory=dict)

    @property
    def has_newest_form(self) -> bool:
        """Whether the form is the one that this version needs."""
        return self.revision == NEWEST_REVISION


def probe_engine(url: str) -> Engine:
    """An engine for PostgreSQL that connects anew for every question, and waits for none.

    A connection kept from before a fault would hang with it, long after the database is back.
    """
    return create_engine(
        make_url(url),
        hide_parameters=True,
        poolclass=NullPool,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            # What was sent and is not acknowledged ends the connection.
            "tcp_user_timeout": CONNECT_SECONDS * 1_000,
            "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}",
        },
    )


def ask(engine: Engine) -> Found:
    """What the database says of itself; raises what the driver raises when it does not answer."""
    found = revision(engine)
    if found != NEWEST_REVISION:
        return Found(found)
    with reading(engine, EVERYTHING) as connection:
        waiting = connection.scalars(select(_JOB.id).where(_JOB.state == "waiting")).all()
        jobs = _counted(connection, _JOB.state)
        loads = _counted(connection, _LOAD.dataset)
    return Found(found, worker_at_work(engine), tuple(waiting), jobs, loads)


def _counted(connection: Connection, of: Column[Any]) -> dict[str, int]:
    rows = connection.execute(select(of.label("kind"), func.count().label("n")).group_by(of))
    return {row.kind: row.n for row in rows}


def worker_at_work(engine: Engine) -> bool:
    """Whether a process holds the worker's lock; asked without taking it."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            return bool(
                connection.scalar(
                    text(
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                        "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                        " AND classid = 0 AND objid = :number AND objsubid = 1"
                    ),
                    {"number": WORKERS_LOCK},
                )
            )
    path = Path(f"{engine.url.database}.worker")
    if not path.exists():
        return False
    beside = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0)
    try:
        beside.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    finally:
        beside.close()
    return False
