"""The parts of the Workforce page: each a finding, a chart, and the same figures as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import filters, show
from dashboard import workforce_trend_words as told
from dashboard import workforce_words as words
from dashboard.charts import Figure
from dashboard.charts.band_dots import band_dots
from dashboard.charts.control_chart import control_chart
from dashboard.charts.funnel_plot import funnel_plot
from dashboard.charts.month_lines import MonthBand, MonthLine, month_lines
from dashboard.charts.staffing_bars import staffing_bars
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.provision_by_need import provision_by_need
from dashboard.rules import projection
from dashboard.rules.rates import CONFIDENCE
from dashboard.rules.staffing import CASELOAD_HIGH, CASELOAD_LOW
from dashboard.style import template
from dashboard.workforce_trend import joined_and_left, trajectory
from dashboard.workforce_view import TRENDS, WorkforceView, trend_chart, trend_column
from queries.frames import each_row
from queries.scope import Scope

VIEWS = {
    "staffing": "FTE in post, vacant, planned and target",
    "funnel": "FTE for the length of the list",
    "pressure": "New referrals a year per FTE",
}


def every_network(view: WorkforceView, choices: Choices) -> None:
    """One chart for all networks of the board or locality; a click on it picks one."""

    @st.fragment
    def picture() -> None:
        filters.follow_pick()
        name = filters.pick(filters.VIEW, "Chart shows", VIEWS)
        show.chart(
            _picture(view, name, choices.pcn_code),
            view.listed,
            name=f"networks_{name}",
            alt=f"{VIEWS[name]} by network, {choices.words}; the list below has the same figures",
            on_pick=filters.pick_pcn,
        )
        show.explanation(
            words.notes(view.workforce.basis, view.listed),
            words.ABOUT[name],
            name=f"about {name}",
            what="chart",
        )
        filters.write_address()

    picture()


def _picture(view: WorkforceView, name: str, picked: str) -> Figure:
    theme = show.theme()
    layout = template(theme)
    match name:
        case "funnel":
            return funnel_plot(
                view.listed,
                people="registered_patients",
                rate="fte_per_10k",
                place="funnel_place",
                limits=view.workforce.funnel,
                centre=view.workforce.centre,
                people_label="registered patients",
                label="FTE per 10,000",
                colour=theme.bar,
                layout=layout,
                picked=picked,
            )
        case "pressure":
            return band_dots(
                view.listed,
                value="pressure",
                state="pressure_state",
                low=CASELOAD_LOW,
                high=CASELOAD_HIGH,
                label="new referrals a year per FTE",
                colour=theme.bar,
                layout=layout,
                picked=picked,
            )
    return staffing_bars(view.listed, layout=layout, colour=theme.bar, picked=picked)


def trend(view: WorkforceView, choices: Choices) -> None:
    """One figure by month as a control chart."""
    show.heading("Is it getting better?", anchor="trend")
    name = filters.pick(
        filters.TREND, "Trend of", {key: title for key, (title, _) in TRENDS.items()}
    )
    judged = trend_chart(view, name)
    if judged is None:
        show.empty("No trend to show", told.no_trend(view, name))
        return
    show.finding([told.trend_finding(view, name, judged), *told.who_is_judged(view, name)])
    show.icons(told.icons(judged))
    show.lines([told.limits_words(judged)])
    extra = {}
    frame, column = trend_column(view, name)
    if column == "fte_alike":
        known = frame.dropna(subset="fte")
        extra["all that returned"] = [(row.month, float(row.fte)) for row in each_row(known)]
    released = view.fte.months if name == "fte" else view.asked
    show.chart(
        control_chart(judged, layout=template(show.theme()), label=TRENDS[name][0], extra=extra),
        released,
        name=f"trend_{name}",
        alt=f"{TRENDS[name][0]} by month, {choices.words}. {judged.words}",
    )
    with st.expander("The months as a table"):
        show.small_table(*told.trend_table(view, name, judged), caption=TRENDS[name][0])


def recruitment(scope: Scope, view: WorkforceView, choices: Choices) -> None:
    """Planned against actual, who joined and who left, and when the aim is reached."""
    show.heading("Is recruitment on its way?", anchor="recruitment")
    asked = (choices.icb_code, choices.as_at)
    found = fetch_shared(
        trajectory, scope, *asked, tuple(view.fte.alike), told.targets(view), choices.months
    )
    frame = found.months.frame
    known = [
        (row.month, None if pd.isna(row.fte) else float(row.fte))
        for row in each_row(frame)
        if told.is_past(view, row.month)
    ]
    ahead, why_not = projection.project(known) if known else (None, "no month is known")
    show.finding(told.recruitment_finding(view, found, ahead, why_not))
    if known:
        lines = [_line("in post", frame, "fte")]
        if frame["planned_fte"].notna().any():
            lines.append(_line("planned", frame, "planned_fte"))
        band = None
        if ahead:
            lines.append(MonthLine("at this rate", ahead.months, ahead.central))
            band = MonthBand(f"{CONFIDENCE:.0%} range", ahead.months, ahead.lower, ahead.upper)
        if found.aim_fte is not None:
            span = [row.month for row in each_row(frame)]
            lines.append(MonthLine("meant to be in post", span, [found.aim_fte] * len(span)))
        show.chart(
            month_lines(lines, layout=template(show.theme()), label="FTE", band=band),
            found.months,
            name="trajectory",
            alt=f"FTE in post, planned and projected by month, {choices.words}; the table has them",
        )
    moves, source = fetch_shared(joined_and_left, scope, *asked, view.area, choices.months)
    show.lines(told.moves_finding(moves, source))
    with st.expander("The months as a table", key="recruitment months"):
        show.small_table(
            *told.recruitment_table(found, ahead, moves), caption="FTE, and who joined and left"
        )


def _line(label: str, frame: pd.DataFrame, column: str) -> MonthLine:
    rows = frame[frame[column].notna()]
    return MonthLine(label, rows["month"].tolist(), rows[column].astype(float).tolist())


def need(scope: Scope, choices: Choices) -> None:
    """FTE per 10,000 by deprivation, and the slope from the most to the least deprived."""
    show.heading("Are link workers where need is?", anchor="need")
    found = fetch_shared(provision_by_need, scope, choices.icb_code, choices.as_at, choices.months)
    frame = found.fifths.frame
    if frame.empty:
        show.empty("Nothing to compare", told.NO_NEED)
        return
    show.finding(told.need_finding(found, choices))
    lines = [
        _line(label, frame[frame["fifth"] == fifth], "rate")
        for fifth, label in told.FIFTHS.items()
        if (frame["fifth"] == fifth).any()
    ]
    show.chart(
        month_lines(lines, layout=template(show.theme()), label="FTE per 10,000 patients"),
        found.fifths,
        name="need",
        alt=f"FTE per 10,000 patients by fifth of deprivation and month, {choices.icb_name}",
    )
    show.explanation(told.need_notes(found), words.ABOUT["need"], name="about need", what="chart")
    with st.expander("The months as a table", key="need months"):
        show.small_table(*told.need_table(found), caption="FTE per 10,000 patients by deprivation")
