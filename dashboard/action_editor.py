"""Where actions, decisions and notes are written down, changed and read from a file."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from dashboard import access, filters, show
from dashboard import actions_view as words
from dashboard.access import current_user
from dashboard.action_file import READ_ONLY, Reading, read_csv
from dashboard.actions_view import ActionsView, Targets
from dashboard.data import engine
from dashboard.filters import Choices
from dashboard.rules import roles
from dashboard.rules.actions import (
    EARLIEST,
    KINDS,
    LATEST,
    LONGEST_OWNER,
    LONGEST_WORDS,
    STATES,
    tidy,
)
from dashboard.style import counted
from dashboard.workforce import profile
from queries.actions import (
    ActionEdit,
    ChangedMeanwhileError,
    NotSavedError,
    Standing,
    action_history,
    add_action,
    change_action,
    edit_of,
    save_all,
)
from queries.frames import each_row
from queries.scope import Scope

FIRST_ROWS = 25
PROBLEMS_SHOWN = 50
NOT_LISTED = "Entries that are pinned to another network of the board are not listed."
NEW = ActionEdit("action", "")
_SAID, _REFUSED = "said of actions", "why an action was not saved"
# The entry, version and words the form began with; what two people saved of it; new forms and files.
_OPENED, _CONFLICTS, _TURN = "action in the form", "actions changed meanwhile", "forms filled"


def told() -> None:
    """What became of the last change, once."""
    if said := st.session_state.pop(_SAID, None):
        show.lines([said])
    if refused := st.session_state.pop(_REFUSED, None):
        show.lines(refused, is_problem=True)


def listed(scope: Scope, view: ActionsView, choices: Choices) -> None:
    """The list, narrowed, and one entry of it with its history and its form."""
    if scope.networks_of(choices.icb_code) is not None:
        show.notes([NOT_LISTED])
    if view.frame.empty:
        show.empty(
            "Nothing is written down yet",
            "Choose 'Write down' above for the first action, decision or note, or 'Files' to read "
            "a list from a CSV.",
        )
        return
    chosen = {}
    for column, (name, (label, options)) in zip(
        st.columns(4), words.choices_of(view).items(), strict=True
    ):
        with column:
            chosen[name] = filters.pick(name, label, options)
    rows = words.narrowed(view, chosen)
    if rows.empty:
        show.empty("Nothing fits", "No entry fits these choices: take one of them back.")
    else:
        caption = f"{counted(len(rows), 'entry', 'entries')}, the overdue first"
        show.small_table(*words.table(view, rows[:FIRST_ROWS]), caption=caption)
    if len(rows) > FIRST_ROWS:
        with st.expander(f"All {len(rows):,} entries", key="all actions"):
            show.small_table(*words.table(view, rows), caption="Every entry, the overdue first")
    names = {"": "Pick an entry to see or change it", **words.entry_names(view)}
    picked = filters.pick(filters.ACTION, "Entry", names)
    if picked:
        row = next(row for row in each_row(view.frame) if row.id == int(picked))
        _entry(scope, view, choices, row)


def _entry(scope: Scope, view: ActionsView, choices: Choices, row: Any) -> None:
    show.heading(f"Number {row.id}", anchor="entry")
    show.definition_list(words.facts(row, view.targets), label=f"Number {row.id}")
    show.link_to_view("Link to this entry", choices.address(action=str(row.id)))
    conflict = st.session_state.get(_CONFLICTS, {}).get(row.id)
    if conflict:
        _conflict(scope, view.targets, *conflict)
    else:
        _change_form(scope, view, row)
    history = words.history_table(action_history(engine(), scope, row.id), view.targets)
    show.small_table(*history, caption=f"History of number {row.id}, the newest first")


def _change_form(scope: Scope, view: ActionsView, row: Any) -> None:
    # What is typed stays when somebody else changes the entry: the form knows what it began with.
    action_id, version, before = st.session_state.get(_OPENED, (None, 0, NEW))
    if action_id != row.id or _key("words", _of(row.id, version)) not in st.session_state:
        version, before = row.version, edit_of(row)
        st.session_state[_OPENED] = (row.id, version, before)
    of = _of(row.id, version)
    with st.form(f"change action {of}"):
        show.card_title("Change it", "each change is kept with who made it")
        if version != row.version:
            show.lines(
                [f"{row.changed_by} changed it meanwhile: save to see both side by side."],
                is_problem=True,
            )
        _fields(of, before, view.targets)
        st.form_submit_button(
            "Save change", on_click=_save, args=(scope, view.targets, row.id, version, of, before)
        )


def write_down(scope: Scope, view: ActionsView, choices: Choices, first: ActionEdit = NEW) -> None:
    """The form for a new entry, which begins as the first one says: in a meeting, with its page."""
    of = f"new {'in meeting ' if first.meeting_id else ''}{st.session_state.get(_TURN, 0)}"
    with st.form(f"add action {of}"):
        show.caption(
            "Write down",
            "An action has an owner and a due date. It goes into the pack: nothing that says who a "
            "person is.",
        )
        _fields(of, first, view.targets)
        asked = (scope, view.targets, choices.icb_code, of, first)
        st.form_submit_button("Write down", on_click=_add, args=asked)


def _of(action_id: int, version: int) -> str:
    return f"{action_id} {version}"


def _key(field: str, of: str) -> str:
    return f"action {field} {of}"


def _fields(of: str, edit: ActionEdit, known: Targets) -> None:
    """The boxes of an entry. What they hold is set apart from their own first values: to those
    they would go back when they are emptied."""
    first = {
        "kind": edit.kind, "words": edit.words, "owner": edit.owner or "", "due_on": edit.due_on,
        "state": edit.state, "pin": words.pin_of(edit), "pinned_on": edit.pinned_on,
    }  # fmt: skip
    for field, value in first.items():
        st.session_state.setdefault(_key(field, of), value)
    st.text_area("What", max_chars=LONGEST_WORDS, key=_key("words", of))
    left, right = st.columns(2)
    left.text_input("Owner", max_chars=LONGEST_OWNER, key=_key("owner", of))
    with right:
        _day_box("Due", _key("due_on", of))
    left.selectbox("Kind", list(KINDS), format_func=KINDS.__getitem__, key=_key("kind", of))
    right.selectbox("State", list(STATES), format_func=STATES.__getitem__, key=_key("state", of))
    pins = words.pin_options(known, edit)
    left.selectbox("Pinned to", list(pins), format_func=pins.__getitem__, key=_key("pin", of))
    with right:
        _day_box("Day on the chart", _key("pinned_on", of))


def _day_box(label: str, key: str) -> None:
    st.date_input(
        label, value=None, min_value=EARLIEST, max_value=LATEST, format="DD/MM/YYYY", key=key
    )


def _typed(of: str, before: ActionEdit) -> ActionEdit:
    """What the boxes say; where it was written down stays."""
    said = {field: st.session_state[_key(field, of)] for field in (*_PLAIN, "pin", *_DAYS)}
    kind, _, code = said["pin"].partition("|")
    return ActionEdit(
        kind=said["kind"],
        words=tidy(said["words"]),
        owner=tidy(said["owner"]) or None,
        due_on=_day(said["due_on"]),
        state=said["state"],
        pinned_kind=kind or None,
        pinned_code=code or None,
        pinned_on=_day(said["pinned_on"]),
        page=before.page,
        meeting_id=before.meeting_id,
    )


_PLAIN, _DAYS = ("kind", "words", "owner", "state"), ("due_on", "pinned_on")


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) else None


# What follows runs before the page is drawn: a form that was saved can begin anew. Whoever had a role
# when the page was drawn may not have it any more.


def _check() -> None:
    access.check(roles.WRITE, filters.current().icb_code)


def _add(scope: Scope, known: Targets, icb_code: str, of: str, first: ActionEdit) -> None:
    _check()
    edit = _typed(of, first)
    if broken := words.refused(edit, known):
        st.session_state[_REFUSED] = words.rules_in_words(broken)
        return
    action_id = add_action(engine(), scope, icb_code, edit, current_user())
    st.session_state[_SAID] = f"Written down as number {action_id}."
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _save(
    scope: Scope, known: Targets, action_id: int, version: int, of: str, before: ActionEdit
) -> None:
    edit = _typed(of, before)
    if broken := words.refused(edit, known, before):
        st.session_state[_REFUSED] = words.rules_in_words(broken)
        return
    _write(scope, action_id, version, edit)


def _write(scope: Scope, action_id: int, version: int, edit: ActionEdit) -> None:
    """Save over the version that was read; where that has changed, keep both to choose from."""
    _check()
    conflicts = st.session_state.setdefault(_CONFLICTS, {})
    try:
        now = change_action(engine(), scope, action_id, version, edit, current_user())
    except ChangedMeanwhileError as error:
        conflicts[action_id] = (edit, error.now)
        return
    conflicts.pop(action_id, None)
    st.session_state.pop(_OPENED, None)
    st.session_state[_SAID] = (
        f"Number {action_id} says this already: nothing was changed."
        if now == version
        else f"Number {action_id} is saved as version {now}."
    )


def _conflict(scope: Scope, known: Targets, mine: ActionEdit, theirs: Standing) -> None:
    """What two people wrote, side by side, and whose to keep."""
    show.card_title("Changed meanwhile", "nothing is lost: choose which to keep")
    show.lines(
        [
            f"Saved by {theirs.changed_by} on {words.when(theirs.changed_at)}, while you wrote: "
            "yours is not saved yet."
        ],
        is_problem=True,
    )
    show.small_table(*words.beside(mine, theirs, known), caption="Both texts, side by side")
    left, right = st.columns(2)
    left.button(
        "Keep mine", key=f"keep mine {theirs.id}", on_click=_write,
        args=(scope, theirs.id, theirs.version, mine),
    )  # fmt: skip
    right.button("Take theirs", key=f"take theirs {theirs.id}", on_click=_take, args=(mine, theirs))
    show.notes(["Either stays in the history once it was saved."])


def _take(mine: ActionEdit, theirs: Standing) -> None:
    st.session_state[_CONFLICTS].pop(theirs.id, None)
    st.session_state.pop(_OPENED, None)
    st.session_state[_SAID] = (
        f"What {theirs.changed_by} saved stays. Yours was not saved; it said: {mine.words}"
    )


def files(scope: Scope, view: ActionsView, choices: Choices) -> None:
    """The list as CSV and as dates for a calendar, and a mended CSV read back."""
    query = f"icb={choices.icb_code}"
    if profile().may_leave:
        show.links(
            [
                ("The list, to mend and read back:", [("CSV", f"/actions.csv?{query}")]),
                ("Open actions by due date, for Outlook:", [("ICS", f"/actions.ics?{query}")]),
            ]
        )
    show.notes(
        [
            "In the CSV a row with a number and version changes that entry, a row without is new.",
            f"Not read are: {', '.join(READ_ONLY)}.",
            "Days are written 2026-06-30 or 30/06/2026. All of a file is saved, or nothing.",
        ]
    )
    file = st.file_uploader(
        "Mended list", type=["csv"], key=f"actions file {st.session_state.get(_TURN, 0)}"
    )
    if file is None:
        return
    found = read_csv(file.getvalue(), view.frame, view.targets)
    if found.problems:
        problems = found.problems[:PROBLEMS_SHOWN]
        more = len(found.problems) - len(problems)
        show.lines(
            [
                f"Nothing can be saved: {counted(len(found.problems), 'problem')} found.",
                *map(str, problems),
                *([f"and {more:,} more"] if more else []),
            ],
            is_problem=True,
        )
        return
    changes = sum(one.id is not None for one in found.wanted)
    show.lines(
        [
            f"{counted(changes, 'entry', 'entries')} would change, "
            f"{len(found.wanted) - changes:,} would be new, {found.same:,} stay as they are."
        ]
    )
    if found.wanted:
        st.button("Save the list", on_click=_save_file, args=(scope, choices.icb_code, found))


def _save_file(scope: Scope, icb_code: str, found: Reading) -> None:
    _check()
    try:
        ids = save_all(engine(), scope, icb_code, found.wanted, current_user())
    except NotSavedError as error:
        st.session_state[_REFUSED] = list(map(str, found.not_saved(error)))
        return
    st.session_state[_SAID] = f"{counted(len(ids), 'entry', 'entries')} saved from the file."
    # The box is empty again.
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
