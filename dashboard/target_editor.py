"""Where targets and plans of a network are set: by those who may, with history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import streamlit as st

from dashboard import access, show, targets
from dashboard.access import current_user, may_set_targets
from dashboard.data import data_state, fetch, loading_engine
from dashboard.filters import Choices
from dashboard.intake.recruitment_plan import APRIL, financial_year
from dashboard.rules import roles
from dashboard.rules.take_up import month_end, months_before
from dashboard.style import MISSING, day, month, number
from queries import posts
from queries.frames import each_row
from queries.load import AlreadyLoadedError, NotWrittenError
from queries.scope import Scope

_SAID = "said of targets"
# Targets begin with a month: a list is quicker than a calendar, and its targets are large enough.
MONTHS_BACK, MONTHS_AHEAD = 24, 36
NO_END = "no end"
NOT_HERE = (
    "Targets and plans of this board are set by its ICB leads and commissioners, in this place."
)


def target_editor(scope: Scope, choices: Choices) -> None:
    """The target and the plan of the chosen network, how they were set, and forms to set them."""
    history = fetch(posts.target_history, scope, choices.icb_code, choices.as_at, choices.pcn_code)
    if said := st.session_state.pop(_SAID, None):
        show.lines([said])
    if len(history):
        show.small_table(*_history(history), caption=f"Targets of {choices.pcn_name}, newest first")
    else:
        show.lines([f"No target has been set for {choices.pcn_name}."])
    if not may_set_targets(choices.icb_code):
        show.lines([NOT_HERE])
        return
    left, right = st.columns(2)
    with left:
        _target_form(scope, choices)
    with right:
        _plan_form(scope, choices)


def _target_form(scope: Scope, choices: Choices) -> None:
    this_month = choices.as_at.replace(day=1)
    starts = [months_before(this_month, back) for back in range(-MONTHS_AHEAD, MONTHS_BACK + 1)]
    ends = [NO_END, *(month_end(first).isoformat() for first in reversed(starts))]
    # Each network has boxes of its own: what was typed for one is not meant for the next.
    of = choices.pcn_code
    with st.form("target", clear_on_submit=False):
        show.card_title("Set a target", "from a month on; earlier targets stay and end before it")
        fte = st.number_input(
            "Target, FTE in post",
            0.0,
            float(targets.MOST_FTE),
            1.0,
            0.1,
            key=f"target fte {of}",
        )
        start = st.selectbox(
            "From",
            starts[::-1],
            MONTHS_BACK,
            format_func=month,
            key=f"target from {of}",
        )
        end = st.selectbox(
            "Until the end of", ends, format_func=_end_words, key=f"target until {of}"
        )
        reason = st.text_input("Why", max_chars=200, key=f"target reason {of}")
        if st.form_submit_button("Set target"):
            until = None if end == NO_END else date.fromisoformat(end)
            _told(
                choices.icb_code,
                lambda: targets.set_target(
                    loading_engine(), scope, choices.icb_code, choices.as_at, choices.pcn_code,
                    round(float(fte), 2), start, until, reason, current_user(),
                ),
                f"The target of {choices.pcn_name} is {number(fte, 2)} FTE from {month(start)}.",
            )  # fmt: skip
        if st.form_submit_button("Take targets away from that month on"):
            _told(
                choices.icb_code,
                lambda: targets.set_target(
                    loading_engine(), scope, choices.icb_code, choices.as_at, choices.pcn_code,
                    None, start, None, "", current_user(),
                ),
                f"{choices.pcn_name} has no target from {month(start)} on.",
            )  # fmt: skip


def _plan_form(scope: Scope, choices: Choices) -> None:
    plans = fetch(posts.planned_fte, scope, choices.icb_code, choices.as_at)
    mine = plans[plans["pcn_code"] == choices.pcn_code].set_index("month")["planned_fte"]
    april = _april(choices.as_at)
    year = st.selectbox(
        "Plan for", [april, months_before(april, -12)], format_func=financial_year, key="plan year"
    )
    months = [months_before(year, -ahead) for ahead in range(12)]
    with st.form("plan"):
        show.card_title("Set the plan", "FTE at the end of each month; blank is not planned")
        values = {}
        for row in range(0, 12, 3):
            for place, first in zip(st.columns(3), months[row : row + 3], strict=True):
                known = mine.get(first)
                # Another load may have planned otherwise: then the boxes begin anew.
                key = f"plan {choices.pcn_code} {first} {data_state().version}"
                # Not as the box's own value: to that it would go back when it is emptied.
                st.session_state.setdefault(key, None if known is None else float(known))
                values[first] = place.number_input(
                    month(first), 0.0, float(targets.MOST_FTE), None, 0.1, key=key
                )
        if st.form_submit_button("Save plan"):
            planned = {first: float(fte) for first, fte in values.items() if fte is not None}
            _told(
                choices.icb_code,
                lambda: targets.set_plan(
                    loading_engine(), scope, choices.icb_code, choices.as_at, choices.pcn_code,
                    year, planned, current_user(),
                ),
                f"The plan of {choices.pcn_name} for {financial_year(year)} is saved.",
            )  # fmt: skip


def _april(day_in_year: date) -> date:
    """The first month of the financial year of a day."""
    return date(day_in_year.year - (day_in_year.month < APRIL), APRIL, 1)


def _told(icb_code: str, change: Callable[[], object], said: str) -> None:
    """Make a change and say what became of it; the page runs again with the new figures."""
    access.check(roles.SET_TARGETS, icb_code)
    try:
        change()
    except AlreadyLoadedError:
        said = "This is what was set already: nothing was changed."
    except (targets.NotSetError, NotWrittenError) as error:
        said = f"Nothing was changed: {error}"
    st.session_state[_SAID] = said
    st.rerun()


def _end_words(end: str) -> str:
    return end if end == NO_END else month(date.fromisoformat(end))


def _history(history: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """One row per target that was ever set, the newest first. A load repeats the earlier targets of
    the network, which somebody else set before: who and when are those of the first."""
    history = history.assign(reason=history["reason"].fillna(""))
    what = ["target_fte", "valid_from", "reason"]
    first = history.drop_duplicates(what, keep="last").sort_values(
        ["loaded_at", "valid_from"], ascending=[False, True]
    )
    newest = {
        (row.target_fte, row.valid_from, row.reason): row
        for row in each_row(history.drop_duplicates(what))
    }
    rows = []
    for row in each_row(first):
        now = newest[row.target_fte, row.valid_from, row.reason]
        rows.append(
            [
                f"{number(row.target_fte, 2)} FTE",
                day(row.valid_from),
                day(now.valid_until) if now.valid_until else NO_END,
                row.reason or MISSING,
                f"{day(row.loaded_at.date())} by {MISSING if pd.isna(row.loaded_by) else row.loaded_by}",
                row.file_name,
                "in force" if now.is_in_force else "replaced",
            ]
        )
    return ["Target", "From", "Until", "Why", "Set", "In", "Now"], rows
