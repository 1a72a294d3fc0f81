"""Which wards have no social prescribing, and why do we think so?"""

import streamlit as st

from dashboard import coverage_words as words
from dashboard import filters, show
from dashboard.access import current_scope
from dashboard.coverage_view import coverage_view, layer_view, ward_map
from dashboard.data import data_state, fetch_shared
from dashboard.ward_panel import ward_panel

scope, choices = current_scope(), filters.current()
area = choices.area
view = fetch_shared(coverage_view, scope, area)

show.header(
    "Which wards have no social prescribing?",
    choices.words,
    view.chips,
    is_demonstration=data_state().is_demonstration,
)
if not view.names:
    show.empty("No ward fits these filters", words.nothing_fits(choices))
    st.stop()
show.finding(view.finding)
show.tiles(view.tiles)


@st.fragment
def map_and_key() -> None:
    """The map by itself: another layer runs this alone, and leaves the rest of the page be."""
    filters.follow_pick()
    picture, beside = st.columns([7, 3])
    with beside:
        layer_name = filters.pick(filters.LAYER, "Map shows", words.LAYER_NAMES)
    layer = fetch_shared(layer_view, scope, area, layer_name)
    is_dark = show.theme().is_dark
    figure = fetch_shared(ward_map, scope, area, layer_name, ward_code, is_dark)
    with picture:
        show.chart(figure, view.wards, name="ward_map", alt=layer.alt, on_pick=filters.pick_on_map)
        show.explanation(layer.notes, layer.explanation)
    with beside:
        show.key(layer.layer.title, layer.groups, layer.marks)
    filters.write_address()


ward_code = filters.pick(filters.WARD, "Ward", {"": words.PICK_A_WARD, **view.names})
map_and_key()
if ward_code:
    ward_panel(scope, choices, view.coverage, ward_code)
url = filters.table_url("coverage")
show.table(url, name="ward_list", picked=ward_code, on_pick=filters.pick_ward)
show.downloads(
    "coverage", choices.icb_code, choices.as_at.isoformat(), with_stale=choices.with_stale
)
