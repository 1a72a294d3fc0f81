"""Which needs can be met where, with what room, and until when?"""

import streamlit as st

from dashboard import filters, providers_plan, providers_sections, show
from dashboard.access import current_scope
from dashboard.data import data_state, fetch_shared
from dashboard.providers_view import providers_view

scope, choices = current_scope(), filters.current()
view = fetch_shared(providers_view, scope, choices)

show.header(
    "Which needs can be met where, and with what room?",
    choices.words,
    view.chips,
    is_demonstration=data_state().is_demonstration,
)
if not view.names:
    show.empty("No ward fits these filters", "Choose all localities and networks at the left.")
    st.stop()
show.finding(view.finding)
show.tiles(view.tiles)
PARTS = {
    "gaps": ("Gaps by need", providers_sections.gap_matrix),
    "services": ("Services", providers_sections.services),
    "capacity": ("Capacity", providers_sections.capacity),
    "map": ("Map", providers_sections.services_on_the_map),
    "freshness": ("Freshness", providers_plan.freshness),
    "funding": ("Funding", providers_plan.funding),
    "demand": ("Demand and supply", providers_plan.demand),
    "directory": ("Directory", providers_plan.directory),
}
part = filters.switch(filters.PART, "Show", {name: title for name, (title, _) in PARTS.items()})
title, draw = PARTS[part]
show.heading(title, anchor=part)
draw(scope, view, choices)
