"""Where does the next pound reach most unmet need, how sure is that, and what would be lost?"""

import streamlit as st

from dashboard import coverage_words, filters, show, site_plan_sections
from dashboard import site_plan_words as words
from dashboard.access import current_scope
from dashboard.coverage_view import coverage_view
from dashboard.data import data_state, fetch_shared
from dashboard.site_plan_view import plan_view

scope, choices = current_scope(), filters.current()
board = fetch_shared(coverage_view, scope, choices.area)

show.header(
    "Where does the next pound reach most unmet need?",
    choices.words,
    board.chips,
    is_demonstration=data_state().is_demonstration,
)
if not board.names:
    show.empty("No ward fits these filters", coverage_words.nothing_fits(choices))
    st.stop()
above = st.container()
assumed = site_plan_sections.choose(scope, choices.area)
view = fetch_shared(plan_view, scope, choices.area, assumed)
with above:
    show.finding(view.finding)
    show.tiles(view.tiles)
    show.notes([words.in_short(view.plan)])
PARTS = {
    "plan": ("The plan", site_plan_sections.plan),
    "need": ("Unmet need", site_plan_sections.need),
    "sure": ("How sure", site_plan_sections.sure),
    "whatif": ("What if", site_plan_sections.what_if),
    "fairness": ("Equity", site_plan_sections.equity),
    "compare": ("Save and compare", site_plan_sections.compare),
}
part = filters.switch(filters.PART, "Show", {name: title for name, (title, _) in PARTS.items()})
title, draw = PARTS[part]
show.heading(title, anchor=part)
draw(scope, view, choices)
