"""The Take-up page's contents for one choice of filters, made once and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard import show
from dashboard import take_up_words as words
from dashboard.charts import Figure
from dashboard.charts.area_map import AreaGroup, area_map
from dashboard.charts.control_chart import NO_RETURN_MARK, control_chart
from dashboard.charts.funnel_plot import funnel_plot
from dashboard.charts.row_bars import row_bars
from dashboard.complex_need import ComplexNeed, board_complex_need, wait_trend
from dashboard.coverage_view import coverage_view
from dashboard.coverage_words import ward_names
from dashboard.data import fetch_shared
from dashboard.filters import Area
from dashboard.maps import board_map
from dashboard.outcomes import is_shown_in_detail, whole_pathway
from dashboard.rules.disclosure import Released
from dashboard.rules.funnel import WIDE_CONFIDENCE
from dashboard.rules.rates import CONFIDENCE, funnel_limits
from dashboard.settings import settings
from dashboard.style import Theme, map_layout, number, template
from dashboard.take_up import Needs, TakeUp, board_take_up, ward_needs
from queries.frames import each_row
from queries.pathway import Cohort
from queries.scope import Scope

# So many points of the limits' curves are drawn.
CURVE_POINTS = 60


@dataclass(frozen=True)
class TakeUpView:
    """What the page shows of the chosen wards; nobody changes it, so every session shares it."""

    found: TakeUp
    needs: Needs
    wards: Released
    chips: Sequence[show.Chip]
    notes: Sequence[str]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]
    names: Mapping[str, str]


def take_up_view(engine: Engine, scope: Scope, area: Area) -> TakeUpView:
    """The wards of a board, or of a locality or network of it, in words and numbers."""
    board = fetch_shared(coverage_view, scope, area)
    found = fetch_shared(board_take_up, scope, *area.board)
    needs = fetch_shared(ward_needs, scope, area.icb_code)
    chosen = found.wards.frame["ward_code"].isin(board.wards.frame["ward_code"])
    wards = found.wards.rows(chosen)
    return TakeUpView(
        found=found,
        needs=needs,
        wards=wards,
        chips=board.chips,
        notes=words.notes(found, board.coverage.basis),
        finding=words.finding(wards, found, board.coverage.basis),
        tiles=words.tiles(wards, found),
        names=ward_names(wards),
    )


def map_layers(scope: Scope, area: Area) -> dict[str, str]:
    """What the map can show, by name: take-up, and each measure of need that is loaded."""
    needs = fetch_shared(ward_needs, scope, area.icb_code)
    return words.LAYERS | {f"index {name}": f"Need: {name}" for name in needs.names}


def layer_groups(
    engine: Engine, scope: Scope, area: Area, layer: str
) -> tuple[Sequence[AreaGroup], str]:
    """The chosen wards in the groups of a layer, and the map in words."""
    view = fetch_shared(take_up_view, scope, area)
    groups = words.map_groups(view.wards, view.needs, layer)
    return groups, words.map_alt(map_layers(scope, area)[layer], groups)


def ward_map(
    engine: Engine, scope: Scope, area: Area, layer: str, ward_code: str, is_dark: bool
) -> Figure:
    """The map of one layer with the picked ward outlined."""
    groups, _ = fetch_shared(layer_groups, scope, area, layer)
    shapes = board_map(scope, area.icb_code)
    return area_map(
        groups,
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(fetch_shared(take_up_view, scope, area).names),
        layout=map_layout(Theme(is_dark)),
        picked=ward_code,
    )


def funnel_figure(
    engine: Engine, scope: Scope, area: Area, ward_code: str, is_dark: bool
) -> Figure | None:
    """The ratio of each judged ward against the limits of chance; `None` where none is judged."""
    view, theme = fetch_shared(take_up_view, scope, area), Theme(is_dark)
    frame = view.wards.frame
    frame = frame[frame["place"] != ""]
    if frame.empty:
        return None
    frame = frame.assign(
        pcn_code=frame["ward_code"],
        pcn_name=frame["ward_name"],
        funnel=frame["place"].map(words.FUNNEL_PLACES),
    )
    return funnel_plot(
        Released(frame, view.wards.people, view.wards.profile),
        people="expected",
        rate="take_up_ratio",
        place="funnel",
        limits=_limits(float(frame["expected"].max())),
        centre=100,
        people_label="referrals expected in 12 months",
        label="referrals for 100 expected",
        colour=theme.bar,
        layout=template(theme),
        picked=ward_code,
    )


def _limits(most: float) -> pd.DataFrame:
    """Exact Poisson limits of the ratio for each number expected, the smallest first."""
    expected = np.linspace(most / CURVE_POINTS, most * 1.05, CURVE_POINTS)
    curve = {"people": expected}
    for name, confidence in (("95", CONFIDENCE), ("998", WIDE_CONFIDENCE)):
        low, high = funnel_limits(expected, confidence)
        curve[f"lower_{name}"], curve[f"upper_{name}"] = (
            low / expected * 100,
            high / expected * 100,
        )
    return pd.DataFrame(curve)


def ward_list(engine: Engine, scope: Scope, area: Area) -> bytes:
    """The list of the chosen wards as the browser fetches it: JSON, compressed once."""
    view = fetch_shared(take_up_view, scope, area)
    body = show.table_body(
        words.in_order(view.wards),
        words.ward_columns(view.needs),
        words.TABLE_TEXT,
        row_key="ward_code",
    )
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)


def losses_figure(engine: Engine, scope: Scope, area: Area, is_dark: bool) -> Figure:
    """The people lost in the chosen low wards, by where."""
    view, theme = fetch_shared(take_up_view, scope, area), Theme(is_dark)
    people = words.lost_people(view.wards, view.found)
    frame = pd.DataFrame(
        {
            "name": list(people),
            "value": list(people.values()),
            "text": [number(lost) for lost in people.values()],
        }
    )
    return row_bars(
        Released(frame, (), view.wards.profile),
        name="name",
        value="value",
        text="text",
        label="people lost in 12 months",
        colour=theme.bar,
        below_colour=theme.muted,
        layout=template(theme),
    )


def wait_figure(
    engine: Engine, scope: Scope, cohort: Cohort, wait: str, months: int, is_dark: bool
) -> Figure:
    """The median days of a transition by month received, with its target."""
    trend = fetch_shared(wait_trend, scope, cohort, wait, months)
    assert trend.chart is not None
    rows = trend.months.frame
    return control_chart(
        trend.chart,
        layout=template(Theme(is_dark)),
        label="median days",
        target=float(settings().therapy_days),
        target_words=f"{settings().therapy_days} days",
        gaps={row.month: NO_RETURN_MARK for row in each_row(rows[rows["state"] == "no return"])},
    )


def complex_need_of(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> ComplexNeed:
    """Complex need of a board whose referrals were told."""
    found = whole_pathway(engine, scope, icb_code, as_at, "")
    need = board_complex_need(engine, scope, found)
    areas = found.counts.frame
    shown = areas.loc[is_shown_in_detail(scope, icb_code, areas), "code"]
    return replace(need, areas=need.areas.rows(need.areas.frame["code"].isin(shown)))
