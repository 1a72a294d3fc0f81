"""A map of areas in groups: each group one colour, with a texture where colour says too little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HATCHED, DOTTED, RINGED = "hatched", "dotted", "ringed"
MAP_HEIGHT = 620


@dataclass(frozen=True)
class AreaGroup:
    """Areas that are drawn alike; `texts` are what each says when pointed at, or one for all."""

    label: str
    colour: str
    area_codes: Sequence[str]
    texts: Sequence[str] | None = None
    texture: str = ""


def area_map(
    groups: Sequence[AreaGroup],
    *,
    shapes_url: str,
    hatching_url: str,
    bounds: tuple[float, float, float, float],
    edge_colour: str,
    layout: dict[str, Any],
    picked: str = "",
    picked_colour: str = "#FFB81C",
) -> dict[str, Any]:
    """A Plotly figure as a plain dict: codes and values only, the browser fetches the shapes.

    Drawn as SVG without tiles or coastlines, so it needs neither WebGL nor a network.
    """
    traces = [_areas(group, shapes_url, edge_colour) for group in groups if len(group.area_codes)]
    traces += [
        _texture(group, shapes_url, hatching_url)
        for group in groups
        if group.texture and len(group.area_codes)
    ]
    if picked:
        traces += [
            _outline(picked, shapes_url, "#10181D", 6),
            _outline(picked, shapes_url, picked_colour, 3),
        ]
    west, south, east, north = bounds
    geo = {
        "visible": False,
        "bgcolor": "rgba(0,0,0,0)",
        "projection": {"type": "mercator"},
        "lonaxis": {"range": [west, east]},
        "lataxis": {"range": [south, north]},
        "domain": {"x": [0, 1], "y": [0, 1]},
    }
    return {
        "data": traces,
        "layout": {
            **{name: value for name, value in layout.items() if name not in ("xaxis", "yaxis")},
            "geo": geo,
            "height": MAP_HEIGHT,
            "dragmode": "pan",
            "clickmode": "event+select",
        },
    }


def _areas(group: AreaGroup, shapes_url: str, edge_colour: str) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "choropleth",
        "geojson": shapes_url,
        "locations": list(group.area_codes),
        "z": [0] * len(group.area_codes),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, group.colour], [1, group.colour]],
        "showscale": False,
        "name": group.label,
        "marker": {"line": {"color": edge_colour, "width": 0.7}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": f"<b>%{{properties.name}}</b><br>{group.label}<extra></extra>",
    }
    if group.texts is not None:
        trace["text"] = list(group.texts)
        trace["hovertemplate"] = "<b>%{properties.name}</b><br>%{text}<extra></extra>"
    return trace


def _texture(group: AreaGroup, shapes_url: str, hatching_url: str) -> dict[str, Any]:
    codes = list(group.area_codes)
    if group.texture == HATCHED:
        return {
            "type": "choropleth",
            "geojson": hatching_url,
            "locations": codes,
            "z": [0] * len(codes),
            "colorscale": [[0, "#425563"], [1, "#425563"]],
            "showscale": False,
            "marker": {"line": {"width": 0}},
            "selected": {"marker": {"opacity": 1}},
            "unselected": {"marker": {"opacity": 1}},
            "hoverinfo": "skip",
        }
    symbol = "circle" if group.texture == DOTTED else "circle-open"
    return {
        "type": "scattergeo",
        "mode": "markers",
        "geojson": shapes_url,
        "locations": codes,
        "locationmode": "geojson-id",
        "marker": {"symbol": symbol, "size": 6, "color": "#10181D"},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "hoverinfo": "skip",
    }


def _outline(code: str, shapes_url: str, colour: str, width: float) -> dict[str, Any]:
    return {
        "type": "choropleth",
        "geojson": shapes_url,
        "locations": [code],
        "z": [0],
        "colorscale": [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        "showscale": False,
        "marker": {"line": {"color": colour, "width": width}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "hoverinfo": "skip",
    }
