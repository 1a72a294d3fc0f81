"""A connection to PostgreSQL that gives up when no answer comes."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout


class PatientConnection(psycopg.Connection[Any]):
    """Waits so many seconds for an answer, and is closed when none came; `None` is for ever.

    The server's own limits do not help where the server, or something on the way to it, takes what is
    sent and says nothing.
    """

    patience: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except _WaitTimeout:
            # An answer that comes later would be taken for the answer to something else.
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time") from None
