"""Who gets from referral to benefit, who is lost on the way, and did wellbeing change?"""

import streamlit as st

from dashboard import filters, outcomes_sections, show
from dashboard.access import current_scope
from dashboard.data import data_state, fetch_shared
from dashboard.outcomes_view import outcomes_view
from dashboard.outcomes_words import cohort_titles

scope, choices = current_scope(), filters.current()
view = fetch_shared(outcomes_view, scope, choices, filters.chosen(filters.COHORT))

show.header(
    "Who gets from referral to benefit, and who is lost on the way?",
    choices.words,
    view.chips,
    is_demonstration=data_state().is_demonstration,
)
filters.pick(filters.COHORT, "Referrals received in", cohort_titles())
show.finding(view.finding)
if view.area is None:
    show.empty("No pathway to show", "It is counted from referral returns: see the page Data.")
    outcomes_sections.appointments(scope, choices)
    st.stop()
show.tiles(view.tiles)
PARTS = {
    "pathway": ("Pathway", outcomes_sections.steps),
    "endings": ("Why it ended", outcomes_sections.endings),
    "change": ("Change", outcomes_sections.change),
    "equity": ("Equity", outcomes_sections.groups),
    "networks": ("Networks and months", outcomes_sections.networks),
    "gp": ("GP contact", outcomes_sections.gp_contact),
}
part = filters.switch(filters.PART, "Show", {name: title for name, (title, _) in PARTS.items()})
title, draw = PARTS[part]
show.heading(title, anchor=part)
draw(scope, view, choices)
show.heading("Evaluation", anchor="evaluation")
show.downloads("outcomes", choices.icb_code, choices.as_at.isoformat(), things="outcome figure")
