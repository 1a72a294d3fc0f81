"""How the board is used by keys, and where help is; with the script that every page needs."""

from __future__ import annotations

import streamlit as st

from dashboard import components, show, tour

_EVERYWHERE = st.components.v2.component("board_everywhere", js=components.script("everywhere"))
KEYS = (
    ("Ctrl + K", "Go to the search (on a Mac, Command + K)."),
    ("Alt + N, Alt + B", "In a meeting, the next page or the one before; not while you write in a "
     "box."),
    ("Ctrl + P", "Print the page whole on A4, in light colours, without the boxes at the left."),
    ("Tab, Shift + Tab", "Go to the next or the last box, button, table or link."),
    ("Enter or Space", "Press a button: also a column's heading, which sorts, and a row's name, "
     "which picks it."),
    ("Up, Down", "In a box, go through its list; typing narrows it, Enter takes one, Escape leaves."),
    ("Arrow keys", "In a table that has the focus, move it. The box above it searches its rows."),
)  # fmt: skip
WORDS = (
    "A map is not used by keys: every area can be picked in the box beside it or in the table below "
    "it, which holds all that the map shows.",
    "Hold the pointer on a column's heading for its definition; the page Methods has them all.",
)


def draw() -> None:
    """The list of keys, in the sidebar; and what listens to them."""
    with st.expander("Keyboard and help", key="keyboard and help"):
        show.definition_list(KEYS, label="Keys")
        show.notes(WORDS)
        show.html(
            '<p class="notes"><a href="/methods" target="_self">Methods and definitions</a></p>'
        )
        st.button("Show the short tour", key="tour again", on_click=tour.ask_again)
    _EVERYWHERE(key="everywhere")
