"""The parts of the Providers page: what is met where, which services there are, with what room."""

from __future__ import annotations

import streamlit as st

from dashboard import filters, pinned, show
from dashboard import providers_told as told
from dashboard import providers_words as words
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.providers_pictures import map_words, service_map, service_map_groups, weekly_figure
from dashboard.providers_view import (
    ProvidersView,
    near_of_ward,
    theme_names,
    weekly_trend,
)
from dashboard.service_panel import service_panel
from queries.scope import Scope


def gap_matrix(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """Wards or localities by need: picked by click or key, it leads to the services."""
    by = filters.pick(filters.ROWS, "Rows", {"": "Wards", "localities": "Localities"})
    ward_code = filters.chosen(filters.WARD)
    theme = filters.chosen(filters.THEME)
    show.looks(words.LOOKS, told.counted_states(view.cells))
    show.table(
        filters.table_url("localities" if by else "gaps"),
        name="gap_matrix",
        picked=f"{ward_code}|{theme}" if theme else ward_code,
        on_pick=filters.pick_cell,
    )
    left, right = st.columns(2)
    with left:
        ward_code = filters.pick(
            filters.WARD, "Ward", {"": "Pick a ward, here or in the matrix", **view.names}
        )
    with right:
        theme = filters.pick(filters.THEME, "Need", {"": "Every need", **theme_names()})
    if ward_code in view.names:
        _cell(view, choices, ward_code, theme)
    show.explanation(told.matrix_notes(view), told.ABOUT_MATRIX, name="about gaps", what="matrix")
    show.downloads(
        "gaps",
        choices.icb_code,
        choices.as_at.isoformat(),
        things="ward and need",
        with_stale=choices.with_stale,
    )


def _cell(view: ProvidersView, choices: Choices, ward_code: str, theme: str) -> None:
    """What there is in one ward for one need, or for each."""
    show.heading(told.cell_title(view, ward_code, theme), anchor="cell")
    show.finding(told.cell_finding(view, ward_code, theme))
    near = near_of_ward(view, ward_code, theme)
    if near.empty:
        show.empty("No service to show", told.nothing_near(theme))
    else:
        show.small_table(*told.near_table(near), caption="Services that serve the ward")
    address = choices.address(ward=ward_code)
    show.link_to_view("The ward on the page Coverage", address, page="/coverage")


def services(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """The list, what it is narrowed to, and one service in full."""
    show.finding([words.safeguarding_finding(view.listed.frame)])
    asked = {
        filters.THEME: ("Need", {"": "Any", **theme_names()}),
        filters.ROOM: ("Room", words.ROOMS),
        filters.COST: ("Cost to the person", words.COSTS),
        filters.ACCESS: ("How to get in", words.access_names(view.listed.frame)),
        filters.AGE: ("For ages", words.AGES),
        filters.PLACE: ("Where", words.PLACES),
        filters.PROVIDER: ("Provider", words.provider_names(view.listed.frame)),
    }
    columns = st.columns(4)
    for place, (name, (label, options)) in enumerate(asked.items()):
        with columns[place % len(columns)]:
            filters.pick(name, label, options)
    fitting = words.fits(view.listed.frame, {name: filters.chosen(name) for name in asked})
    if not fitting.any():
        show.empty("No service fits", told.nothing_fits(choices))
    names = told.service_names(view.listed.frame, fitting, filters.chosen(filters.SERVICE))
    key = filters.pick(
        filters.SERVICE, "Service", {"": "Pick a service, here or in the list", **names}
    )
    if key:
        service_panel(view, choices, key)
    show.table(
        filters.table_url("services", *asked),
        name="service_list",
        picked=key,
        on_pick=filters.pick_service,
    )
    show.downloads("services", choices.icb_code, choices.as_at.isoformat(), things="service")


def capacity(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """Places and who waits, by provider, need, locality or ward; and week by week."""
    by = filters.pick(filters.BY, "By", words.GROUPS)
    show.table(
        filters.table_url("capacity", filters.BY),
        name="capacity_list",
        picked="",
        on_pick=filters.pick_group,
    )
    show.notes(told.capacity_notes(view, by))
    show.heading("Week by week", anchor="weeks")
    _weeks(scope, choices)


@st.fragment
def _weeks(scope: Scope, choices: Choices) -> None:
    measure = filters.pick(filters.MEASURE, "Trend of", told.MEASURES)
    trend = fetch_shared(weekly_trend, scope, choices, measure)
    if trend.chart is None:
        show.empty("No weeks to show", told.NOT_ALIKE if trend.found.told else told.NO_WEEKS)
    else:
        show.finding(told.week_finding(trend, measure))
        show.icons(told.week_icons(trend))
        pinned.chart(
            scope,
            choices,
            fetch_shared(weekly_figure, scope, choices, measure, show.theme().is_dark),
            trend.found.weeks,
            measure="utilisation",
            provider=filters.chosen(filters.PROVIDER),
            name=f"weeks_{measure}",
            alt=f"{told.MEASURES[measure]} by week, {choices.words}. {trend.chart.words}",
        )
        show.notes(told.week_notes(trend))
        with st.expander("The weeks as a table", key="capacity weeks"):
            show.small_table(*told.week_table(trend, measure), caption=told.MEASURES[measure])
    filters.write_address()


@st.fragment
def map_of_services(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """Places as points, the area of the picked service as an outline, the others beside the map."""
    filters.follow_pick()
    picture, beside = st.columns([7, 3])
    with beside:
        theme = filters.pick(filters.THEME, "Need", {"": "Any need", **theme_names()})
    key = filters.chosen(filters.SERVICE)
    groups, points = fetch_shared(service_map_groups, scope, choices, theme)
    figure = fetch_shared(service_map, scope, choices, theme, key, show.theme().is_dark)
    alt, title, names, nowhere = fetch_shared(map_words, scope, choices, theme)
    with picture:
        show.chart(
            figure,
            view.listed,
            name="service_map",
            alt=alt,
            on_pick=filters.pick_on_service_map,
        )
        show.explanation(told.map_notes(view), told.ABOUT_MAP, name="about services map")
    with beside:
        show.key("Places and wards", groups, points=points)
        show.caption(title, told.BESIDE)
        show.lines(names)
        show.notes(nowhere)
    filters.write_address()


def services_on_the_map(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """The map, and below it the service or the ward that was picked on it."""
    map_of_services(scope, view, choices)
    if key := filters.chosen(filters.SERVICE):
        service_panel(view, choices, key)
    ward_code = filters.chosen(filters.WARD)
    if ward_code in view.names:
        _cell(view, choices, ward_code, filters.chosen(filters.THEME))
