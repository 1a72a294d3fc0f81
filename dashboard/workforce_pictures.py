"""The figures of the Workforce page for one choice of filters: drawn once and kept."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine

from dashboard.charts import Figure
from dashboard.charts.band_dots import band_dots
from dashboard.charts.control_chart import NO_RETURN_MARK, control_chart
from dashboard.charts.funnel_plot import funnel_plot
from dashboard.charts.month_lines import MonthBand, MonthLine, month_lines
from dashboard.charts.staffing_bars import staffing_bars
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.provision_by_need import provision_by_need
from dashboard.rules.disclosure import HIDDEN_MARK, hidden_flag
from dashboard.rules.rates import CONFIDENCE
from dashboard.rules.staffing import CASELOAD_HIGH, CASELOAD_LOW
from dashboard.style import Theme, template
from dashboard.workforce_trend_words import FIFTHS
from dashboard.workforce_view import (
    TRENDS,
    recruitment_view,
    trend_chart,
    trend_column,
    trend_target,
    workforce_view,
)
from queries.frames import each_row
from queries.scope import Scope


def networks_figure(
    engine: Engine, scope: Scope, choices: Choices, name: str, is_dark: bool
) -> Figure | None:
    """All networks of the board or locality: "staffing", "funnel" (`None` without list sizes) or
    "pressure"."""
    view, theme = fetch_shared(workforce_view, scope, choices), Theme(is_dark)
    layout = template(theme)
    match name:
        case "funnel" if view.workforce.funnel.empty:
            return None
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
                picked=choices.pcn_code,
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
                picked=choices.pcn_code,
            )
    return staffing_bars(view.listed, layout=layout, colour=theme.bar, picked=choices.pcn_code)


def trend_figure(
    engine: Engine, scope: Scope, choices: Choices, name: str, is_dark: bool
) -> Figure | None:
    """One trend of the chosen networks as a control chart; `None` where no month is known."""
    view = fetch_shared(workforce_view, scope, choices)
    judged = trend_chart(view, name)
    if judged is None:
        return None
    frame, column = trend_column(view, name)
    extra = {}
    if column == "fte_alike":
        known = frame.dropna(subset="fte")
        extra["all that returned"] = [(row.month, float(row.fte)) for row in each_row(known)]
    return control_chart(
        judged,
        layout=template(Theme(is_dark)),
        label=TRENDS[name][0],
        target=trend_target(view, name),
        extra=extra,
        gaps={
            row.month: HIDDEN_MARK
            if name != "fte" and getattr(row, hidden_flag(name))
            else NO_RETURN_MARK
            for row in each_row(frame[frame[column].isna()])
        },
    )


def recruitment_figure(
    engine: Engine, scope: Scope, choices: Choices, is_dark: bool
) -> Figure | None:
    """Planned against actual, and where the present rate leads; `None` without a month."""
    found = fetch_shared(recruitment_view, scope, choices)
    frame, ahead = found.trajectory.months.frame, found.ahead
    if frame["fte"].isna().all():
        return None
    lines = [_line("in post", frame, "fte")]
    if frame["planned_fte"].notna().any():
        lines.append(_line("planned", frame, "planned_fte"))
    band = None
    if ahead:
        lines.append(MonthLine("at this rate", ahead.months, ahead.central))
        band = MonthBand(f"{CONFIDENCE:.0%} range", ahead.months, ahead.lower, ahead.upper)
    if found.trajectory.aim_fte is not None:
        months = frame["month"].tolist()
        aims = [found.trajectory.aim_fte] * len(months)
        lines.append(MonthLine("meant to be in post", months, aims))
    return month_lines(lines, layout=template(Theme(is_dark)), label="FTE", band=band)


def need_figure(engine: Engine, scope: Scope, choices: Choices, is_dark: bool) -> Figure:
    """FTE per 10,000 patients by fifth of deprivation and month, of the whole board."""
    found = fetch_shared(provision_by_need, scope, choices.icb_code, choices.as_at, choices.months)
    frame = found.fifths.frame
    lines = [
        _line(label, frame[frame["fifth"] == fifth], "rate")
        for fifth, label in FIFTHS.items()
        if (frame["fifth"] == fifth).any()
    ]
    return month_lines(lines, layout=template(Theme(is_dark)), label="FTE per 10,000 patients")


def _line(label: str, frame: pd.DataFrame, column: str) -> MonthLine:
    rows = frame[frame[column].notna()]
    return MonthLine(label, rows["month"].tolist(), rows[column].astype(float).tolist())
