"""Which wards have no social prescribing, and why do we think so?"""

import streamlit as st

from dashboard import coverage_words as words
from dashboard import filters, show
from dashboard.access import current_scope
from dashboard.charts.area_map import area_map
from dashboard.coverage import ward_coverage
from dashboard.data import data_version, fetch, is_demonstration, sources
from dashboard.maps import board_map
from dashboard.style import PICKED_COLOUR, template
from dashboard.ward_panel import ward_panel
from queries import workforce

scope, choices, theme = current_scope(), filters.current(), show.theme()
coverage = fetch(ward_coverage, scope, choices.icb_code, choices.as_at)
pcns = fetch(workforce.fte_by_pcn, scope, choices.icb_code, choices.as_at)
wards = words.chosen_wards(coverage, choices)

show.header(
    "Which wards have no social prescribing?",
    choices.words,
    words.chips(sources(), choices.as_at),
    is_demonstration=is_demonstration(),
)
if wards.frame.empty:
    show.empty("No ward fits these filters", words.nothing_fits(choices))
    st.stop()
show.finding(words.finding(wards, coverage.basis))
show.tiles(words.tiles(wards, pcns, coverage.basis))

names = words.ward_names(wards)
left, right = st.columns([1, 1])
with left:
    layer = words.LAYERS[filters.pick(filters.LAYER, "Map shows", words.LAYER_NAMES)]
with right:
    ward_code = filters.pick(filters.WARD, "Ward", {"": "Pick a ward here, on the map or in the list", **names})

groups = words.map_groups(wards, layer)
shapes = board_map(scope, choices.icb_code)
picture, beside = st.columns([7, 3])
with picture:
    figure = area_map(
        groups,
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(wards.frame["ward_code"]),
        edge_colour=theme.muted,
        layout=template(theme),
        picked=ward_code,
        picked_colour=PICKED_COLOUR,
    )
    alt = words.map_alt(layer, groups)
    show.chart(figure, wards, name="ward_map", alt=alt, on_pick=filters.pick_ward)
with beside:
    show.key(layer.title, groups, words.key_notes(wards, coverage.basis))
    show.explanation(words.explanation(layer, coverage.basis))

if ward_code:
    ward_panel(scope, choices, coverage, ward_code)
show.table(
    wards,
    words.ward_columns(coverage.basis),
    words.TABLE_TEXT,
    name="ward_list",
    row_key="ward_code",
    picked=ward_code,
    swatch=(2, words.swatch),
    on_pick=filters.pick_ward,
)
show.downloads("coverage", choices.icb_code, choices.as_at.isoformat())
