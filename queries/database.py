"""Engines for SQLite and PostgreSQL, and bringing a database to the newest form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest form; a test compares it with the migrations.
NEWEST_REVISION = "0007"

# A page that waits longer for a connection than this had better say so.
POOL_WAIT_SECONDS = 5
SQLITE_BUSY_MILLISECONDS = 10_000
# A read of facts takes milliseconds; one that takes this long is a fault, not patience.
POSTGRES_STATEMENT_MILLISECONDS = 30_000
# Any number that no other program on the same database uses.
WRITERS_LOCK = 7_305_111


def make_engine(url: str) -> Engine:
    """An engine with the settings each database needs to lose nothing; no I/O yet.

    Parameters never reach an error message: they may hold what a file said.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=POOL_WAIT_SECONDS,
        connect_args={"options": f"-c statement_timeout={POSTGRES_STATEMENT_MILLISECONDS}"},
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        f"busy_timeout = {SQLITE_BUSY_MILLISECONDS}",
        # Kilobytes: with the usual 2,000 the indexes of a large load are read again and again.
        "cache_size = -64000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: two that read first and write later lose updates.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: all of it, or nothing."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # Writers wait in line, as SQLite makes them: two loads at once can't interleave.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
        yield connection


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest form, from whichever it has, an empty one included."""
    # Only an upgrade needs it, and a start without one is a third of a second shorter.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    with changing_form(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def changing_form(engine: Engine) -> Iterator[Connection]:
    """One transaction that may change tables: all of it, or nothing.

    SQLite changes a table by copying and dropping it, and whatever refers to its rows would be
    deleted with them. So references are enforced at the end only, all at once.
    """
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with engine.connect().execution_options(writes=True) as connection:
        driver: Any = connection.connection.dbapi_connection
        # Inside a transaction it would change nothing.
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("rows would refer to others that are gone: nothing changed")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def revision(engine: Engine) -> str | None:
    """The form the database has now; `None` before the first upgrade."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.exec_driver_sql(
            "SELECT version_num FROM alembic_version"
        ).scalar()
    return found
