"""The parts of the Take-up page: each a finding, a picture, and the same figures as a table."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from dashboard import filters, pinned, show
from dashboard import take_up_told as told
from dashboard import take_up_words as words
from dashboard.brief import network_brief, ward_brief
from dashboard.complex_need import WAITS, days_of_waits, wait_trend
from dashboard.control_words import icons
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.leads import lead_history, locality_leads, supervision
from dashboard.outcomes import area_cohort, board_pathway
from dashboard.take_up_view import (
    TakeUpView,
    complex_need_of,
    funnel_figure,
    layer_groups,
    losses_figure,
    map_layers,
    wait_figure,
    ward_map,
)
from queries.scope import Scope


@st.fragment
def wards(scope: Scope, view: TakeUpView, choices: Choices) -> None:
    """Take-up on the map, against the limits of chance, and in the list."""
    filters.follow_pick()
    area, is_dark, ward_code = choices.area, show.theme().is_dark, filters.chosen(filters.WARD)
    picture, beside = st.columns([7, 3])
    with beside:
        layers = map_layers(scope, area)
        layer = filters.pick(filters.SHOWS, "Map shows", layers)
        groups, alt = fetch_shared(layer_groups, scope, area, layer)
    with picture:
        figure = fetch_shared(ward_map, scope, area, layer, ward_code, is_dark)
        show.chart(figure, view.wards, name="take_up_map", alt=alt, on_pick=filters.pick_on_map)
        show.explanation(view.notes, words.ABOUT_MAP, name="about take-up map")
    with beside:
        show.key(layers[layer], groups)
    show.heading("Against the limits of chance", anchor="funnel")
    funnel = fetch_shared(funnel_figure, scope, area, ward_code, is_dark)
    if funnel is None:
        show.empty("No funnel to draw", "No ward of this area could be judged.")
    else:
        show.chart(
            funnel,
            view.wards,
            name="take_up_funnel",
            alt="Referrals for 100 expected by ward; the list below has the figures",
            on_pick=filters.pick_on_map,
        )
        show.explanation(view.notes, words.ABOUT_FUNNEL, name="about take-up funnel", what="funnel")
    show.heading("Every ward", anchor="list")
    show.table(
        filters.table_url("take-up"),
        name="take_up_list",
        picked=ward_code,
        on_pick=filters.pick_on_map,
    )
    filters.write_address()


def leak(scope: Scope, view: TakeUpView, choices: Choices) -> None:
    """Where the people are lost who would have come, over all low wards and in each."""
    if not any(code in view.found.leaks for code in view.names):
        show.empty("No ward is low", "No ward of this area lies below the expected range.")
        return
    figure = fetch_shared(losses_figure, scope, choices.area, show.theme().is_dark)
    show.chart(
        figure,
        view.wards,
        name="losses",
        alt="People lost in the low wards, by where; the table has the figures",
    )
    show.explanation(view.notes, words.ABOUT_LEAK, name="about leak", what="chart")
    show.small_table(
        *words.losses_table(view.wards, view.found), caption="Where people are lost, low wards"
    )
    show.heading("Ward by ward", anchor="low")
    leads = fetch_shared(locality_leads, scope, choices.icb_code, choices.as_at)
    show.small_table(
        *words.low_table(view.wards, view.found, words.lead_names(leads)),
        caption="Low wards, the largest shortfall first",
    )
    show.notes(["Pick a ward above for its own parts."])


def leads(scope: Scope, view: TakeUpView, choices: Choices) -> None:
    """Who leads each locality of the area, those without a lead first, and who led before."""
    mine = view.wards.frame["lad_code"].unique()
    found = fetch_shared(locality_leads, scope, choices.icb_code, choices.as_at)
    found = found[found["lad_code"].isin(mine)]
    show.finding(told.leads_finding(found))
    show.small_table(*told.leads_table(found), caption="Localities, those without a lead first")
    history = fetch_shared(lead_history, scope, choices.icb_code)
    history = history[history["lad_code"].isin(mine)]
    if len(history):
        with st.expander("Everybody who led a locality", key="lead history"):
            show.small_table(*told.history_table(history), caption="Leads by locality")
    show.heading("Supervision of link workers", anchor="supervision")
    posts = fetch_shared(supervision, scope, choices.icb_code, choices.as_at)
    posts = told.posts_of(posts, choices)
    if posts.empty:
        show.empty("No posts to show", "No return of link-worker posts tells of this area.")
        return
    show.finding(told.supervision_finding(posts))
    show.small_table(*told.supervision_table(posts), caption="By profession of the supervisor")
    with st.expander("Post by post, the longest overdue first", key="supervised posts"):
        show.small_table(*told.supervised_posts(posts), caption="Posts")
    show.notes([told.supervision_note()])


def complex_need(scope: Scope, view: TakeUpView, choices: Choices) -> None:
    """Where complex need is, who goes on to occupational therapy, and how long each step takes."""
    pathway = fetch_shared(board_pathway, scope, choices.icb_code, choices.as_at, "")
    if pathway.cohort is None:
        show.empty("No complex need to show", f"{pathway.no_window}.")
        return
    cohort = area_cohort(pathway, choices.lad_code, choices.pcn_code)
    need = fetch_shared(complex_need_of, scope, choices.icb_code, choices.as_at)
    code = choices.pcn_code or choices.lad_code or choices.icb_code
    everybody = need.areas.rows(need.areas.frame["code"] == code)
    days = fetch_shared(days_of_waits, scope, cohort)
    show.finding(told.complex_finding(everybody, days))
    show.small_table(*told.complex_table(everybody), caption="People referred in 12 months")
    with st.expander("Ward by ward, the most with several conditions first", key="complex wards"):
        show.small_table(*told.complex_wards(need.wards, view.names), caption="By ward")
    show.notes([told.complex_note(need.areas)])
    show.heading("No delay in people's care", anchor="delay")
    show.small_table(*told.waits_table(days), caption="Days of each transition")
    wait = filters.pick(filters.WAIT, "Transition", dict(WAITS))
    trend = fetch_shared(wait_trend, scope, cohort, wait, choices.months)
    if trend.chart is None:
        show.empty("No months to show", "No month has enough people whose wait has ended.")
        return
    show.finding([trend.chart.words])
    show.icons(icons(trend.chart))
    pinned.chart(
        scope,
        choices,
        fetch_shared(wait_figure, scope, cohort, wait, choices.months, show.theme().is_dark),
        trend.months,
        measure="therapy_days",
        name=f"wait_{wait}",
        alt=f"{WAITS[wait]}: median days by month received. {trend.chart.words}",
    )
    show.notes(told.wait_notes(trend))
    with st.expander("The months as a table", key="wait months"):
        show.small_table(*told.wait_table(trend), caption=WAITS[wait])


def brief(scope: Scope, view: TakeUpView, choices: Choices) -> None:
    """The brief of the picked ward, or of the chosen network: as it is printed."""
    ward_code = filters.chosen(filters.WARD)
    if ward_code in view.names:
        found = fetch_shared(ward_brief, scope, choices.area, ward_code)
        asked = choices.address(ward=ward_code)
    elif choices.pcn_code:
        found = fetch_shared(network_brief, scope, choices.area, choices.pcn_code)
        asked = choices.address(pcn=choices.pcn_code)
    else:
        found, asked = None, {}
    if found is None:
        show.empty("Of whom?", "Pick a ward above, or a network at the left.")
        return
    show.brief(found, f"/brief.pdf?{urlencode(asked)}")
