"""The figures of the Outcomes page for one choice of filters: drawn once and kept."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from sqlalchemy import Engine

from dashboard import outcomes_words as words
from dashboard.charts import Figure
from dashboard.charts.before_after import before_after
from dashboard.charts.control_chart import NO_RETURN_MARK, control_chart
from dashboard.charts.day_curve import day_curve
from dashboard.charts.funnel_plot import funnel_plot
from dashboard.charts.interval_dots import interval_dots
from dashboard.charts.pathway_bars import StepReference, pathway_bars
from dashboard.commitments import commitments_on
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.outcomes_change import Question, distribution, scale
from dashboard.outcomes_compared import SHARES, Equity, NetworkFunnel
from dashboard.outcomes_view import outcomes_view, share_trend
from dashboard.rules.disclosure import HIDDEN_MARK, Released
from dashboard.rules.pathway import STEP_TITLES
from dashboard.style import Theme, template
from queries.frames import each_row
from queries.scope import Scope

# Published shares of those referred, by their name in the commitments, and the step they are of.
REFERENCES = {"reach_link_worker": "contacted", "reach_intervention": "connected"}
# The curve of first contact is drawn up to here.
LAST_DAY = 120
HALF = 0.5


@lru_cache(maxsize=64)
def published(as_at: date) -> dict[str, dict[str, object]]:
    """The published figures beside the pathway: contacted, connected and declined, by name."""
    rows = commitments_on(as_at).set_index("id")
    return {
        name: {str(key): value for key, value in rows.loc[name].items()}
        for name in (*REFERENCES, "declined")
    }


def pathway_figure(
    engine: Engine, scope: Scope, choices: Choices, which: str, is_dark: bool
) -> Figure:
    """The steps of the area's cohort, and published references beside two of them."""
    view, theme = fetch_shared(outcomes_view, scope, choices, which), Theme(is_dark)
    rows = published(choices.as_at)
    marks = [
        StepReference(
            STEP_TITLES[step],
            float(str(rows[name]["low"])) / 100,
            f"published: {rows[name]['low']:g}%",
        )
        for name, step in REFERENCES.items()
    ]
    frame = words.step_rows(view.steps)
    return pathway_bars(
        Released(frame, ("people", "open"), view.counts.profile),
        layout=template(theme),
        colour=theme.bar,
        references=marks,
    )


def curve_figure(
    engine: Engine, scope: Scope, choices: Choices, which: str, is_dark: bool
) -> Figure | None:
    """The share contacted by day; `None` where there is no curve."""
    view, theme = fetch_shared(outcomes_view, scope, choices, which), Theme(is_dark)
    if view.curve is None:
        return None
    frame = view.curve.frame
    last_day = min(LAST_DAY, int(frame["day"].max()))
    half = frame.loc[frame["share"] >= HALF, "day"]
    return day_curve(
        view.curve,
        name="contacted",
        label="share of referrals",
        last_day=last_day,
        colour=theme.bar,
        layout=template(theme),
        median_day=int(half.min()) if len(half) else None,
    )


def change_figure(
    engine: Engine, scope: Scope, choices: Choices, which: str, question: Question, is_dark: bool
) -> Figure:
    """People by score before and after."""
    view, theme = fetch_shared(outcomes_view, scope, choices, which), Theme(is_dark)
    assert view.area is not None
    about = scale(question)
    return before_after(
        fetch_shared(distribution, scope, view.area, question),
        label=f"{about.title}, {about.unit}",
        colour=theme.bar,
        layout=template(theme),
    )


def equity_figure(found: Equity, figure: str, label: str, is_dark: bool) -> Figure:
    """Groups with their intervals, and the value of all."""
    theme = Theme(is_dark)
    names = words.FIFTHS
    frame = found.rows.frame
    frame = frame.assign(key=frame["name"], name=[names.get(n, n) for n in frame["name"]])
    is_share = figure in SHARES
    return interval_dots(
        Released(frame, (), found.rows.profile),
        label=label,
        colour=theme.bar,
        layout=template(theme),
        is_share=is_share,
        decimals=0 if is_share else 1,
        reference=found.everybody,
        reference_words="all",
        key="key",
    )


def funnel_figure(found: NetworkFunnel, share: str, picked: str, is_dark: bool) -> Figure | None:
    """The networks of the board; `None` without any."""
    theme = Theme(is_dark)
    if found.rows.frame.empty:
        return None
    return funnel_plot(
        found.rows,
        people="people",
        rate="rate",
        place="place",
        limits=found.limits,
        centre=found.funnel.centre * 100,
        people_label="referrals it is a share of",
        label=f"% {SHARES[share][0]}",
        colour=theme.bar,
        layout=template(theme),
        picked=picked,
    )


def trend_figure(
    engine: Engine, scope: Scope, choices: Choices, which: str, share: str, is_dark: bool
) -> Figure | None:
    """A share by month as a control chart; `None` where no month may be judged."""
    trend = fetch_shared(share_trend, scope, choices, which, share)
    if trend is None or trend.chart is None:
        return None
    months = trend.found.months.frame
    return control_chart(
        trend.chart,
        layout=template(Theme(is_dark)),
        label=f"% {SHARES[share][0]}",
        gaps={
            row.month: HIDDEN_MARK if row.state == "hidden" else NO_RETURN_MARK
            for row in each_row(months[months["state"].isin(("hidden", "no return"))])
        },
    )
