"""The parts of the Workforce page: each a finding, a chart, and the same figures as a table."""

from __future__ import annotations

import streamlit as st

from dashboard import filters, pinned, show
from dashboard import workforce_pictures as pictures
from dashboard import workforce_trend_words as told
from dashboard import workforce_words as words
from dashboard.control_words import icons, limits_words
from dashboard.data import fetch_shared, once
from dashboard.filters import Choices
from dashboard.own_networks import LEFT_OUT
from dashboard.provision_by_need import provision_by_need
from dashboard.workforce_view import (
    TREND_MEASURES,
    TRENDS,
    WorkforceView,
    recruitment_view,
    trend_chart,
    trend_target,
)
from queries.scope import Scope

VIEWS = {
    "staffing": "FTE in post, vacant, planned and target",
    "funnel": "FTE for the length of the list",
    "pressure": "New referrals a year per FTE",
}


@st.fragment
def every_network(scope: Scope, view: WorkforceView, choices: Choices) -> None:
    """One chart for all networks of the board or locality; a click on it picks one."""
    filters.follow_pick()
    name = filters.pick(filters.VIEW, "Chart shows", VIEWS)
    figure = fetch_shared(pictures.networks_figure, scope, choices, name, show.theme().is_dark)
    if figure:
        show.chart(
            figure,
            view.listed,
            name=f"networks_{name}",
            alt=f"{VIEWS[name]} by network, {choices.words}; the list below has the same figures",
            on_pick=filters.pick_pcn_on_chart,
        )
    else:
        show.empty("No funnel to draw", words.NO_LISTS)
    show.explanation(
        once(_notes, view),
        words.ABOUT[name],
        name=f"about {name}",
        what="chart",
    )
    if scope.networks_of(choices.icb_code) is not None:
        show.notes([LEFT_OUT])
    filters.write_address()


def _notes(view: WorkforceView) -> list[str]:
    return words.notes(view.workforce.basis, view.listed)


@st.fragment
def trend(scope: Scope, view: WorkforceView, choices: Choices) -> None:
    """One figure by month as a control chart."""
    show.heading("Is it getting better?", anchor="trend")
    name = filters.pick(
        filters.TREND, "Trend of", {key: title for key, (title, _) in TRENDS.items()}
    )
    judged = once(trend_chart, view, name)
    if judged is None:
        show.empty("No trend to show", told.no_trend(view, name))
        filters.write_address()
        return
    show.finding([told.trend_finding(name, judged), *once(told.who_is_judged, view, name)])
    show.icons(icons(judged))
    pinned.chart(
        scope,
        choices,
        fetch_shared(pictures.trend_figure, scope, choices, name, show.theme().is_dark),
        view.fte.months if name == "fte" else view.asked,
        measure=TREND_MEASURES[name],
        name=f"trend_{name}",
        alt=f"{TRENDS[name][0]} by month, {choices.words}. {judged.words}",
    )
    lines = limits_words(judged, once(trend_target, view, name))
    show.notes([lines, *told.trend_source(view, name)])
    with st.expander("The months as a table", key="trend months"):
        show.small_table(*once(_trend_table, view, name), caption=TRENDS[name][0])
    filters.write_address()


def _trend_table(view: WorkforceView, name: str) -> told.Table:
    judged = once(trend_chart, view, name)
    assert judged is not None  # there is no table where there is no chart
    return told.trend_table(view, name, judged)


def recruitment(scope: Scope, view: WorkforceView, choices: Choices) -> None:
    """Planned against actual, who joined and who left, and when the aim is reached."""
    show.heading("Is recruitment on its way?", anchor="recruitment")
    found = fetch_shared(recruitment_view, scope, choices)
    show.finding(told.recruitment_finding(view, found))
    figure = fetch_shared(pictures.recruitment_figure, scope, choices, show.theme().is_dark)
    if figure:
        show.chart(
            figure,
            found.trajectory.months,
            name="trajectory",
            alt=f"FTE in post, planned and projected by month, {choices.words}; the table has them",
        )
    show.notes([*told.moves_finding(view, found), *told.recruitment_source(found)])
    with st.expander("The months as a table", key="recruitment months"):
        show.small_table(
            *once(told.recruitment_table, found), caption="FTE, and who joined and left, by month"
        )


def need(scope: Scope, choices: Choices) -> None:
    """FTE per 10,000 by deprivation, and the slope from the most to the least deprived."""
    show.heading("Are link workers where need is?", anchor="need")
    found = fetch_shared(provision_by_need, scope, choices.icb_code, choices.as_at, choices.months)
    if found.fifths.frame.empty:
        show.empty("Nothing to compare", told.NO_NEED)
        return
    show.finding(once(told.need_finding, found, choices))
    show.chart(
        fetch_shared(pictures.need_figure, scope, choices, show.theme().is_dark),
        found.fifths,
        name="need",
        alt=f"FTE per 10,000 patients by fifth of deprivation and month, {choices.icb_name}",
    )
    show.explanation(
        once(told.need_notes, found), words.ABOUT["need"], name="about need", what="chart"
    )
    with st.expander("The months as a table", key="need months"):
        table = once(told.need_table, found)
        show.small_table(*table, caption="FTE per 10,000 patients by deprivation")
