"""What happens once, when the server starts, while the browser fetches its scripts."""

from __future__ import annotations

import gc
import logging
from concurrent.futures import Future, ThreadPoolExecutor

_LOG = logging.getLogger("dashboard")
_POOL = ThreadPoolExecutor(1, thread_name_prefix="warm-up")
_DONE: list[Future[None]] = []


def start() -> None:
    """Begin to warm up; the server answers meanwhile."""
    # What the first words of a page need comes first; its map and the tidying do not hold it up.
    _DONE.append(_POOL.submit(warm_up))
    _POOL.submit(finish)


def wait() -> None:
    """Until the database is ready and the slow parts are in memory; raises what went wrong."""
    for done in _DONE:
        done.result()


def warm_up() -> None:
    """Bring the database up, fill a new one with the demonstration, make the first page's words."""
    # Imported here, so that the server is there before they are.
    from dashboard.access import current_scope
    from dashboard.coverage_view import coverage_view, layer_view
    from dashboard.data import engine, fetch_shared, prepare_database
    from dashboard.filters import Area, newest_as_at
    from dashboard.settings import settings
    from queries.places import boards

    if prepare_database():
        from dashboard import demonstration

        _LOG.warning("First start: making the demonstration. Load your own files at any time.")
        demonstration.make(engine(), settings().hash_key_bytes())
    scope = current_scope()
    for icb_code in boards(engine(), scope)["icb_code"].head(1):
        area = Area(icb_code, newest_as_at())
        fetch_shared(coverage_view, scope, area)
        fetch_shared(layer_view, scope, area, "status")


def finish() -> None:
    """Make the first page's comparison and the first map, and put what is in memory by now out of the
    collector's way."""
    from dashboard.access import current_scope
    from dashboard.data import engine, fetch_shared
    from dashboard.filters import Area, newest_as_at
    from dashboard.maps import board_map
    from dashboard.meeting_pack import choices_of
    from dashboard.this_week import this_week
    from dashboard.this_week_words import since_options
    from queries.meetings import meetings
    from queries.places import boards

    scope = current_scope()
    for icb_code in boards(engine(), scope)["icb_code"].head(1):
        choices = choices_of(engine(), scope, Area(icb_code, newest_as_at()))
        if choices is not None:
            then = since_options(meetings(engine(), scope, icb_code), choices.as_at)
            fetch_shared(this_week, scope, choices, next(iter(then)))
        board_map(scope, icb_code)
    # What is in memory now stays: no collection has to walk over it again.
    gc.collect()
    gc.freeze()
