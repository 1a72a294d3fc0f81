"""Saved views: a page with its choices by a name, in the sidebar, for everybody of the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from dashboard import access, filters, show
from dashboard.access import current_user
from dashboard.data import engine
from dashboard.filters import Choices
from dashboard.own_networks import is_own, is_shown, read_choices
from dashboard.rules import roles
from dashboard.search import PAGES, names
from dashboard.style import day
from queries import saved_views
from queries.saved_views import NameTakenError, SavedView
from queries.scope import Scope

LONGEST_NAME = 60
# What only says which board, and what every view has.
_UNSAID = (filters.BOARD, filters.AS_AT)


def address_of(page_path: str, chosen: Mapping[str, str]) -> str:
    """The page and the choices that are made, as they are kept: "take-up?pcn=U90001"; not the
    meeting in which they are."""
    kept = [name for name in filters.NAMES if name != filters.MEETING]
    mine = {name: chosen[name] for name in kept if chosen.get(name)}
    return f"{page_path}?{urlencode(mine)}"


def read_address(address: str) -> tuple[str, dict[str, str]] | None:
    """The page and choices of a kept address; `None` where it is of no page of ours.

    Whoever wrote it into the table: no other host, no name that is not a filter's.
    """
    path, _, query = address.partition("?")
    if path not in PAGES:
        return None
    return path, {name: value for name, value in parse_qsl(query) if name in filters.NAMES}


def refused(name: str) -> str:
    """Why a view cannot be called so; "" where it can."""
    if not name.strip():
        return "A view needs a name."
    if len(name.strip()) > LONGEST_NAME:
        return f"A name has at most {LONGEST_NAME} letters."
    if not name.isprintable():
        return "A name is one line of letters."
    return ""


def in_words(path: str, chosen: Mapping[str, str], names: Mapping[str, str]) -> str:
    """'Take-up · pcn North PCN · months 24': the page, and what is chosen beside the board; codes
    by the names they have."""
    said = [
        f"{name.replace('_', ' ')} {names.get(value, value)}"
        for name, value in chosen.items()
        if name not in _UNSAID
    ]
    as_at = chosen.get(filters.AS_AT)
    return " · ".join([PAGES[path][0], *said, f"as at {as_at}" if as_at else "newest date"])


def list_markup(rows: Sequence[SavedView], icb_code: str, names: Mapping[str, str]) -> str:
    """Links to the views of a board, each with its page and choices in words."""
    items = ""
    for row in rows:
        found = read_address(row.address)
        title = escape(row.view_name)
        if found is None:
            items += (
                f'<li><b>{title}</b><span class="detail">Its page is not here any more.</span></li>'
            )
            continue
        path, chosen = found
        # It is this board's, whatever its address says.
        link = escape(
            f"/{path}?{urlencode({**chosen, filters.BOARD: icb_code, **filters.staying()})}"
        )
        by = f"{row.saved_by}, {day(row.saved_at.date())}"
        items += (
            f'<li><a href="{link}" target="_self">{title}</a>'
            f'<span class="detail">{escape(in_words(path, chosen, names))} · {escape(by)}</span></li>'
        )
    return f'<ul class="found" aria-label="Saved views">{items}</ul>'


def draw(scope: Scope, choices: Choices, page_path: str) -> None:
    """The saved views of the board, and the form to save this one, in the sidebar."""
    with st.expander("Saved views", key="saved views"):
        # Asked each time: somebody else may have saved one meanwhile.
        saved = [
            view
            for view in saved_views.saved_views(engine(), scope, choices.icb_code)
            if is_shown(scope, choices.icb_code, read_choices(view.address))
        ]
        if saved:
            show.html(list_markup(saved, choices.icb_code, names(scope, choices)))
        else:
            show.notes(["No view is saved yet. A saved view keeps the page and what is chosen."])
        _save(scope, choices, page_path)
        mine = [view.view_name for view in saved if is_own(scope, choices.icb_code, view.address)]
        if mine:
            _delete(scope, choices, mine)


def _save(scope: Scope, choices: Choices, page_path: str) -> None:
    with st.form("save view", clear_on_submit=False, border=False):
        name = st.text_input("Name of this view", key="view name", max_chars=LONGEST_NAME)
        is_asked = st.form_submit_button("Save this view")
    if not is_asked:
        return
    problem = refused(name or "")
    if not problem:
        chosen = {one: filters.chosen(one) for one in filters.NAMES}
        address = address_of(page_path, chosen)
        name = name.strip()
        try:
            access.check(roles.WRITE, choices.icb_code)
            saved_views.save_view(engine(), scope, choices.icb_code, name, address, current_user())
        except NameTakenError as error:
            problem = str(error)
    if problem:
        show.lines([problem], is_problem=True)
    else:
        st.rerun()


def _delete(scope: Scope, choices: Choices, names: list[str]) -> None:
    """Twice asked: first which, then whether."""
    picked = st.selectbox("Delete a view", ["", *names], key="view to delete",
                          format_func=lambda name: name or "Pick one")  # fmt: skip
    if picked in names and st.button("Delete it for everybody", key="delete view"):
        access.check(roles.WRITE, choices.icb_code)
        saved_views.delete_view(engine(), scope, choices.icb_code, picked)
        st.rerun()
