"""What a person sees when a page fails: an id and what to do, never the data."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

_LOG = logging.getLogger("dashboard")


def show_error_id(error: Exception) -> bool:
    """Log the error under an id and show the id; handled, so Streamlit shows nothing more."""
    error_id = secrets.token_hex(4)
    # The type and the place, not the message: a message may hold what a file said.
    _LOG.error("error %s: %s", error_id, type(error).__name__, exc_info=error)
    st.error(
        f"This page could not be shown (error {error_id}). Nothing was changed. "
        "Try again; if it comes back, give the error number to whoever runs the dashboard.",
        
    )
    return True
