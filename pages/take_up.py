"""Where is take-up low for the need there, at which step is it lost, and whom do we call?"""

import streamlit as st

from dashboard import coverage_words, filters, show, take_up_sections
from dashboard.access import current_scope
from dashboard.data import data_state, fetch_shared
from dashboard.take_up_panel import take_up_panel
from dashboard.take_up_view import take_up_view

scope, choices = current_scope(), filters.current()
view = fetch_shared(take_up_view, scope, choices.area)

show.header(
    "Where is take-up low for the need there, and where is it lost?",
    choices.words,
    view.chips,
    is_demonstration=data_state().is_demonstration,
)
if not view.names:
    show.empty("No ward fits these filters", coverage_words.nothing_fits(choices))
    st.stop()
show.finding(view.finding)
show.tiles(view.tiles)
ward_code = filters.pick(filters.WARD, "Ward", {"": coverage_words.PICK_A_WARD, **view.names})
if ward_code:
    take_up_panel(scope, choices, view, ward_code)
PARTS = {
    "wards": ("Wards", take_up_sections.wards),
    "leak": ("Where it is lost", take_up_sections.leak),
    "leads": ("Leads and supervision", take_up_sections.leads),
    "complex": ("Complex need", take_up_sections.complex_need),
    "brief": ("Brief", take_up_sections.brief),
}
part = filters.switch(filters.PART, "Show", {name: title for name, (title, _) in PARTS.items()})
title, draw = PARTS[part]
show.heading(title, anchor=part)
draw(scope, view, choices)
show.downloads(
    "take-up", choices.icb_code, choices.as_at.isoformat(), with_stale=choices.with_stale
)
