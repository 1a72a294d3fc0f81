"""The figures of the Providers page for one choice of filters: drawn once and kept."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine

from dashboard import providers_told as told
from dashboard.charts import Figure
from dashboard.charts.area_map import HATCHED, AreaGroup, PointGroup, area_map
from dashboard.charts.control_chart import control_chart
from dashboard.charts.twin_bars import Side, twin_bars
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.gaps import REFERRED
from dashboard.maps import board_map
from dashboard.providers_plan_view import demand_and_supply
from dashboard.providers_view import ProvidersView, providers_view, weekly_trend
from dashboard.providers_words import LOOKS, marked
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag
from dashboard.rules.freshness import COUNTING
from dashboard.rules.gaps import Cell
from dashboard.style import CELL_COLOURS, NO_RETURN_COLOUR, Theme, map_layout, template
from queries.frames import each_row
from queries.scope import Scope

# Points beyond these are not drawn: they would hide one another. The list has every service.
MOST_POINTS = 2_000
ROOM, FULL, STALE = "Place with room, or not said", "Place, full", "Place, stale entry"
_POINTS = {ROOM: ("circle", "#003087"), FULL: ("square", "#8A3A00"), STALE: ("diamond", "#425563")}


def service_map_groups(
    engine: Engine, scope: Scope, choices: Choices, theme: str
) -> tuple[list[AreaGroup], list[PointGroup]]:
    """The chosen wards by what they have for a need (or for any), and the places of services."""
    view = fetch_shared(providers_view, scope, choices)
    cells = view.cells.frame
    states = (
        cells[cells["theme"] == theme].set_index("ward_code")["state"]
        if theme
        else cells.groupby("ward_code")["state"].agg(_best)
    )
    groups = [
        AreaGroup(
            LOOKS[cell.value].words.capitalize(),
            NO_RETURN_COLOUR if cell is Cell.NO_RETURN else CELL_COLOURS[cell][0],
            states.index[states == cell.value].tolist(),
            texture=HATCHED if cell is Cell.NO_RETURN else "",
        )
        for cell in Cell
    ]
    return groups, _points(view, theme)


def _best(states: pd.Series[str]) -> str:
    """What a ward has where any need will do."""
    order = [cell.value for cell in Cell]
    return max(states, key=order.index)


def placed(view: ProvidersView, theme: str) -> pd.DataFrame:
    """One row per place of a listed service for a need, with what is known of the service."""
    listed = view.listed.frame
    if theme:
        found = view.providers.found.themes
        keys = found.loc[found["theme"] == theme, "service_key"]
        listed = listed[listed["service_key"].isin(keys)]
    sites = view.providers.found.sites.drop_duplicates(["service_key", "latitude", "longitude"])
    kept = ["service_key", "latitude", "longitude", "ward_code", "placed_by"]
    return sites[kept].merge(listed, on="service_key")


def _points(view: ProvidersView, theme: str) -> list[PointGroup]:
    rows = placed(view, theme).head(MOST_POINTS)
    kind = pd.Series(ROOM, rows.index).mask(rows["is_full"], FULL)
    kind = kind.mask(~rows["freshness"].isin(COUNTING), STALE)
    return [
        PointGroup(
            label,
            symbol,
            colour,
            mine["longitude"].round(5).tolist(),
            mine["latitude"].round(5).tolist(),
            [f"{marked(row)}, {row.provider}" for row in each_row(mine)],
            mine["service_key"].tolist(),
        )
        for label, (symbol, colour) in _POINTS.items()
        for mine in [rows[kind == label]]
    ]


def map_words(
    engine: Engine, scope: Scope, choices: Choices, theme: str
) -> tuple[str, str, list[str], list[str]]:
    """What stands beside the map: its text for who cannot see it, the title and the names of
    services without a point, and how many are placed nowhere."""
    view = fetch_shared(providers_view, scope, choices)
    groups, points = fetch_shared(service_map_groups, scope, choices, theme)
    title, names = told.beside_the_map(view, theme)
    return told.map_alt(theme, groups, points), title, names, told.not_placed(view)


def service_map(
    engine: Engine, scope: Scope, choices: Choices, theme: str, service_key: str, is_dark: bool
) -> Figure:
    """The map of services: wards by state, places as points, the picked service's wards outlined."""
    view = fetch_shared(providers_view, scope, choices)
    groups, points = fetch_shared(service_map_groups, scope, choices, theme)
    shapes = board_map(scope, choices.icb_code)
    serving = view.providers.found.serving
    outlined = serving.loc[serving["service_key"] == service_key, "ward_code"]
    return area_map(
        groups,
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(view.names),
        layout=map_layout(Theme(is_dark)),
        points=points,
        outlined=outlined[outlined.isin(shapes.boxes.keys())].tolist(),
    )


def demand_figure(engine: Engine, scope: Scope, choices: Choices, is_dark: bool) -> Figure:
    """People referred by need beside the places there are, and how many of them are free."""
    found = fetch_shared(demand_and_supply, scope, choices)
    theme = Theme(is_dark)
    frame = found.frame.assign(name=found.frame["theme"].str.capitalize())
    return twin_bars(
        Released(frame, found.people, found.profile),
        "name",
        Side(REFERRED, "people referred", theme.bar),
        Side(
            "places_offered",
            "places",
            theme.faint,
            "free_places",
            "of them free",
            theme.bar,
        ),
        layout=template(theme),
    )


def weekly_figure(
    engine: Engine, scope: Scope, choices: Choices, measure: str, is_dark: bool
) -> Figure | None:
    """One figure by week as a control chart; `None` where no week is known."""
    trend = fetch_shared(weekly_trend, scope, choices, measure)
    if trend.chart is None:
        return None
    frame = trend.found.weeks.frame
    hidden = frame.loc[frame[hidden_flag("value")], "week"].tolist()
    return control_chart(
        trend.chart,
        layout=template(Theme(is_dark)),
        label=trend.name,
        gaps=dict.fromkeys(hidden, HIDDEN_MARK),
    )
