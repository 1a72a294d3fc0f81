"""A short tour of the board for who comes for the first time: beside the page, never over it."""

from __future__ import annotations

import streamlit as st

from dashboard import components

_ASKED = "tour asked for"
# What it is for, how to narrow it, how to read it, why to believe it, what to do next.
STEPS = (
    (
        "What this is for.",
        "It shows where people can be referred to social prescribing, where they cannot, and where "
        "nobody told us. Start with the sentence below the heading of a page.",
    ),
    (
        "Choose what you see.",
        "The boxes at the left choose the board, the locality, the network and the date, for every "
        "page. They stand in the address, so a link opens the same view. Search finds anything by "
        "name or code.",
    ),
    (
        "A map and its table.",
        "All that a map or a chart shows is also in a table, which can be sorted and searched. An "
        "area is picked on the map, in the table, or in the box.",
    ),
    (
        "Where the reasons are.",
        "Pick a ward to see line by line how it was judged. Hatched means no return: that is not "
        "the same as nothing there. A star is a number too small to show. Methods has every "
        "definition.",
    ),
    (
        "This week, and what to do.",
        "This week lists what changed and what is due. Actions keep who does what by when.",
    ),
)

_TOUR = st.components.v2.component(
    "board_tour",
    html=components.style("tour") + '<div class="board-tour"></div>',
    js=components.script("tour"),
)


def draw(*, is_first_page: bool) -> None:
    """The card at the top of the first page, once in a browser; on any page when asked for."""
    asked = st.session_state.get(_ASKED, 0)
    if is_first_page or asked:
        _TOUR(data={"steps": [list(step) for step in STEPS], "again": asked}, key="tour")


def ask_again() -> None:
    """Show it once more, from the start."""
    st.session_state[_ASKED] = st.session_state.get(_ASKED, 0) + 1
