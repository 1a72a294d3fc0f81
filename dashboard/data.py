"""fetch(): the only cache between the database and everything that shows it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st
from sqlalchemy import Engine

from dashboard.errors import NotReadyError
from dashboard.facts import count_missing
from dashboard.settings import settings
from queries import loads
from queries.database import NEWEST_REVISION, make_engine, revision, upgrade
from queries.scope import Scope

P = ParamSpec("P")
Answer = TypeVar("Answer")

# Answers kept at a time: a page of one board asks about ten questions.
MOST_ANSWERS = 500


@lru_cache(maxsize=4)
def _engine_of(url: str) -> Engine:
    return make_engine(url)


def engine() -> Engine:
    """The engine for the database of the settings."""
    return _engine_of(settings().database_url)


def prepare_database() -> bool:
    """Bring an SQLite file to the newest form, and count what it lacks; whether it was new.

    A PostgreSQL database is upgraded by command only, when its operator chooses:
    `NotReadyError` when that has not been done.
    """
    found = revision(engine())
    if found != NEWEST_REVISION:
        if not settings().is_sqlite:
            raise NotReadyError(
                f"The database has the form {found or 'of an empty database'}, and this version "
                f"needs {NEWEST_REVISION}: run `python -m dashboard upgrade` and start again."
            )
        upgrade(engine())
    # Also of a database of the newest form: the last start may have been cut off before the end.
    count_missing(engine())
    return found is None


def fetch(
    query: Callable[Concatenate[Engine, Scope, P], Answer],
    scope: Scope,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer:
    """The answer of a query, kept until the data changes.

    The key is the query's name, the data version, the scope and the plain arguments; never
    a frame, whose hash would be of a sample. Each caller gets a copy of its own.
    """
    name = f"{query.__module__}.{query.__qualname__}"
    named: tuple[tuple[str, Hashable], ...] = tuple(sorted(kwargs.items()))
    answer: Answer = _kept(
        name, data_state().version, settings().database_url, scope, args, named, query
    )
    return answer


def fetch_shared(
    query: Callable[Concatenate[Engine, Scope, P], Answer],
    scope: Scope,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer:
    """The same for answers that nobody changes: every caller gets the one that is kept."""
    name = f"{query.__module__}.{query.__qualname__}"
    named: tuple[tuple[str, Hashable], ...] = tuple(sorted(kwargs.items()))
    answer: Answer = _shared(
        name, data_state().version, settings().database_url, scope, args, named, query
    )
    return answer


_STATE: ContextVar[loads.DataState | None] = ContextVar("state of the data", default=None)


def data_state() -> loads.DataState:
    """What is in the database now: its version, and whether it is simulated."""
    return _STATE.get() or loads.data_state(engine())


@contextmanager
def one_state() -> Iterator[None]:
    """Inside, the state of the data is asked once: one run of a page shows one version of it,
    even when a load ends in the middle."""
    token = _STATE.set(loads.data_state(engine()))
    try:
        yield
    finally:
        _STATE.reset(token)


def _scope_key(scope: Scope) -> list[str] | None:
    # A reader of no board is not a reader of every board: an empty list is not `None`.
    return None if scope.icb_codes is None else sorted(scope.icb_codes)


@st.cache_data(
    max_entries=MOST_ANSWERS,
    show_spinner=False,
    hash_funcs={Scope: _scope_key},
)
def _kept(
    name: str, version: int, url: str, scope: Scope, args: Any, kwargs: Any, _query: Any
) -> Any:
    return _query(engine(), scope, *args, **dict(kwargs))


@st.cache_resource(
    max_entries=MOST_ANSWERS,
    show_spinner=False,
    hash_funcs={Scope: _scope_key},
)
def _shared(
    name: str, version: int, url: str, scope: Scope, args: Any, kwargs: Any, _query: Any
) -> Any:
    return _query(engine(), scope, *args, **dict(kwargs))
