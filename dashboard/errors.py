"""What a person sees when a page fails: an id and what to do, never the data."""

from __future__ import annotations

import logging
import secrets
import traceback


class NotReadyError(RuntimeError):
    """The dashboard can't start yet; the message says what to do, and holds no data."""


_LOG = logging.getLogger("dashboard")


def report_error(error: Exception) -> str:
    """Log the error under an id; the words that name it: 'error 1a2b3c4d'."""
    error_id = secrets.token_hex(4)
    # The type and the place, not the message: a message may hold what a file said.
    place = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("error %s: %s\n%s", error_id, type(error).__name__, place)
    return f"error {error_id}"


def show_error_id(error: Exception) -> bool:
    """Log the error under an id and show the id; handled, so Streamlit shows nothing more."""
    # The worker has no screen, and would take a second longer to start.
    import streamlit as st

    if isinstance(error, NotReadyError):
        st.error(str(error))
        return True
    st.error(
        f"This page could not be shown ({report_error(error)}). Nothing was changed. "
        "Try again; if it comes back, give the error number to whoever runs the dashboard.",
    )
    return True
