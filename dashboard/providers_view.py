"""The Providers page's contents for one choice of filters, made once and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard import providers_words as words
from dashboard import show
from dashboard.coverage import Coverage, ward_coverage
from dashboard.coverage_words import chosen_wards, ward_names
from dashboard.data import fetch_shared
from dashboard.filters import Area, Choices
from dashboard.gaps import Gaps, locality_cells, unmet, ward_gaps
from dashboard.providers import (
    WEEKLY,
    Providers,
    WeeklyTrend,
    capacity_by,
    capacity_total,
    capacity_trend,
    described,
    groups_of,
    serving_area,
)
from dashboard.rules.control_chart import ControlChart, judge_series
from dashboard.rules.disclosure import Released
from dashboard.rules.needs import NEED_THEMES
from dashboard.services import Services, board_services, in_order, keys_of_ward
from queries import places
from queries.frames import each_row
from queries.scope import Scope

WEEKS_A_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class ProvidersView:
    """What the page shows of the chosen area; nobody changes it, so every session shares it.

    `placed`: the services that serve a ward of the area; `listed`: those, and when the whole board
    is chosen also those that are placed nowhere and may be another board's. `cells`: its wards and
    need themes.
    """

    providers: Providers
    gaps: Gaps
    wards: pd.DataFrame
    listed: Released
    placed: Released
    cells: Released
    names: Mapping[str, str]
    chips: Sequence[show.Chip]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]


def coverage_and_services(
    scope: Scope, icb_code: str, as_at: date, with_stale: bool
) -> tuple[Coverage, Services]:
    """What the figures of this page rest on, made once for all of them."""
    return (
        fetch_shared(ward_coverage, scope, icb_code, as_at, with_stale),
        fetch_shared(board_services, scope, icb_code, as_at),
    )


def board_gaps(engine: Engine, scope: Scope, icb_code: str, as_at: date, with_stale: bool) -> Gaps:
    """Every need in every ward of the board."""
    coverage, found = coverage_and_services(scope, icb_code, as_at, with_stale)
    return ward_gaps(engine, scope, icb_code, coverage, found, with_stale=with_stale)


def board_providers(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Providers:
    """Every open service of the board."""
    wards = places.wards(engine, scope, icb_code)
    return described(fetch_shared(board_services, scope, icb_code, as_at), wards)


@dataclass(frozen=True)
class AreaServices:
    """The chosen wards, and the services that serve one of them; with the whole board also those
    that are placed nowhere and may be another board's."""

    providers: Providers
    wards: Released
    listed: Released

    @property
    def placed(self) -> Released:
        """Those of the services that serve the area."""
        return self.listed.rows(self.listed.frame["is_placed"])


def area_services(engine: Engine, scope: Scope, area: Area) -> AreaServices:
    """The services of a board, or of a locality or network of it."""
    coverage = fetch_shared(ward_coverage, scope, *area.board)
    wards = chosen_wards(coverage, area.lad_code, area.pcn_code)
    providers = fetch_shared(board_providers, scope, area.icb_code, area.as_at)
    is_part = area.lad_code or area.pcn_code
    codes = wards.frame["ward_code"].tolist() if is_part else None
    return AreaServices(
        providers, wards, providers.listed.rows(serving_area(providers.found, codes))
    )


def area_cells(scope: Scope, area: Area) -> tuple[pd.DataFrame, Released]:
    """The chosen wards, and the cells of each."""
    wards = fetch_shared(area_services, scope, area).wards.frame
    cells = fetch_shared(board_gaps, scope, *area.board).cells
    return wards, cells.rows(cells.frame["ward_code"].isin(wards["ward_code"]))


def providers_view(engine: Engine, scope: Scope, choices: Choices) -> ProvidersView:
    """The services and needs of a board, or of a locality or network of it."""
    area = choices.area
    found = fetch_shared(area_services, scope, area)
    providers, listed, placed = found.providers, found.listed, found.placed
    gaps = fetch_shared(board_gaps, scope, *area.board)
    wards, cells = area_cells(scope, area)
    total = capacity_total(placed)
    return ProvidersView(
        providers=providers,
        gaps=gaps,
        wards=wards,
        listed=listed,
        placed=placed,
        cells=cells,
        names=ward_names(found.wards),
        chips=words.chips(listed.frame, gaps, choices.as_at),
        finding=words.finding(placed.frame, cells, gaps, providers.found, choices),
        tiles=words.tiles(listed.frame, total, cells, is_returned=providers.found.is_returned),
    )


def ward_matrix(engine: Engine, scope: Scope, area: Area) -> bytes:
    """The gap matrix by ward as the browser fetches it: most unmet need first."""
    wards, cells = area_cells(scope, area)
    need = unmet(cells)
    by_ward: dict[str, list[Any]] = {}
    for row in each_row(cells.frame):
        by_ward.setdefault(row.ward_code, []).append(words.ward_cell(row, cells.profile))
    rows = wards[["ward_code", "ward_name", "lad_name"]].assign(
        unmet=wards["ward_code"].map(need),
        gaps=[sum(cell.is_gap for cell in by_ward[code]) for code in wards["ward_code"]],
    )
    rows["cells"] = pd.Series([by_ward[code] for code in rows["ward_code"]], rows.index)
    rows = rows.sort_values(["unmet", "gaps", "ward_name"], ascending=[False, False, True])
    return _table(
        Released(rows, (), cells.profile),
        words.matrix_columns("Ward"),
        words.MATRIX_TEXT,
        "ward_code",
    )


def locality_matrix(engine: Engine, scope: Scope, area: Area) -> bytes:
    """The gap matrix by locality: a need is met there where each of its (chosen) wards meets it."""
    _, cells = area_cells(scope, area)
    cells = cells.rows(cells.frame["lad_code"].notna())
    need = unmet(cells)
    lads = cells.frame.drop_duplicates("ward_code").set_index("ward_code")["lad_code"]
    by_lad = need.groupby(lads.reindex(need.index)).sum(min_count=1)
    made: dict[str, list[Any]] = {}
    names: dict[str, str] = {}
    for row in each_row(locality_cells(cells)):
        made.setdefault(row.lad_code, []).append(words.locality_cell(row))
        names[row.lad_code] = row.lad_name
    rows = pd.DataFrame({"lad_code": list(made), "ward_name": [names[code] for code in made]})
    rows["lad_name"], rows["unmet"] = "", rows["lad_code"].map(by_lad)
    rows["cells"] = pd.Series(list(made.values()), rows.index)
    rows = rows.sort_values(["unmet", "ward_name"], ascending=[False, True])
    columns = words.matrix_columns("Locality")
    return _table(Released(rows, (), cells.profile), columns, words.LOCALITY_TEXT, "lad_code")


def service_list(
    engine: Engine, scope: Scope, area: Area, asked: tuple[tuple[str, str], ...]
) -> bytes:
    """The list of services that fit what is asked for, as the browser fetches it."""
    listed = fetch_shared(area_services, scope, area).listed
    listed = listed.rows(words.fits(listed.frame, dict(asked)))
    return _table(listed, words.service_columns(), words.SERVICES_TEXT, "service_key")


def _table(
    released: Released, columns: Sequence[show.Column], text: show.TableText, row_key: str
) -> bytes:
    body = show.table_body(released, columns, text, row_key=row_key, looks=words.LOOKS)
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)


def theme_names() -> dict[str, str]:
    """The need themes for a select box."""
    return {theme: theme.capitalize() for theme in NEED_THEMES}


def capacity_list(
    engine: Engine, scope: Scope, area: Area, asked: tuple[tuple[str, str], ...]
) -> bytes:
    """Capacity of the chosen area by provider, need, locality or ward, as the browser fetches it."""
    by = dict(asked).get("by", "")
    by = by if by in words.GROUPS else next(iter(words.GROUPS))
    found = fetch_shared(area_services, scope, area)
    wards = found.wards.frame
    totals = capacity_by(found.placed, groups_of(found.providers, by, wards))
    names = ward_names(found.wards) if by == "ward" else {}
    if by == "locality":
        names = dict(zip(wards["lad_code"], wards["lad_name"], strict=True))
    frame = totals.frame.assign(name=[names.get(code, code) for code in totals.frame["group"]])
    totals = Released(frame, totals.people, totals.profile)
    return _table(totals, words.capacity_columns(by), words.capacity_text(by), "group")


@dataclass(frozen=True)
class WeekView:
    """One weekly figure of the chosen area; `chart` is `None` where no week is known."""

    name: str
    found: WeeklyTrend
    chart: ControlChart | None


def weekly_trend(engine: Engine, scope: Scope, choices: Choices, measure: str) -> WeekView:
    """A figure week by week, judged as a control chart."""
    view = fetch_shared(providers_view, scope, choices)
    _, name, improvement = WEEKLY[measure]
    weeks = round(choices.months * WEEKS_A_MONTH)
    found = capacity_trend(
        engine, scope, choices.icb_code, choices.as_at, measure, view.placed.frame, weeks
    )
    known = found.weeks.frame.dropna(subset="value")
    chart = None
    if len(known):
        chart = judge_series(
            known["week"].tolist(), known["value"].astype(float).tolist(), improvement=improvement
        )
    return WeekView(name, found, chart)


def near_of_ward(view: ProvidersView, ward_code: str, theme: str) -> pd.DataFrame:
    """One row per service for a need (or any) that serves the ward, the nearest first."""
    found = view.providers.found
    keys = keys_of_ward(found, ward_code)
    if theme:
        mine = found.themes.loc[found.themes["theme"] == theme, "service_key"]
        keys = keys[keys["service_key"].isin(mine)]
    return in_order(keys.merge(view.providers.listed.frame, on="service_key"))
