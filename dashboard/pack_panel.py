"""The pack for a meeting on the screen: the button, how far it is, and the four files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import long_work, show
from dashboard.access import reader
from dashboard.data import data_state, engine
from dashboard.filters import Choices
from dashboard.meeting_pack import NO_PACK, meeting_pack
from dashboard.pack_work import FORMS, begin
from dashboard.progress import progress
from dashboard.workforce import profile
from queries.scope import Scope

_MADE = "the pack that was asked for"
ABOUT = (
    "Every page of this area as slides, as a document, as a workbook and as CSV files, each with its "
    "filters, dates, files and definitions."
)
NO_WARD = "No ward fits these filters: there is nothing to pack."


def pack_panel(scope: Scope, choices: Choices, since: str) -> None:
    """The pack of the chosen area, with what changed since a meeting or a day."""
    if not profile().may_leave:
        show.notes([NO_PACK])
        return
    show.lines([ABOUT])
    # By what it is of: its content is worked out when somebody asks for it.
    of = (choices.area, since, data_state().version, profile().name, reader().mark)
    made_of, key = st.session_state.get(_MADE, (None, ""))
    found = long_work.status(key if made_of == of else "")
    if found.state == "running":
        progress(key, "stop packing")
        return
    if found.state == "done":
        show.links([("The pack:", links(key))])
    if found.state == "failed":
        show.lines([f"The pack {found.message}."], is_problem=True)
    # What is decided on the way to the end of the meeting belongs in it: it can be made again.
    label = "Make the pack again" if found.state == "done" else "Make the pack"
    if st.button(label, key="make the pack"):
        with st.spinner("Putting the pages together"):
            pack = meeting_pack(engine(), scope, choices.area, since)
        if pack is None:
            show.lines([NO_WARD], is_problem=True)
            return
        st.session_state[_MADE] = (of, begin(pack, reader().mark))
        st.rerun()


def links(key: str) -> Sequence[tuple[str, str]]:
    """What each file is called, and where it is."""
    return [(form.title, f"/pack/{key}.{ending}") for ending, form in FORMS.items()]
