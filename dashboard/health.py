"""Whether the process answers, and whether people can be sent to it: in fixed words, without data."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard import __version__, errors, logs, warm_up
from dashboard.settings import settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from queries.health import Found

# Whoever asks gives up soon after, and asks again.
DATABASE_SECONDS = 2.0
# The largest file that may be sent is 300 MB, and its checked rows and the database's log come beside.
LEAST_FREE_BYTES = 1_000_000_000
# A worker is started within seconds of a confirmed file.
LONGEST_WAIT_SECONDS = 600


def process() -> dict[str, str]:
    """What /healthz says: that the process answers, and which version it is."""
    return {"process": "ok", "version": __version__}


def readiness() -> tuple[bool, dict[str, object]]:
    """What /readyz says: whether it is ready, and a word for each thing that was looked at.

    A worker that is not there is only said, as long as no file waits `LONGEST_WAIT_SECONDS` for it.
    """
    ready, told = _looked_at()
    _say_when_changed(ready, told)
    return ready, told


def _looked_at() -> tuple[bool, dict[str, object]]:
    # It knows Streamlit, which a command has no need of.
    from dashboard import drain

    if drain.draining.is_set():
        return False, {"draining": True}
    # Until then the rest would wait for what is being brought up.
    if (start := warm_up.state()) != "ok":
        return False, {"ready": False, "start": start}
    found = ask_database()
    told = {
        "database": _database(found),
        "form": _form(found),
        "disk": _disk(),
    }
    waited = _QUEUE.longest_wait(found.waiting, found.worker_at_work) if found else 0.0
    ready = set(told.values()) == {"ok"} and waited <= LONGEST_WAIT_SECONDS
    told["worker"] = _worker(found, waited)
    return ready, {"ready": ready, **told}


def _database(found: Found | None) -> str:
    if errors.damage.is_set():
        return "damaged: restore the newest backup"
    return "ok" if found else "does not answer"


def _form(found: Found | None) -> str:
    if found is None:
        return "unknown"
    return "ok" if found.has_newest_form else "needs an upgrade"


def _worker(found: Found | None, waited: float) -> str:
    if found is None:
        return "unknown"
    if found.worker_at_work:
        return "at work"
    if not found.waiting:
        return "none, and nothing waits"
    return "none, and files wait" + (" too long" if waited > LONGEST_WAIT_SECONDS else "")


def _disk() -> str:
    try:
        free = min(shutil.disk_usage(folder).free for folder in _folders())
    except OSError:
        return "cannot be looked at"
    return "ok" if free >= LEAST_FREE_BYTES else "too little room"


def _folders() -> list[Path]:
    """Where this process writes: the folder of an SQLite file, and the one for temporary files."""
    from dashboard.data import engine

    folders = [Path(tempfile.gettempdir())]
    if settings().is_sqlite and engine().url.database:
        folders.append(Path(str(engine().url.database)).parent)
    return folders


class Queue:
    """Since when files wait without a worker, as far as this process has seen."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._lock = threading.Lock()

    def longest_wait(self, waiting: Iterable[int], worker_at_work: bool) -> float:
        """Seconds since the first of these files was seen to wait; 0 while a worker is at work."""
        now = time.monotonic()
        with self._lock:
            seen = {} if worker_at_work else self._since
            self._since = {number: seen.get(number, now) for number in waiting}
            return now - min(self._since.values(), default=now)


_QUEUE = Queue()
_ASKING = threading.Lock()
_ASKED: Future[Found] | None = None


def ask_database() -> Found | None:
    """What the database says of itself; `None` when it does not answer within `DATABASE_SECONDS`.

    Asked in a thread, and by one at a time: a database that hangs takes no more than that.
    """
    global _ASKED
    with _ASKING:
        if _ASKED is None or _ASKED.done():
            _ASKED = Future()
            # A daemon: the process can end while it hangs.
            threading.Thread(target=_ask, args=(_ASKED,), daemon=True, name="health").start()
        asked = _ASKED
    try:
        return asked.result(DATABASE_SECONDS)
    except Exception:
        # What the driver says may name hosts; that it does not answer is what is told.
        return None


def _ask(asked: Future[Found]) -> None:
    try:
        from queries.health import ask

        asked.set_result(ask(_engine()))
    except Exception as error:
        asked.set_exception(error)


def _engine() -> Engine:
    from dashboard.data import engine

    return engine() if settings().is_sqlite else _probe_engine(settings().database_url)


@lru_cache(maxsize=1)
def _probe_engine(url: str) -> Engine:
    from queries.health import probe_engine

    return probe_engine(url)


_LAST_TOLD: dict[str, object] = {}


def _say_when_changed(ready: bool, told: dict[str, object]) -> None:
    """A line whenever another thing is told than the last time."""
    global _LAST_TOLD
    if told != _LAST_TOLD:
        _LAST_TOLD = told
        say = logs.log.info if ready else logs.log.warning
        say("readiness changed", **told)
