"""What a link, or the page before, brought along: said in words, and taken back by a button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from dashboard import show

# What each choice is called in a sentence; those not here are the page's own.
TITLES = {
    "icb": "board",
    "locality": "locality",
    "pcn": "network",
    "as_at": "date",
    "months": "number of months",
    "stale": "way to count old entries",
    "ward": "ward",
    "layer": "map",
    "part": "part of the page",
    "theme": "need",
    "service": "service",
    "provider": "provider",
    "since": "day or meeting to compare with",
    "action": "number of an action",
    "owner": "person who owns actions",
}
# What is shown instead, where it is not simply the usual.
_INSTEAD = {
    "icb": "another board is shown",
    "locality": "all localities are shown",
    "pcn": "all networks are shown",
    "ward": "no ward is picked",
    "service": "no service is picked",
    "as_at": "the newest date is shown",
}
# The board and the date stand in the page's header, and the rest says itself.
_NAMED = ("locality", "pcn", "ward", "service", "provider")
LINK, PAGE = "link", "page"
_ASKED, _CAME_BY = "choices that came along", "how choices came along"


def note(choices: Mapping[str, str], came_by: str) -> None:
    """Keep what a link asked for (LINK), or what is kept from the page before (PAGE)."""
    st.session_state[_ASKED] = dict(choices)
    st.session_state[_CAME_BY] = came_by


def forget() -> None:
    """Somebody chose for themselves: nothing more to say."""
    st.session_state.pop(_ASKED, None)


def told(
    asked: Mapping[str, str], used: Mapping[str, str], titles: Mapping[str, str] = TITLES
) -> list[str]:
    """One sentence for each choice of a link that is not what is shown.

    `asked` is what the link says, `used` what is chosen now, both by name.
    """
    sentences = []
    for name, value in asked.items():
        if not value or used.get(name, "") == value or name not in titles:
            continue
        instead = _INSTEAD.get(name, "the usual is shown")
        # Not which: a link may name what this reader must not be told of.
        sentences.append(f"The link names a {titles[name]} that is not there: {instead}.")
    return sentences


def restored_words(
    used: Mapping[str, str], names: Mapping[str, str], titles: Mapping[str, str] = TITLES
) -> str:
    """'locality Thanet, network North PCN': the choices in force by their names; "" for none.

    `names` is what a code is called: of another there is nothing to say to this reader.
    """
    said = [
        f"{title} {names[used[name]]}"
        for name, title in titles.items()
        if name in _NAMED and used.get(name) in names
    ]
    return ", ".join(said)


def draw_restored(
    used: Mapping[str, str], names: Callable[[], Mapping[str, str]], on_reset: Callable[[], None]
) -> None:
    """What came along and is in force or is not there, and the button that takes it all back;
    nothing once somebody has chosen for themselves. `names` is asked for where it is needed."""
    asked = st.session_state.get(_ASKED)
    if asked is None:
        return
    is_link = st.session_state[_CAME_BY] == LINK
    sentences = told(asked, used) if is_link else []
    kept = {name: value for name, value in used.items() if value and asked.get(name) == value}
    if any(kept.get(name) for name in _NAMED) and (words := restored_words(kept, names())):
        came = "The link set" if is_link else "Kept from the page before"
        sentences.append(f"{came}: {words}.")
    if not sentences:
        return
    with st.container(key="restored", horizontal=True, vertical_alignment="center"):
        show.html(f'<p class="brought" role="status">{escape(" ".join(sentences))}</p>')
        st.button("Reset filters", key="reset filters", on_click=on_reset)
