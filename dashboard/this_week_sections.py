"""The parts of This week: what it is compared with, what is missing, what changed, what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import actions_view, filters, meeting_mode, show
from dashboard import this_week_words as words
from dashboard.actions_view import ActionsView
from dashboard.data import fetch_shared, once
from dashboard.filters import Choices
from dashboard.rules.actions import Due
from dashboard.this_week import ThisWeek, profile_words, this_week
from queries.scope import Scope

# More than a meeting can talk about.
READ_OUT = 20


def pick_since(found: pd.DataFrame, choices: Choices) -> str:
    """The meeting or the day to compare with: the last meeting that was closed, until one is chosen."""
    asked = filters.chosen(filters.SINCE)
    return filters.pick(
        filters.SINCE, "Compare with", words.since_options(found, choices.as_at, asked)
    )  # fmt: skip


def changed_since(scope: Scope, choices: Choices, since: str) -> ThisWeek:
    """What changed since then."""
    with st.spinner("Comparing with then"):
        found = fetch_shared(this_week, scope, choices, since)
    assert found is not None  # an option of the box, so it is there
    return found


def changes(found: ThisWeek, choices: Choices) -> None:
    """Missing returns first; then what changed, and how much was looked at for it."""
    if found.missing:
        show.heading("Missing returns that would change the reading", anchor="missing")
        show.items(_staying(once(words.missing_items, found, choices)), label="Missing returns")
    show.heading("What changed", anchor="changed")
    if found.told:
        listed = _staying(once(words.items, found, choices))
        show.items(listed[:READ_OUT], label="Changes, the most unusual first")
        if len(listed) > READ_OUT:
            with st.expander(f"{len(listed) - READ_OUT:,} more changes", key="more changes"):
                show.items(listed[READ_OUT:], label="More changes", first=READ_OUT + 1)
    else:
        show.empty("Nothing unusual", "Nothing that was looked at changed by more than chance.")
    show.explanation(words.looked_at(found, profile_words()), words.ABOUT, what="list")
    if found.held_back:
        with st.expander("Smaller changes, held back", key="held back"):
            show.small_table(*once(words.held_back_table, found), caption="Changes held back")


def _staying(found: Sequence[show.Item]) -> Sequence[show.Item]:
    """The same, with links that stay in the meeting: a link opens a session of its own."""
    stay = "".join(f"&{name}={value}" for name, value in filters.staying().items())
    if not stay:
        return found
    return [replace(each, address=each.address + stay) for each in found]


def due(view: ActionsView, choices: Choices) -> None:
    """Actions that are overdue or due within a week."""
    show.heading("Actions due", anchor="due")
    rows = view.frame[view.frame["due"].isin([Due.OVERDUE, Due.SOON])]
    if rows.empty:
        show.lines(["No action is overdue or due within 7 days."])
    else:
        show.small_table(*actions_view.table(view, rows), caption="Overdue and due within 7 days")
    address = choices.address(**filters.staying())
    show.link_to_view("All actions and decisions", address, page="/actions")


def meeting(scope: Scope, choices: Choices, found: pd.DataFrame) -> None:
    """Begin or join the meeting, until the pages are shown as in one."""
    if not meeting_mode.is_on():
        show.heading("The meeting", anchor="meeting")
        meeting_mode.begin(scope, choices, meeting_mode.still_open(found))
