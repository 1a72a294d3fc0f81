"""What a person sees when a page fails: an id and what to do, never the data."""

from __future__ import annotations

import logging
import secrets
import traceback

import streamlit as st


class NotReadyError(RuntimeError):
    """The dashboard can't start yet; the message says what to do, and holds no data."""


_LOG = logging.getLogger("dashboard")


def show_error_id(error: Exception) -> bool:
    """Log the error under an id and show the id; handled, so Streamlit shows nothing more."""
    if isinstance(error, NotReadyError):
        st.error(str(error))
        return True
    error_id = secrets.token_hex(4)
    # The type and the place, not the message: a message may hold what a file said.
    place = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("error %s: %s\n%s", error_id, type(error).__name__, place)
    st.error(
        f"This page could not be shown (error {error_id}). Nothing was changed. "
        "Try again; if it comes back, give the error number to whoever runs the dashboard.",
    )
    return True
