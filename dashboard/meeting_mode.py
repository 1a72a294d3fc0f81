"""The meeting on the board: begun, led from page to page, written down in place, and closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard import access, action_editor, filters, show
from dashboard.access import current_user
from dashboard.actions_view import board_actions, when
from dashboard.data import engine, fetch_written
from dashboard.filters import Choices
from dashboard.rules import roles
from dashboard.seen import seen
from queries.actions import ActionEdit, actions_mark
from queries.frames import each_row
from queries.meetings import (
    MeetingClosedError,
    close_meeting,
    meetings,
    meetings_mark,
    open_meeting,
)
from queries.scope import Scope

ON, OFF = "on", ""
# The pages in the order in which a meeting goes through them, as their addresses are.
AGENDA = (
    "this-week", "coverage", "workforce", "providers", "outcomes", "take-up", "where-to-fund",
    "actions",
)  # fmt: skip
NOT_YOURS = (
    "A meeting of the board is begun and closed by those who work for the whole board. Once it is "
    "begun, it can be joined here."
)
# No letter alone: who dictates, or types beside a box, would turn the page.
NEXT_KEY, BACK_KEY = "Alt+N", "Alt+B"
_SAID = "what became of the meeting"


def is_on() -> bool:
    """Whether the pages are shown as in a meeting."""
    return filters.chosen(filters.MEETING) == ON


def going_on(scope: Scope, icb_code: str) -> Any | None:
    """The meeting of the board that is open; `None` where there is none."""
    return still_open(fetch_written(meetings, meetings_mark, scope, icb_code))


def still_open(found: pd.DataFrame) -> Any | None:
    """The one of these meetings that is open."""
    return next(iter(each_row(found[found["closed_at"].isna()])), None)


def begin(scope: Scope, choices: Choices, found: Any | None) -> None:
    """The button that begins a meeting, or joins the one that somebody has begun (`found`)."""
    _say()
    if found is None and not may_meet(choices):
        show.notes([NOT_YOURS])
        return
    if found is None:
        label, words = (
            "Begin the meeting",
            "Larger type, page after page, and what is decided on it.",
        )
    else:
        label = "Join the meeting"
        words = f"{found.opened_by} began it on {when(found.opened_at)}."
    st.button(label, type="primary", on_click=_begin, args=(scope, choices), key="begin meeting")
    show.notes([words])


def bar(scope: Scope, choices: Choices, pages: Mapping[str, st.Page], here: str) -> None:
    """Above every page of a meeting: where it stands, back and next by button or key, what is
    written down, and its end. Nothing where the pages are not shown as in a meeting."""
    if _SAID in st.session_state and here != AGENDA[0]:
        # It was closed on another page: what comes next is there.
        st.switch_page(pages[AGENDA[0]])
    if not is_on():
        return
    found = going_on(scope, choices.icb_code)
    if found is None:
        # Somebody else has closed it, or a link is of one that is over.
        filters.choose(filters.MEETING, OFF)
        show.lines(["The meeting is over: somebody has closed it."])
        action_editor.told()
        return
    show.larger_type()
    place = AGENDA.index(here) if here in AGENDA else None
    at = f"page {place + 1} of {len(AGENDA)}" if place is not None else "beside the agenda"
    show.notes([f"Meeting begun on {when(found.opened_at)} by {found.opened_by} · {at}"])
    with st.container(horizontal=True, key="meeting bar"):
        before = AGENDA[place - 1] if place else None
        after = AGENDA[(place + 1) % len(AGENDA)] if place is not None else AGENDA[0]
        if before and st.button(f"Back: {pages[before].title}", shortcut=BACK_KEY, key="back"):
            st.switch_page(pages[before])
        if st.button(f"Next: {pages[after].title}", shortcut=NEXT_KEY, type="primary", key="next"):
            st.switch_page(pages[after])
        st.button("Leave meeting view", on_click=_leave, key="leave meeting")
        if may_meet(choices):
            _close_box(scope, choices, int(found.id))
    with st.expander("Write down an action, a decision or a note", key="write in meeting"):
        today = filters.newest_as_at()
        view = fetch_written(
            board_actions, actions_mark, scope, choices.icb_code, today, choices.as_at
        )
        action_editor.told()
        first = ActionEdit(kind="action", words="", page=here, meeting_id=int(found.id))
        action_editor.write_down(scope, view, choices, first)


def may_meet(choices: Choices) -> bool:
    """Whether the reader may begin and close a meeting of the board; whoever sees it may join one."""
    return access.reader().may(roles.MEET, choices.icb_code)


def _close_box(scope: Scope, choices: Choices, meeting_id: int) -> None:
    with st.popover("Close the meeting", key="close popover"):
        show.lines(
            ["What is seen now is kept, and the next meeting is compared with it.",
             "What was written down stays under Actions."]
        )  # fmt: skip
        st.button(
            "Close it now", on_click=_close, args=(scope, choices, meeting_id),
            type="primary", key="close meeting",
        )  # fmt: skip


def _say() -> None:
    if said := st.session_state.pop(_SAID, ""):
        show.lines([said])


# What follows runs before the page is drawn.


def _begin(scope: Scope, choices: Choices) -> None:
    if may_meet(choices) or going_on(scope, choices.icb_code) is None:
        access.check(roles.MEET, choices.icb_code)
        address = urlencode(choices.address(**_place(choices)))
        open_meeting(engine(), scope, choices.icb_code, choices.as_at, address, current_user())
    filters.choose(filters.MEETING, ON)


def _leave() -> None:
    filters.choose(filters.MEETING, OFF)


def _close(scope: Scope, choices: Choices, meeting_id: int) -> None:
    access.check(roles.MEET, choices.icb_code)
    kept = seen(engine(), scope, choices.icb_code, choices.as_at, choices.with_stale)
    address = urlencode(choices.address(**_place(choices)))
    try:
        close_meeting(
            engine(), scope, meeting_id, choices.as_at, address, kept.to_json(), current_user()
        )
        st.session_state[_SAID] = "The meeting is closed, and what was seen is kept."
    except MeetingClosedError as error:
        st.session_state[_SAID] = str(error)
    filters.choose(filters.MEETING, OFF)
    filters.choose(filters.SINCE, "")


def _place(choices: Choices) -> dict[str, str]:
    chosen = {filters.LOCALITY: choices.lad_code, filters.PCN: choices.pcn_code}
    return {name: code for name, code in chosen.items() if code}
