"""What stands around every page: search, saved views and help at its side, the meeting and the tour
above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import (
    drain,
    filters,
    keyboard_help,
    meeting_mode,
    restored,
    saved_views,
    search,
    signed_in,
    tour,
)
from dashboard.access import Reader
from dashboard.filters import Choices
from queries.scope import Scope


def beside(top: DeltaGenerator, who: Reader, choices: Choices | None, here: str) -> None:
    """The sidebar but for the filters: the search above them, the rest below. Help is there where no
    board is loaded, too."""
    drain.draw_notice()
    if choices is not None:
        with top:
            search.draw(who.scope, choices)
    with st.sidebar:
        if choices is not None:
            saved_views.draw(who.scope, choices, here)
        keyboard_help.draw()
    signed_in.draw(who)
    signed_in.warn()


@contextmanager
def around(
    scope: Scope, choices: Choices | None, pages: Mapping[str, st.Page], here: str
) -> Iterator[None]:
    """Above the page that runs inside: the meeting, the tour, and what a link brought along."""
    if choices is not None:
        meeting_mode.bar(scope, choices, pages, here)
    # Nobody is led around while a room waits.
    tour.draw(is_first_page=here == "this-week" and not meeting_mode.is_on())
    brought = st.container()
    try:
        yield
    finally:
        # At the end, when the page has chosen too; also where it stops early.
        if choices is not None:
            with brought:
                restored.draw_restored(
                    filters.in_force(),
                    lambda: search.names(scope, filters.current()),
                    filters.reset,
                )
