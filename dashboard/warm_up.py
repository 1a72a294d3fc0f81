"""What happens once, when the server starts."""

from __future__ import annotations

import logging

from dashboard import demonstration
from dashboard.data import engine, prepare_database
from dashboard.settings import settings

_LOG = logging.getLogger("dashboard")


def warm_up() -> None:
    """Bring the database up; fill a new one with the demonstration; import the slow parts."""
    is_new = prepare_database()
    if is_new:
        _LOG.warning("First start: making the demonstration. Load your own files at any time.")
        demonstration.make(engine(), settings().hash_key_bytes())
