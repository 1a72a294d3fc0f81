"""Engines for SQLite and PostgreSQL, and bringing a database to the newest form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

from queries.scope import EVERYTHING, Scope

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest form; a test compares it with the migrations.
NEWEST_REVISION = "0009"

# The oldest PostgreSQL on which everything is tested to be as it is said to be.
OLDEST_POSTGRES = 15
# A page that waits longer for a connection than this had better say so.
POOL_WAIT_SECONDS = 5
CONNECT_SECONDS = 5
# A server that is not there any more, without a word: what was sent and not acknowledged for so long
# ends the connection; and one that only waits is asked after so long whether anybody is there.
UNHEARD_MILLISECONDS = 8_000
KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2}
SQLITE_BUSY_MILLISECONDS = 10_000
# A read of facts takes milliseconds; one that takes this long is a fault, not patience.
POSTGRES_STATEMENT_MILLISECONDS = 30_000
# The server ends what takes longer itself: who has no answer by then gets none. Whether a connection
# that was kept still works is asked in no time.
ANSWER_SECONDS = POSTGRES_STATEMENT_MILLISECONDS / 1_000 + 5
STILL_THERE_SECONDS = 5.0
# What a transaction on PostgreSQL says of whose rows it may see.
SCOPE_SETTING = "dashboard.icb_codes"
# And in whose name, where rows are of a person.
READER_SETTING = "dashboard.reader"
# Any number that no other program on the same database uses.
WRITERS_LOCK = 7_305_111


@dataclass(frozen=True)
class Connections:
    """How many connections an engine keeps and opens for a moment, and the name by which the server
    lists them."""

    kept: int = 5
    more: int = 5
    name: str = "dashboard"


def make_engine(
    url: str, connections: Connections | None = None, *, may_make_file: bool = True
) -> Engine:
    """An engine with the settings each database needs to lose nothing; no I/O yet.

    Parameters never reach an error message: they may hold what a file said. Unless it `may_make_file`,
    an SQLite file that is not there is an error, also when it was there a moment ago.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, hide_parameters=True)
        if parsed.database and parsed.database != ":memory:" and not may_make_file:
            _keep_to_file(engine, Path(parsed.database))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    chosen = connections or Connections()
    engine = create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=chosen.kept,
        max_overflow=chosen.more,
        pool_timeout=POOL_WAIT_SECONDS,
        connect_args={
            "options": f"-c statement_timeout={POSTGRES_STATEMENT_MILLISECONDS}",
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": UNHEARD_MILLISECONDS,
            **KEEPALIVES,
            "application_name": chosen.name,
        },
    )
    event.listen(engine, "do_connect", _connect_patiently)
    # On the way back to the pool, and from there to whoever asks next, a word is enough.
    event.listen(engine, "reset", lambda driver, *_: _wait_for(driver, STILL_THERE_SECONDS))
    event.listen(engine, "checkout", lambda driver, *_: _wait_for(driver, ANSWER_SECONDS))
    return engine


def _connect_patiently(_dialect: Any, _record: Any, args: Any, given: Any) -> Any:
    # SQLite has no need of it.
    from queries.patience import PatientConnection

    made = PatientConnection.connect(*args, **given)
    made.patience = STILL_THERE_SECONDS
    return made


def _wait_for(driver: Any, seconds: float | None) -> None:
    driver.patience = seconds


def take_time(connection: Connection) -> None:
    """PostgreSQL: what follows in this transaction takes as long as it takes."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    _wait_for(connection.connection.dbapi_connection, None)


def why_not_this_server(engine: Engine) -> str:
    """Why this server of PostgreSQL is refused; "" where it is not, and for SQLite."""
    if engine.dialect.name != "postgresql":
        return ""
    with engine.connect() as connection:
        found = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
    if found >= OLDEST_POSTGRES:
        return ""
    return (
        f"The server is PostgreSQL {found}, and version {OLDEST_POSTGRES} or newer "
        "is needed: let whoever runs it upgrade it. Nothing was changed."
    )


def _keep_to_file(engine: Engine, path: Path) -> None:
    """Let the engine use the file of this name only, and make none.

    What is written to a file that was deleted or moved goes on as if all were well, and is lost.
    """

    def connect(_dialect: Any, _record: Any, args: list[Any], given: dict[str, Any]) -> None:
        args[:] = [f"{path.resolve().as_uri()}?mode=rw"]
        given["uri"] = True

    def remember(_driver: Any, record: Any) -> None:
        record.info["file"] = _identity(path)

    def check(_driver: Any, record: Any, _proxy: Any) -> None:
        if record.info.get("file") != _identity(path):
            # The pool connects again: to the file that is there now, if there is one.
            raise DisconnectionError

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", check)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
def reading(engine: Engine, scope: Scope, who: str = "") -> Iterator[Connection]:
    """One transaction that reads for somebody: PostgreSQL's row-level security goes by the scope too,
    so that a query that forgets it finds nothing of another board. `who` where rows are a person's."""
    with engine.connect() as connection:
        _say_for_whom(connection, scope, who)
        yield connection


def _say_for_whom(connection: Connection, scope: Scope, who: str = "") -> None:
    if connection.dialect.name == "postgresql":
        # Until the end of this transaction only: the next user of the connection is another.
        said = {SCOPE_SETTING: scope.as_text(), READER_SETTING: who}
        connection.execute(select(*(func.set_config(*each, True) for each in said.items())))


@contextmanager
def writing(
    engine: Engine, *, scope: Scope = EVERYTHING, in_line: bool = True, patient: bool = False
) -> Iterator[Connection]:
    """One transaction that writes: all of it, or nothing.

    With a scope PostgreSQL refuses rows of other boards; a load, and what belongs to no board, is
    written without one. Not `in_line` is for a single row that no load touches: where the database has
    more than one writer it does not wait for a load that runs for minutes. `patient` is a load for
    which nobody waits: it takes as long as those before it and it take.
    """
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if patient and connection.dialect.name == "postgresql":
            take_time(connection)
        if in_line and connection.dialect.name == "postgresql":
            # Writers wait in line, as SQLite makes them: two loads at once can't interleave.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
        _say_for_whom(connection, scope)
        yield connection


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest form, from whichever it has, an empty one included."""
    with changing_form(engine) as connection:
        bring_to(connection, "head")


def bring_to(connection: Connection, form: str) -> None:
    """The same to any form, inside a transaction of `changing_form`."""
    # Only an upgrade needs it, and a start without one is a third of a second shorter.
    from alembic import command

    from queries import database_roles, row_security

    config = _migrations()
    config.attributes["connection"] = connection
    # A policy would hold the columns that it names.
    row_security.remove(connection)
    command.upgrade(config, form)
    if form_of(connection) == NEWEST_REVISION:
        row_security.apply(connection)
        database_roles.give_rights_again(connection)


def is_known(form: str | None) -> bool:
    """Whether this version can read the form, or bring it to the newest; `None` is of an empty one."""
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(_migrations()).walk_revisions()
    return form is None or form in {each.revision for each in known}


def _migrations() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    return config


@contextmanager
def changing_form(engine: Engine) -> Iterator[Connection]:
    """One transaction that may change tables: all of it, or nothing.

    SQLite changes a table by copying and dropping it, and whatever refers to its rows would be
    deleted with them. So references are enforced at the end only, all at once.
    """
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            # Every row may be read and written: that takes as long as it takes.
            take_time(connection)
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
        return form_of(connection)


def form_of(connection: Connection) -> str | None:
    """The same inside a transaction."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar()
    return found
