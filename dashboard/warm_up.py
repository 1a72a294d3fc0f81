"""What happens once, when the server starts, while the browser fetches its scripts."""

from __future__ import annotations

import gc
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

from dashboard.errors import AWAY, BUSY, NotReadyError, fault_of_database, report_error

_LOG = logging.getLogger("dashboard")
_POOL = ThreadPoolExecutor(1, thread_name_prefix="warm-up")
_DONE: list[Future[None]] = []
GETTING_READY = (
    "Getting ready. The first start of all makes the demonstration, which takes about 20 seconds."
)
# How soon it is tried again when the database was away.
AGAIN_SECONDS = 5.0


def start() -> None:
    """Begin to warm up; the server answers meanwhile."""
    # What the first words of a page need comes first; its map and the tidying do not hold it up.
    done = _POOL.submit(warm_up)
    _DONE[:] = [done]
    done.add_done_callback(_when_done)


def _when_done(done: Future[None]) -> None:
    _say_failure(done)
    error = done.exception()
    if error is None:
        _POOL.submit(finish)
    elif fault_of_database(error) in (AWAY, BUSY):
        # Pages say so meanwhile.
        again = threading.Timer(AGAIN_SECONDS, start)
        again.daemon = True
        again.start()


def _say_failure(done: Future[None]) -> None:
    # Each page says it again, but a page may be opened much later.
    error = done.exception()
    if isinstance(error, NotReadyError):
        _LOG.error("Not started: %s", error)
    elif isinstance(error, Exception):
        report_error(error)


def wait() -> None:
    """Until the database is ready and the slow parts are in memory; raises what went wrong."""
    for done in _DONE:
        if error := done.exception():
            # The same error each time: without this it would remember every place that ever asked.
            raise error.with_traceback(None)


def prepare() -> None:
    """Bring the database up, and fill a new one with the demonstration."""
    from dashboard.data import engine, prepare_database
    from dashboard.settings import settings

    if prepare_database():
        from dashboard import demonstration

        _LOG.warning("First start: making the demonstration. Load your own files at any time.")
        demonstration.make(engine(), settings().hash_key_bytes())


def state() -> Literal["under way", "failed", "ok"]:
    """How far it is, without waiting for it."""
    if not all(done.done() for done in _DONE):
        return "under way"
    return "failed" if any(done.exception() for done in _DONE) else "ok"


def warm_up() -> None:
    """Bring the database up, then make the first page's words."""
    # Imported here, so that the server is there before they are; and all of it before anybody's page
    # begins, since two threads that import parts of each other may get halves of them.
    from dashboard import (  # noqa: F401
        beforehand,
        frame,
        maps,
        meeting_pack,
        pack_panel,
        page_list,
        signed_in,
        this_week_sections,
    )
    from dashboard.coverage_view import coverage_view, layer_view
    from dashboard.data import engine, fetch_shared
    from dashboard.filters import Area, newest_as_at
    from queries.places import boards
    from queries.scope import EVERYTHING

    prepare()
    scope = EVERYTHING
    for icb_code in boards(engine(), scope)["icb_code"].head(1):
        area = Area(icb_code, newest_as_at())
        fetch_shared(coverage_view, scope, area)
        fetch_shared(layer_view, scope, area, "status")


def finish() -> None:
    """Make the first page's comparison and the first map, put what is in memory by now out of the
    collector's way, and begin with the other boards."""
    from dashboard import beforehand
    from dashboard.data import engine, fetch_shared
    from dashboard.filters import Area, newest_as_at
    from dashboard.maps import board_map
    from dashboard.meeting_pack import choices_of
    from dashboard.this_week import this_week
    from dashboard.this_week_words import since_options
    from queries.meetings import meetings
    from queries.places import boards
    from queries.scope import EVERYTHING

    scope = EVERYTHING
    for icb_code in boards(engine(), scope)["icb_code"].head(1):
        choices = choices_of(engine(), scope, Area(icb_code, newest_as_at()))
        if choices is not None:
            then = since_options(meetings(engine(), scope, icb_code), choices.as_at)
            fetch_shared(this_week, scope, choices, next(iter(then)))
        board_map(scope, icb_code)
    # What is in memory now stays: no collection has to walk over it again.
    gc.collect()
    gc.freeze()
    beforehand.start()
