"""What a person sees when a page fails: an id and what to do, never the data."""

from __future__ import annotations

import secrets
from typing import Literal

from dashboard import logs, metrics


class NotThereError(LookupError):
    """Something that is not there, or not to be seen: nobody is told which."""


class NotReadyError(RuntimeError):
    """The dashboard can't start yet; the message says what to do, and holds no data."""


# Every connection of this process was in use for as long as a page waits for one.
BUSY = (
    "The database is busy: too many pages ask at once. Nothing was changed. Try again in a moment; if it "
    "goes on, whoever runs the dashboard can raise pool_size."
)


def is_waiting_in_vain(error: Exception) -> bool:
    """Whether it is of waiting for a connection of this process that never became free."""
    # A command or a child that fails for another reason has no need of it.
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    return isinstance(error, PoolTimeoutError)


def report_error(error: Exception, of: Literal["page", "request", "work"] = "work") -> str:
    """Log the error under an id, and count it; the words that name it: 'error 1a2b3c4d'."""
    error_id = secrets.token_hex(4)
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
    if is_waiting_in_vain(error):
        report_error(error, "page")
        st.error(BUSY)
        return True
    st.error(
        f"This page could not be shown ({report_error(error, 'page')}). Nothing was changed. "
        "Try again; if it comes back, give the error number to whoever runs the dashboard.",
    )
    return True
