"""The parts of the Outcomes page: each a finding, a picture, and the same figures as a table."""

from __future__ import annotations

import streamlit as st

from dashboard import filters, pinned, show
from dashboard import outcomes_pictures as pictures
from dashboard import outcomes_told as told
from dashboard import outcomes_words as words
from dashboard.data import fetch_shared, once
from dashboard.filters import Choices
from dashboard.outcomes import FIFTH, lacking_service
from dashboard.outcomes_change import GP_ATTENDANCES, distribution, scale
from dashboard.outcomes_compared import DECLINED, SHARES, TAKE_UP, equity, own_funnel
from dashboard.outcomes_view import OutcomesView, breakdown, share_trend
from dashboard.own_networks import LEFT_OUT
from queries.appointments import recorded_by_month
from queries.scope import Scope

NO_SCORES = (
    "No return of outcome measurements matches these referrals: the template is on the page Data."
)


def steps(scope: Scope, view: OutcomesView, choices: Choices) -> None:
    """The pathway of the area, how long first contact takes, and both by group."""
    which, is_dark = filters.chosen(filters.COHORT), show.theme().is_dark
    show.chart(
        fetch_shared(pictures.pathway_figure, scope, choices, which, is_dark),
        view.counts,
        name="pathway",
        alt=f"Referrals by step, {choices.words}. {' '.join(view.finding)}".replace("**", ""),
    )
    show.explanation(
        once(told.pathway_notes, view),
        told.ABOUT_PATHWAY,
        name="about pathway",
        what="chart",
    )
    show.notes(["Published beside it:", *told.references(pictures.published(choices.as_at))])
    with st.expander("The steps as a table", key="steps as a table", expanded=True):
        show.small_table(*once(_step_table, view, scope), caption="Steps")
    show.heading("How long until first contact?", anchor="contact")
    figure = fetch_shared(pictures.curve_figure, scope, choices, which, is_dark)
    if figure is None or view.curve is None:
        show.empty("No curve to draw", "Too few referrals have dates for it.")
    else:
        show.chart(figure, view.curve, name="contact_curve", alt=once(told.curve_words, view))
        show.explanation(
            [once(told.curve_words, view)], told.ABOUT_CURVE, name="about curve", what="curve"
        )
        with st.expander("The curve as a table", key="curve as a table"):
            show.small_table(*once(told.curve_table, view), caption="Share contacted by day")
    show.heading("By group", anchor="groups")
    filters.pick(
        filters.GROUPS, "By", {name: title for name, (title, _) in words.CATEGORIES.items()}
    )
    show.table(
        filters.table_url("pathway", filters.COHORT, filters.GROUPS),
        name="pathway_list",
        picked=choices.pcn_code,
        on_pick=filters.pick_of_pathway,
    )
    is_part = scope.networks_of(choices.icb_code) is not None
    show.notes([told.BY_GROUP, *([LEFT_OUT] if is_part else [])])


def _step_table(view: OutcomesView, scope: Scope) -> told.Table:
    return words.step_table(view.steps, breakdown(scope, view, "all").days)


def endings(scope: Scope, view: OutcomesView, choices: Choices) -> None:
    """Why referrals ended, and where a service was missing."""
    assert view.area is not None
    groups = breakdown(scope, view, "ending")
    show.finding(told.endings_finding(groups))
    show.small_table(*told.endings_table(groups), caption="Why referrals ended")
    show.heading("Closed for lack of a service", anchor="lacking")
    found = fetch_shared(lacking_service, scope, view.area, choices.lad_code, choices.pcn_code)
    if found.themes.frame.empty:
        show.empty("Nobody was turned away", "No referral was closed for lack of a service here.")
    else:
        for caption, table in told.lacking_tables(found).items():
            if table[1]:
                show.small_table(*table, caption=caption)
        show.notes(told.lacking_notes(found))
    show.link_to_view(
        "What there is for each need, on the page Providers", choices.address(), page="/providers"
    )


def change(scope: Scope, view: OutcomesView, choices: Choices) -> None:
    """What people told before and after, question by question."""
    assert view.area is not None
    titles = told.question_titles(view.changes) if view.changes else {}
    if not titles or view.changes is None:
        show.empty("No scores to show", NO_SCORES)
        return
    measure, _, item = filters.pick(filters.QUESTION, "Question", titles).partition("|")
    question = (measure, item)
    row = told.change_row(view.changes, question)
    assert row is not None
    show.finding(told.change_finding(row, question))
    which, is_dark = filters.chosen(filters.COHORT), show.theme().is_dark
    rows = fetch_shared(distribution, scope, view.area, question)
    show.chart(
        fetch_shared(pictures.change_figure, scope, choices, which, question, is_dark),
        rows,
        name="before_after",
        alt=f"{scale(question).title}: people by score before and after, {choices.words}",
    )
    show.explanation(
        told.change_notes(row, view, question), told.ABOUT_CHANGE, name="about change", what="chart"
    )
    with st.expander("The scores as a table", key="scores as a table"):
        show.small_table(*told.distribution_table(rows), caption=scale(question).title)
    show.heading("Every question", anchor="questions")
    show.small_table(
        *once(told.change_table, view.changes), caption="Change in every question asked"
    )


def groups(scope: Scope, view: OutcomesView, choices: Choices) -> None:
    """One figure of the whole board for groups of people."""
    assert view.found.cohort is not None
    figures = told.equity_figures(view.changes)
    left, right = st.columns(2)
    with left:
        figure = filters.pick(filters.FIGURE, "Figure", figures)
    with right:
        category = filters.pick(filters.GROUPS, "For", told.EQUITY_GROUPS)
    if figure == TAKE_UP and category != FIFTH:
        show.empty("No rate for these groups", told.no_take_up(category))
        return
    found = fetch_shared(equity, scope, view.found.cohort, figure, category)
    if found.rows.frame.empty:
        show.empty("Nobody to compare", "No referral of these months tells this.")
        return
    title = figures[figure]
    show.finding(told.equity_finding(found, figure, title, category))
    show.chart(
        pictures.equity_figure(found, figure, title, show.theme().is_dark),
        found.rows,
        name=f"equity_{figure}_{category}",
        alt=f"{title} by {told.EQUITY_GROUPS[category].lower()}; the table below has the figures",
    )
    show.explanation(
        told.equity_notes(view, figure), told.ABOUT_EQUITY, name="about equity", what="chart"
    )
    names = words.FIFTHS if category == FIFTH else {}
    show.small_table(*told.equity_table(found, figure, names), caption=title)


@st.fragment
def networks(scope: Scope, view: OutcomesView, choices: Choices) -> None:
    """Networks against the limits of chance, and the area month by month."""
    filters.follow_pick()
    shares = {name: f"Share {title}" for name, (title, _) in SHARES.items()}
    share = filters.pick(filters.MEASURE, "Share", shares)
    which, is_dark = filters.chosen(filters.COHORT), show.theme().is_dark
    found = fetch_shared(own_funnel, scope, choices.icb_code, choices.as_at, which, share)
    figure = pictures.funnel_figure(found, share, choices.pcn_code, is_dark)
    if figure is None:
        show.empty("No funnel to draw", "No network of the board has this share.")
    else:
        show.finding(told.funnel_finding(found, share))
        show.chart(
            figure,
            found.rows,
            name=f"funnel_{share}",
            alt=f"{shares[share]} by network; the table below has the figures",
            on_pick=filters.pick_pcn_on_chart,
        )
        show.explanation(
            told.funnel_notes(view, found), told.ABOUT_FUNNEL, name="about funnel", what="chart"
        )
        with st.expander("The networks as a table", key="networks as a table"):
            show.small_table(*told.funnel_table(found), caption=shares[share])
    show.heading("Month by month", anchor="months")
    trend = fetch_shared(share_trend, scope, choices, which, share)
    picture = fetch_shared(pictures.trend_figure, scope, choices, which, share, is_dark)
    if trend is None or trend.chart is None or picture is None:
        show.empty("No months to show", told.NO_MONTHS)
    else:
        show.finding([trend.chart.words])
        show.icons(told.trend_icons(trend))
        pinned.chart(
            scope,
            choices,
            picture,
            trend.found.months,
            measure="declined" if share == DECLINED else "pathway",
            name=f"trend_{share}",
            alt=f"{shares[share]} by month, {choices.words}. {trend.chart.words}",
        )
        show.notes(told.trend_notes(trend))
        with st.expander("The months as a table", key="months as a table"):
            show.small_table(*told.trend_table(trend, share), caption=f"{shares[share]} by month")
    filters.write_address()


def gp_contact(scope: Scope, view: OutcomesView, choices: Choices) -> None:
    """Attendances at the GP before and after, and appointments as practices recorded them."""
    row = told.change_row(view.changes, GP_ATTENDANCES) if view.changes else None
    show.finding(told.gp_finding(row))
    if row is not None and view.area is not None:
        rows = fetch_shared(distribution, scope, view.area, GP_ATTENDANCES)
        which, is_dark = filters.chosen(filters.COHORT), show.theme().is_dark
        show.chart(
            fetch_shared(pictures.change_figure, scope, choices, which, GP_ATTENDANCES, is_dark),
            rows,
            name="attendances",
            alt=f"People by attendances at the GP before and after, {choices.words}",
        )
        show.notes(told.ABOUT_GP)
        show.small_table(
            *told.distribution_table(rows, "Attendances"), caption="Attendances in 6 months"
        )
    appointments(scope, choices)


def appointments(scope: Scope, choices: Choices) -> None:
    """Appointments of the national category, as practices recorded them: published for all."""
    show.heading("Recorded appointments", anchor="appointments")
    months = fetch_shared(recorded_by_month, scope, choices.icb_code, choices.as_at)
    show.finding(told.appointments_words(months))
    if len(months):
        show.small_table(*told.appointments_table(months), caption="Recorded by practices")
