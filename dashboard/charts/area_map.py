"""A map of areas in groups: each group one colour, with a texture where colour says too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import cos, radians
from typing import Any

import plotly.graph_objects as go

# The map lies on light paper in both themes, so that its colours mean the same in each.
INK, BLACK, WHITE, PALE, PICKED = "#425563", "#10181D", "#FFFFFF", "#D8DDE0", "#FFB81C"
HATCHED, STARRED, DASHED = "hatched", "starred", "dashed"
RING, SQUARE, CROSS = "circle-open", "square-open", "cross-thin-open"
# As in the tables: a star for what is hidden, a dash for what is missing.
STAR, DASH = "asterisk-open", "line-ew-open"
_SIGNS = {STARRED: STAR, DASHED: DASH}
# The map is as tall as its areas need at the width it usually has, within these.
LEAST_HEIGHT, MOST_HEIGHT, USUAL_WIDTH = 300, 600, 640

# What an area of a group without values says when pointed at.
LABEL = "%{fullData.name}"
# What every trace has, said once: picking one area must not fade the others.
_UNPICKED = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
_ALIKE = {
    **_UNPICKED,
    "showscale": False,
    "marker": {"line": {"color": INK, "width": 0.7}},
}


@dataclass(frozen=True)
class AreaMark:
    """A symbol on areas of any group: what is said of them beside their colour."""

    label: str
    symbol: str
    area_codes: Sequence[str]


@dataclass(frozen=True)
class AreaGroup:
    """Areas that are drawn alike.

    With `values` each says its own when pointed at, as `value_text` writes it; without, all say
    the label.
    """

    label: str
    colour: str
    area_codes: Sequence[str]
    values: Sequence[float] | None = None
    value_text: str = "%{z}"
    texture: str = ""


@dataclass(frozen=True)
class PointGroup:
    """Places that are drawn alike, in degrees; `keys` tell which one was clicked."""

    label: str
    symbol: str
    colour: str
    longitudes: Sequence[float]
    latitudes: Sequence[float]
    names: Sequence[str]
    keys: Sequence[str]


def area_map(
    groups: Sequence[AreaGroup],
    marks: Sequence[AreaMark] = (),
    *,
    shapes_url: str,
    hatching_url: str,
    bounds: tuple[float, float, float, float],
    layout: dict[str, Any],
    picked: str = "",
    points: Sequence[PointGroup] = (),
    outlined: Sequence[str] = (),
) -> go.Figure:
    """A Plotly figure with codes and values only: the browser fetches the shapes.

    `outlined` are areas with a line around each, `picked` the one chosen. Drawn as SVG without
    tiles or coastlines, so it needs neither WebGL nor a network.
    """
    # What most groups say when pointed at is told once, for all of them.
    said = Counter(_said(group) for group in groups)
    usual = said.most_common(1)[0][0] if said else LABEL
    traces = [_areas(group, usual) for group in groups if len(group.area_codes)]
    traces += [
        _hatching(group, hatching_url)
        for group in groups
        if group.texture == HATCHED and len(group.area_codes)
    ]
    ink = {code: _readable_on(group.colour) for group in groups for code in group.area_codes}
    signs = [
        AreaMark("", _SIGNS[group.texture], group.area_codes)
        for group in groups
        if group.texture in _SIGNS
    ]
    traces += [_symbols(mark, ink) for mark in (*signs, *marks) if len(mark.area_codes)]
    if len(outlined):
        traces += [_outline(outlined, WHITE, 4), _outline(outlined, BLACK, 2)]
    if picked:
        traces += [_outline([picked], BLACK, 6), _outline([picked], PICKED, 3)]
    traces += [_points(group) for group in points if len(group.keys)]
    west, south, east, north = bounds
    geo = {
        "visible": False,
        "bgcolor": "rgba(0,0,0,0)",
        "projection": {"type": "mercator"},
        "lonaxis": {"range": [west, east]},
        "lataxis": {"range": [south, north]},
        "domain": {"x": [0, 1], "y": [0, 1]},
    }
    return go.Figure(
        data=traces,
        layout={
            **{name: value for name, value in layout.items() if name not in ("xaxis", "yaxis")},
            "geo": geo,
            "template": {
                "data": {
                    "choropleth": [
                        {**_ALIKE, "geojson": shapes_url, "hovertemplate": _hover(usual)}
                    ],
                    "scattergeo": [{**_UNPICKED, "geojson": shapes_url}],
                }
            },
            "height": _height(bounds),
            "dragmode": "pan",
            "clickmode": "event+select",
        },
    )


def _height(bounds: tuple[float, float, float, float]) -> int:
    west, south, east, north = bounds
    stretch = 1 / cos(radians((south + north) / 2))
    wanted = USUAL_WIDTH * (north - south) * stretch / max(east - west, 1e-9)
    return round(min(max(wanted, LEAST_HEIGHT), MOST_HEIGHT))


def _said(group: AreaGroup) -> str:
    return LABEL if group.values is None else group.value_text


def _hover(said: str) -> str:
    return f"<b>%{{properties.name}}</b><br>{said}<extra></extra>"


def _areas(group: AreaGroup, usual: str) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "choropleth",
        "locations": list(group.area_codes),
        "z": [0] * len(group.area_codes) if group.values is None else list(group.values),
        "colorscale": [[0, group.colour], [1, group.colour]],
        "name": group.label,
    }
    if _readable_on(group.colour) == WHITE:
        trace["marker"] = {"line": {"color": PALE, "width": 0.7}}
    if _said(group) != usual:
        trace["hovertemplate"] = _hover(_said(group))
    return trace


def _hatching(group: AreaGroup, hatching_url: str) -> dict[str, Any]:
    return {
        "type": "choropleth",
        "geojson": hatching_url,
        "locations": list(group.area_codes),
        "z": [0] * len(group.area_codes),
        "colorscale": [[0, INK], [1, INK]],
        "marker": {"line": {"width": 0}},
        "hoverinfo": "skip",
    }


def _symbols(mark: AreaMark, ink: Mapping[str, str]) -> dict[str, Any]:
    each = [ink[code] for code in mark.area_codes]
    colours = each if len(set(each)) > 1 else each[0]
    return {
        "type": "scattergeo",
        "mode": "markers",
        "locations": list(mark.area_codes),
        "locationmode": "geojson-id",
        "marker": {
            "symbol": mark.symbol,
            "size": 7,
            "color": colours,
            "line": {"width": 1.5, "color": colours},
        },
        "hoverinfo": "skip",
    }


def _readable_on(colour: str) -> str:
    """Black or white, whichever stands out from the colour."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else WHITE


def _points(group: PointGroup) -> dict[str, Any]:
    return {
        "type": "scattergeo",
        "mode": "markers",
        "lon": list(group.longitudes),
        "lat": list(group.latitudes),
        # Plotly reads markup in it.
        "text": [escape(name, quote=False) for name in group.names],
        "customdata": list(group.keys),
        "name": group.label,
        "marker": {
            "symbol": group.symbol,
            "size": 9,
            "color": group.colour,
            "line": {"width": 1.5, "color": WHITE},
        },
        "hovertemplate": "<b>%{text}</b><br>%{fullData.name}<extra></extra>",
    }


def _outline(codes: Sequence[str], colour: str, width: float) -> dict[str, Any]:
    return {
        "type": "choropleth",
        "locations": list(codes),
        "z": [0] * len(codes),
        "colorscale": [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        "marker": {"line": {"color": colour, "width": width}},
        "hoverinfo": "skip",
    }
