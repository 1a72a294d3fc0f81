"""The map of what a supposition would change."""

from __future__ import annotations

from sqlalchemy import Engine

from dashboard import coverage_words as words
from dashboard.charts import Figure
from dashboard.charts.area_map import area_map
from dashboard.coverage import WhatIf, ward_coverage
from dashboard.data import fetch_shared
from dashboard.filters import Area
from dashboard.maps import board_map
from dashboard.style import Theme, map_layout
from dashboard.supposed import supposed
from queries.scope import Scope


def supposed_map(
    engine: Engine, scope: Scope, area: Area, what_if: WhatIf, is_dark: bool
) -> Figure:
    """The provision status of the chosen wards as it would be; those that lose cover outlined."""
    after = ward_coverage(engine, scope, *area.board, what_if)
    wards = words.chosen_wards(after, area.lad_code, area.pcn_code)
    lost = fetch_shared(supposed, scope, area, what_if).wards.frame.query("loses_cover")
    shapes = board_map(scope, area.icb_code)
    layer = words.LAYERS["status"]
    return area_map(
        words.map_groups(wards, layer),
        words.map_marks(wards, layer),
        shapes_url=shapes.url(shapes.wards),
        hatching_url=shapes.url(shapes.hatching),
        bounds=shapes.bounds_of(wards.frame["ward_code"]),
        layout=map_layout(Theme(is_dark)),
        outlined=lost["ward_code"].tolist(),
    )
