"""The contents of the page Where to fund next for one choice of filters, made once and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from dashboard import plan_told as told
from dashboard import show
from dashboard import site_plan_words as words
from dashboard.charts import Figure
from dashboard.charts.area_map import PointGroup, area_map
from dashboard.charts.row_bars import row_bars
from dashboard.coverage_view import coverage_view
from dashboard.coverage_words import chosen_wards
from dashboard.data import fetch_shared
from dashboard.filters import Area
from dashboard.maps import board_map
from dashboard.rules.disclosure import Released
from dashboard.site_plan import Plan, PlanChoices, candidate_sites, site_plan, ways_to
from dashboard.style import Theme, map_layout, template
from dashboard.sureness import Sureness
from dashboard.take_up import ward_needs
from dashboard.unmet_need import INDEX, MEASURES, UnmetNeed, ward_unmet_need
from queries import services
from queries.frames import each_row
from queries.scope import Scope

PICKED_SITE = "#B5007C"
# Of the sites that were tried, the most that are drawn; the table has every one.
MOST_SITES = 15


@dataclass(frozen=True)
class PlanView:
    """What the page shows of a plan; nobody changes it, so every session shares it."""

    plan: Plan
    chips: Sequence[show.Chip]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]
    names: Mapping[str, str]


def need_of(engine: Engine, scope: Scope, area: Area, measure: str, theme: str) -> UnmetNeed:
    """The unmet need of the whole board."""
    return ward_unmet_need(engine, scope, *area.board, measure, theme)


def plan_view(engine: Engine, scope: Scope, area: Area, choices: PlanChoices) -> PlanView:
    """The plan of a board, or of a locality or network of it."""
    board = fetch_shared(coverage_view, scope, area)
    codes = set(chosen_wards(board.coverage, area.lad_code, area.pcn_code).frame["ward_code"])
    need = fetch_shared(need_of, scope, area, choices.need, choices.theme)
    sites = candidate_sites(engine, scope, area, choices, codes)
    ways = ways_to(engine, scope, area, choices, sites)
    plan = site_plan(need, choices, sites, ways, codes)
    return PlanView(
        plan,
        board.chips,
        words.finding(plan),
        words.tiles(plan),
        board.names,
    )


def need_measures(scope: Scope, area: Area) -> dict[str, str]:
    """The measures of need there are, by name."""
    indices = fetch_shared(ward_needs, scope, area.icb_code).names
    return dict(MEASURES) | {f"{INDEX}{name}": f"Adults where high: {name}" for name in indices}


def reach_options(engine: Engine, scope: Scope, area: Area) -> dict[str, str]:
    """How far is within reach: kilometres, or minutes where a way of travelling is loaded."""
    return words.reach_options(services.travel_modes(engine, scope, area.icb_code))


def plan_map(
    engine: Engine, scope: Scope, area: Area, choices: PlanChoices, is_after: bool, is_dark: bool
) -> Figure:
    """The wards before or after the plan; after it with its sites, in the order of the list."""
    view = fetch_shared(plan_view, scope, area, choices)
    shapes = board_map(scope, area.icb_code)
    return area_map(
        words.map_groups(view.plan, is_after=is_after),
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(view.names),
        layout=map_layout(Theme(is_dark)),
        points=[site_points(view.plan)] if is_after else [],
    )


def site_points(plan: Plan) -> PointGroup:
    """The chosen sites as marks on the map."""
    rows = list(each_row(plan.sites))
    return PointGroup(
        "Chosen site",
        "diamond",
        PICKED_SITE,
        [row.longitude for row in rows],
        [row.latitude for row in rows],
        [f"{place}. {row.site_name}" for place, row in enumerate(rows, start=1)],
        [row.code for row in rows],
    )


def need_map(
    engine: Engine, scope: Scope, area: Area, choices: PlanChoices, is_dark: bool
) -> Figure:
    """The unmet need of each ward in classes."""
    view = fetch_shared(plan_view, scope, area, choices)
    groups, _ = told.need_groups(view.plan)
    shapes = board_map(scope, area.icb_code)
    return area_map(
        groups,
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(view.names),
        layout=map_layout(Theme(is_dark)),
    )


def sure_figure(plan: Plan, found: Sureness, *, is_dark: bool) -> Figure:
    """How often each site was chosen, the most often on top."""
    theme = Theme(is_dark)
    frame = found.sites.head(MOST_SITES)
    return row_bars(
        Released(
            frame.assign(
                percent=frame["share"] * 100, text=[f"{share:.0%}" for share in frame["share"]]
            ),
            (),
            plan.wards.profile,
        ),
        name="site_name",
        value="percent",
        text="text",
        label="% of the plans tried",
        colour=theme.bar,
        below_colour=theme.muted,
        layout=template(theme),
    )
