"""The Coverage page's contents for one choice of filters, made once and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from dashboard import coverage_words as words
from dashboard import show
from dashboard.charts import Figure
from dashboard.charts.area_map import AreaGroup, AreaMark, area_map
from dashboard.coverage import Coverage, ward_coverage
from dashboard.data import fetch, fetch_shared
from dashboard.filters import Area
from dashboard.maps import board_map
from dashboard.own_networks import unnamed
from dashboard.rules.disclosure import Released
from dashboard.services import board_services
from dashboard.style import Theme, map_layout
from queries import workforce
from queries.scope import Scope


@dataclass(frozen=True)
class CoverageView:
    """What the page shows of the chosen wards; nobody changes it, so every session shares it."""

    coverage: Coverage
    wards: Released
    chips: Sequence[show.Chip]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]
    names: Mapping[str, str]


@dataclass(frozen=True)
class LayerView:
    """What the map shows of the chosen wards in one layer."""

    layer: words.Layer
    groups: Sequence[AreaGroup]
    marks: Sequence[AreaMark]
    notes: Sequence[str]
    explanation: show.Explanation
    alt: str


def coverage_view(
    engine: Engine,
    scope: Scope,
    area: Area,
) -> CoverageView:
    """The wards of a board, or of a locality or network of it, in words and numbers."""
    coverage = fetch_shared(ward_coverage, scope, *area.board)
    wards = words.chosen_wards(coverage, area.lad_code, area.pcn_code)
    pcns = fetch(workforce.fte_by_pcn, scope, area.icb_code, area.as_at)
    pcns = unnamed(scope, area.icb_code, pcns)
    services = fetch_shared(board_services, scope, area.icb_code, area.as_at)
    return CoverageView(
        coverage=coverage,
        wards=wards,
        chips=words.chips(coverage.basis, coverage.wards, pcns, services.listed),
        finding=words.finding(wards, coverage.basis),
        tiles=words.tiles(wards, pcns, coverage.basis),
        names=words.ward_names(wards),
    )


def layer_view(
    engine: Engine,
    scope: Scope,
    area: Area,
    layer_name: str,
) -> LayerView:
    """The chosen wards in the groups of one layer of the map."""
    view = fetch_shared(coverage_view, scope, area)
    layer, basis = words.LAYERS[layer_name], view.coverage.basis
    groups, marks = words.map_groups(view.wards, layer), words.map_marks(view.wards, layer)
    return LayerView(
        layer=layer,
        groups=groups,
        marks=marks,
        notes=words.key_notes(view.wards, basis),
        explanation=words.explanation(layer, basis),
        alt=words.map_alt(layer, [*groups, *marks]),
    )


def ward_map(
    engine: Engine,
    scope: Scope,
    area: Area,
    layer_name: str,
    ward_code: str,
    is_dark: bool,
) -> Figure:
    """The map of one layer with the picked ward outlined, as a figure that has been checked."""
    names = fetch_shared(coverage_view, scope, area).names
    layer = fetch_shared(layer_view, scope, area, layer_name)
    shapes = board_map(scope, area.icb_code)
    return area_map(
        layer.groups,
        layer.marks,
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(names),
        layout=map_layout(Theme(is_dark)),
        picked=ward_code,
    )


def ward_list(
    engine: Engine,
    scope: Scope,
    area: Area,
) -> bytes:
    """The list of the chosen wards as the browser fetches it: JSON, compressed once."""
    view = fetch_shared(coverage_view, scope, area)
    columns = words.ward_columns(view.coverage.basis)
    body = show.table_body(
        view.wards, columns, words.TABLE_TEXT, row_key="ward_code", swatch=(1, words.swatch)
    )
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
