"""Is everything here, what was refused, and what did each file change?"""

import streamlit as st

from dashboard import filters, returns_view, show, upload
from dashboard.access import current_scope
from dashboard.data import data_state, fetch_shared

scope = current_scope()
choices = filters.current_or_none()
as_at = choices.as_at if choices else filters.newest_as_at()

show.header(
    "Is everything here, and can it be trusted?",
    choices.words if choices else "No board is loaded yet",
    [],
    is_demonstration=data_state().is_demonstration,
)
grid = fetch_shared(returns_view.dataset_grid, scope, as_at)
show.finding([returns_view.finding(grid)])
if choices is None:
    show.lines([show.FIRST_FILES])
show.grid(grid, caption="What is there for each month; a number counts the parts in force")
if choices:
    dataset = st.segmented_control(
        "Returns of the networks",
        list(returns_view.PCN_RETURNS),
        format_func=returns_view.PCN_RETURNS.__getitem__,
        default="workforce",
        required=True,
        key="return shown",
    )
    pcns = fetch_shared(returns_view.pcn_grid, scope, choices.icb_code, as_at, dataset)
    show.grid(pcns, caption=f"{returns_view.PCN_RETURNS[dataset]}: which network returned when")
    if said := returns_view.not_shown(scope, choices.icb_code):
        show.lines([said])
    if unmatched := fetch_shared(returns_view.unmatched_wards, scope, choices.icb_code):
        show.small_table(
            ["District", "Wards with a population", "Ward codes in no population"],
            unmatched,
            caption="Wards without a population: rates for them are missing",
        )
with st.expander("Files without months: boundaries, lookups, registers, directories"):
    show.small_table(
        ["Dataset", "In force", "Newest load"],
        fetch_shared(returns_view.without_months, scope),
        caption="What is in force",
    )

show.heading("Load files", anchor="load")
if upload.may_load():
    upload.upload_box()
    upload.job_cards()
    show.heading("History", anchor="history")
    upload.history_list()
else:
    show.lines([upload.FOR_ANALYSTS])
show.heading("Templates for local returns", anchor="templates")
upload.templates()
