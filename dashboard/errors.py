"""What a person sees when a page fails: an id and what to do, never the data."""

from __future__ import annotations

import secrets
import threading
from typing import Literal

from dashboard import logs, metrics


class NotThereError(LookupError):
    """Something that is not there, or not to be seen: nobody is told which."""


class NotReadyError(RuntimeError):
    """The dashboard can't start yet; the message says what to do, and holds no data."""


# What a person is told when the database is at fault; the number of the error comes behind.
AWAY = "The database does not answer at the moment. Nothing was changed; try again in a minute."
IN_DOUBT = (
    "The database stopped answering at the moment of saving. Look whether it was saved before you do it "
    "again."
)
# Every connection was in use for as long as a page waits for one.
BUSY = (
    "The database is busy: too many pages ask at once. Nothing was changed. Try again in a moment; if it "
    "goes on, whoever runs the dashboard can raise pool_size."
)
SLOW = (
    "The database took too long to answer. Nothing was changed; try again in a moment, or choose a "
    "smaller area."
)
LOCKED = (
    "Somebody else has been writing to the database for too long. Nothing was changed; try again in a "
    "minute."
)
READ_ONLY = (
    "The database can only be read: nothing was saved. Whoever runs the dashboard must make its file and "
    "folder writable."
)
FULL = (
    "The disk of the database is full: nothing was saved. Whoever runs the dashboard must make room; then "
    "try again."
)
UNREADABLE = (
    "The database file could not be read or written. Nothing was changed. Whoever runs the dashboard must "
    "look at its disk."
)
GONE = (
    "The database file is gone, or can't be opened. Nothing was changed, and nothing was made in its "
    "place. Whoever runs the dashboard must put it back or restore the newest backup."
)
DAMAGED = (
    "The database file is damaged. Stop the dashboard and restore the newest backup (python -m dashboard "
    "restore FILE --replace)."
)
# By SQLite's number of an error, without what it adds in the higher bits.
_OF_SQLITE = {
    5: LOCKED, 6: LOCKED, 8: READ_ONLY, 10: UNREADABLE, 11: DAMAGED, 13: FULL, 14: GONE, 26: DAMAGED,
}  # fmt: skip
# By PostgreSQL's code of an error.
_OF_POSTGRES = {
    "25006": READ_ONLY, "53100": FULL, "53300": BUSY, "57014": SLOW, "55P03": LOCKED, "XX001": DAMAGED,
    "XX002": DAMAGED,
}  # fmt: skip
# Set from the first sign of damage to the end of the process: damage does not mend itself.
damage = threading.Event()


def fault_of_database(error: BaseException) -> str | None:
    """What to say of an error that is the database's, in fixed words; `None` for any other."""
    # A command or a child that fails for another reason has no need of it.
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    if isinstance(error, PoolTimeoutError):
        return BUSY
    if not isinstance(error, DBAPIError):
        return None
    number = getattr(error.orig, "sqlite_errorcode", None)
    if number is not None:
        return _OF_SQLITE.get(number & 0xFF)
    if told := _OF_POSTGRES.get(getattr(error.orig, "sqlstate", None) or ""):
        return told
    if error.connection_invalidated and error.statement is None:
        return IN_DOUBT
    return AWAY if isinstance(error, InterfaceError | OperationalError) else None


def report_error(error: Exception, of: Literal["page", "request", "work"] = "work") -> str:
    """Log the error under an id, and count it; the words that name it: 'error 1a2b3c4d'."""
    error_id = secrets.token_hex(4)
    if fault_of_database(error) == DAMAGED:
        damage.set()
    logs.log.error("error", error_id=error_id, of=of, **logs.told(error))
    metrics.count_error(of)
    return f"error {error_id}"


def show_error_id(error: Exception) -> bool:
    """Log the error under an id and show the id; handled, so Streamlit shows nothing more."""
    # The worker has no screen, and would take a second longer to start.
    import streamlit as st

    if isinstance(error, NotReadyError):
        st.error(str(error))
        return True
    if isinstance(error, NotThereError):
        st.error("Not found: it is not here, or not for you. Choose again at the left.")
        return True
    if fault := fault_of_database(error):
        st.error(f"{fault} ({report_error(error, 'page')})")
        return True
    st.error(
        f"This page could not be shown ({report_error(error, 'page')}). Nothing was changed. "
        "Try again; if it comes back, give the error number to whoever runs the dashboard.",
    )
    return True
