"""What is asked of an SQLite file as a file: a copy of it, whether it is sound, whether it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

# How long somebody else may still be closing the file.
WAIT_SECONDS = 2.0
# What SQLite keeps beside a file while it is in use.
SIDE_FILES = ("-wal", "-shm", "-journal")


def write_copy(engine: Engine, path: Path) -> None:
    """Write the database as it stands now to an empty file, while others read and write.

    What was deleted from the database is not in the copy. `sqlite3.Error` when it can't be done.
    """
    with closing(engine.raw_connection()) as raw:
        driver = raw.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("VACUUM INTO ?", (str(path),))


def fault_of(path: Path) -> str | None:
    """What is wrong with a file that nobody uses, in a few words; `None` for nothing."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                return "it is damaged"
            if connection.execute("PRAGMA foreign_key_check").fetchone():
                return "rows refer to others that are not there"
            if not connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone():
                return "it is no database of the dashboard"
    except sqlite3.Error:
        return "it is no SQLite database, or it is damaged"
    return None


def settle(path: Path) -> bool:
    """Bring all of a database into its one file; `False` while somebody else has it open.

    `sqlite3.DatabaseError` where the file is damaged.
    """
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                return False
            raise
    return bool(mode == "delete")
