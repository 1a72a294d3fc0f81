"""fetch(): the only cache between the database and everything that shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Condition
from typing import Any, Concatenate, ParamSpec, TypeVar

from cachetools import LRUCache, cached
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dashboard import logs
from dashboard.errors import NotReadyError, NotThereError
from dashboard.facts import count_missing
from dashboard.settings import settings
from queries import loads
from queries.database import (
    NEWEST_REVISION,
    Connections,
    make_engine,
    revision,
    upgrade,
    why_not_this_server,
)
from queries.scope import Scope
from queries.sqlite_file import SIDE_FILES

P = ParamSpec("P")
Answer = TypeVar("Answer")
Kept = TypeVar("Kept")

# Answers kept at a time: a page of one board asks about ten questions.
MOST_ANSWERS = 500


# What stays beside an SQLite file in which somebody worked.
LEFT_BESIDE = (*SIDE_FILES, ".worker")
# How long a replica that failed is left alone.
REPLICA_PAUSE_SECONDS = 30.0


class _Process:
    """What this process is: of the pages, or of the command line, which loads."""

    loads = False
    ask_replica_at = 0.0


@lru_cache(maxsize=8)
def _engine_of(url: str, connections: Connections) -> Engine:
    # A file that is gone is not begun anew by whoever asks next: `prepare_database` alone makes one.
    return make_engine(url, connections, may_make_file=False)


def _engine(url: str, name: str) -> Engine:
    chosen = settings()
    connections = Connections(chosen.pool_size, chosen.pool_overflow, f"dashboard {name}")
    return _engine_of(url or chosen.database_url, connections)


def engine() -> Engine:
    """The engine for the database of the settings: as the pages' role, at the command line as the
    worker's."""
    return loading_engine() if _Process.loads else _engine("", "pages")


def loading_engine() -> Engine:
    """The engine for what is written as a load or taken back, whichever process does it."""
    return _engine(settings().worker_database_url, "worker" if _Process.loads else "pages loading")


def owner_engine() -> Engine:
    """The engine for what changes tables, as the role that owns them."""
    return _engine(settings().migration_database_url, "upgrade")


@contextmanager
def as_worker() -> Iterator[None]:
    """Inside, this process is one that loads: the command line, of which the worker is a part."""
    _Process.loads = True
    try:
        yield
    finally:
        for each in (engine(), owner_engine()):
            each.dispose()
        _Process.loads = False


def prepare_database() -> bool:
    """Bring an SQLite file to the newest form, and count what it lacks; whether it was new.

    What it was before is kept beside it. A PostgreSQL database is upgraded by command only, when its
    operator chooses: `NotReadyError` when that has not been done, or a newer version has been here.
    """
    make_file_if_new()
    if why := why_not_this_server(engine()):
        raise NotReadyError(why)
    found = revision(engine())
    if found != NEWEST_REVISION:
        # Only a change of the form needs it, and it takes a moment to import.
        from dashboard import backup

        backup.check_known(found)
        if not settings().is_sqlite:
            raise NotReadyError(
                f"The database has the form {found or 'of an empty database'}, and this version "
                f"needs {NEWEST_REVISION}: run `python -m dashboard upgrade` and start again."
            )
        if found is not None:
            backup.keep_before_upgrade(engine(), found)
        upgrade(engine())
    # Also of a database of the newest form: the last start may have been cut off before the end. Pages
    # may not read what is counted.
    if settings().is_sqlite or _Process.loads:
        count_missing(engine())
    return found is None


def make_file_if_new() -> None:
    """Begin an SQLite file where none ever was; `NotReadyError` where one was, and is gone.

    An empty one in its place would be taken for the team's data, and hide that this is lost.
    """
    name = engine().url.database
    if not settings().is_sqlite or not name or name == ":memory:" or Path(name).exists():
        return
    path = Path(name)
    if left := [path.name + end for end in LEFT_BESIDE if Path(name + end).exists()]:
        raise NotReadyError(
            f"The database file {path.name} is gone, and {' and '.join(left)} beside it says that it was "
            "there. Nothing was made in its place. Put it back, or restore the newest backup (python -m "
            "dashboard restore FILE); to begin with nothing, remove what is left beside it."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def fetch(
    query: Callable[Concatenate[Engine, Scope, P], Answer],
    scope: Scope,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer:
    """The answer of a query, kept until the data changes: a copy for each caller.

    `NotThereError` where an argument names a board or a network that the scope does not admit.
    """
    return deepcopy(fetch_shared(query, scope, *args, **kwargs))


def fetch_shared(
    query: Callable[Concatenate[Engine, Scope, P], Answer],
    scope: Scope,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer:
    """The same for answers that nobody changes: every caller gets the one that is kept.

    The key is the query's name, the data version, the scope and the plain arguments; never
    a frame, which has no hash.
    """
    _check(scope, *args, *kwargs.values())
    name = f"{query.__module__}.{query.__qualname__}"
    named: tuple[tuple[str, Hashable], ...] = tuple(sorted(kwargs.items()))
    answer: Answer = _shared(
        name, data_state().version, settings().database_url, scope, args, named,
        lambda: _answer(query, scope, args, named),
    )  # fmt: skip
    return answer


def fetch_written(
    query: Callable[Concatenate[Engine, Scope, P], Answer],
    mark: Callable[..., Hashable],
    scope: Scope,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer:
    """The same of what people write (of a board: the first argument), which is no change of the data: kept
    until its mark, which is asked each time, is another. Of the first database: what was just written is
    never missed.
    """
    _check(scope, *args, *kwargs.values())
    name = f"{query.__module__}.{query.__qualname__}"
    version = data_state().version, mark(engine(), scope, *args[:1])
    named: tuple[tuple[str, Hashable], ...] = tuple(sorted(kwargs.items()))
    answer: Answer = _shared(
        name, version, settings().database_url, scope, args, named,
        lambda: query(engine(), scope, *args, **kwargs),
    )  # fmt: skip
    return answer


def once(
    make: Callable[Concatenate[Kept, P], Answer], kept: Kept, *args: P.args, **kwargs: P.kwargs
) -> Answer:
    """What is made of an answer that `fetch_shared` keeps: made once, and kept with it.

    For words and tables, which depend on nothing else than the answer and a few plain arguments.
    Nobody changes it: every caller gets the same.
    """
    beside: dict[Hashable, Any] = kept.__dict__.setdefault("_made of it", {})
    key = make, args, tuple(sorted(kwargs.items()))
    if key not in beside:
        beside[key] = make(kept, *args, **kwargs)
    answer: Answer = beside[key]
    return answer


def lookups() -> tuple[int, int]:
    """How many answers were there already since the start, and how many were worked out."""
    told = _shared.cache_info()
    return told.hits, told.misses


@dataclass(frozen=True)
class _Now:
    """The state of the data, and whether the replica has all of it."""

    state: loads.DataState
    is_on_replica: bool = False


_NOW: ContextVar[_Now | None] = ContextVar("state of the data", default=None)


def data_state() -> loads.DataState:
    """What is in the database now: its version, and whether it is simulated."""
    return _now().state


def _now() -> _Now:
    return _NOW.get() or _ask_now()


def _ask_now() -> _Now:
    """Always of the first database: what somebody has just loaded is never missed. Each load and each
    undo gives another version, in its own transaction: a replica of that version has all of it."""
    state = _state_at(settings().database_url, loads.data_version(engine()))
    return _Now(state, _on_replica(loads.data_version) == state.version)


@lru_cache(maxsize=8)
def _state_at(url: str, version: int) -> loads.DataState:
    # The rest of it looks through every part of every load. Where one ended meanwhile, it is the
    # state after that, whole.
    return loads.data_state(engine())


def _on_replica(query: Callable[[Engine], Answer]) -> Answer | None:
    """The answer of the replica; `None` where there is none, or it failed lately."""
    address = settings().replica_database_url
    if not address or time.monotonic() < _Process.ask_replica_at:
        return None
    try:
        return query(_engine(address, "reads"))
    except (DBAPIError, PoolTimeoutError) as error:
        _Process.ask_replica_at = time.monotonic() + REPLICA_PAUSE_SECONDS
        logs.log.warning(
            "replica left alone", seconds=REPLICA_PAUSE_SECONDS, error=type(error).__name__
        )
        return None


def _answer(query: Any, scope: Scope, args: Any, kwargs: Any) -> Any:
    """Figures alone are read from the replica: what people write is asked of `engine` by who shows it.

    A meeting that was closed a moment ago may not be there yet: what is not found is asked again.
    """

    def ask(of: Engine) -> Any:
        return query(of, scope, *args, **dict(kwargs))

    found = _on_replica(ask) if _now().is_on_replica else None
    return ask(engine()) if found is None else found


@contextmanager
def one_state() -> Iterator[None]:
    """Inside, the state of the data is asked once: one run of a page shows one version of it,
    even when a load ends in the middle."""
    token = _NOW.set(_ask_now())
    try:
        yield
    finally:
        _NOW.reset(token)


def _check(scope: Scope, *asked: object) -> None:
    """Whatever a page or an address forgets to check: nothing of another area is worked out."""
    for each in asked:
        icb_code, pcn_code = (getattr(each, name, "") for name in ("icb_code", "pcn_code"))
        if (icb_code and not scope.admits(icb_code)) or (
            pcn_code and not scope.admits_network(icb_code, pcn_code)
        ):
            raise NotThereError("not there")


def _key(*args: Hashable) -> Hashable:
    # All but how it is worked out.
    return args[:-1]


# Not Streamlit's own, whose keys take longer than most answers. Who asks what another session is
# working out waits for it; what fails is not kept.
@cached(LRUCache(MOST_ANSWERS), key=_key, condition=Condition(), info=True)
def _shared(
    name: str, version: Hashable, url: str, scope: Scope, args: Any, kwargs: Any, work_out: Any
) -> Any:
    return work_out()
