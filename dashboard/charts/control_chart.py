"""A control chart: each judgement a colour and a shape, the mean solid, the limits dashed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.rules.control_chart import Colour, ControlChart, Limits

# NHS England's, Making Data Count. Pale or dark beside some pages: each marker has an outline.
IMPROVEMENT, CONCERN, NEITHER, COMMON_CAUSE = "#00B0F0", "#E46C0A", "#490092", "#A6A6A6"
COLOURS = {
    Colour.IMPROVEMENT: IMPROVEMENT,
    Colour.CONCERN: CONCERN,
    Colour.NEITHER: NEITHER,
    Colour.COMMON_CAUSE: COMMON_CAUSE,
}
SYMBOLS = {
    Colour.IMPROVEMENT: "square",
    Colour.CONCERN: "diamond",
    Colour.NEITHER: "star",
    Colour.COMMON_CAUSE: "circle",
}
# As in the bars: a dash would look like a line.
NO_RETURN_MARK = "?"
# Room at the right for the words at the end of a line.
WORDS_PIXELS = 110
# Between two of them, as a share of the height.
LEAST_GAP = 0.08
MEAN = "mean"


def control_chart(
    chart: ControlChart,
    *,
    layout: dict[str, Any],
    label: str,
    target: float | None = None,
    target_words: str = "",
    extra: Mapping[str, Sequence[tuple[date, float]]] | None = None,
    gaps: Mapping[date, str] | None = None,
) -> go.Figure:
    """A Plotly figure of one judged series; `label` is its axis, with the unit.

    The line of the target is called "target" and what `target_words` adds. `extra` are thin
    lines behind the series, each named at its end. Below 13 points there is no limit to draw.
    """
    ink, grey = layout["font"]["color"], layout["xaxis"]["linecolor"]
    days = [point.date.isoformat() for point in chart.points]
    traces, named = [], []
    for name, rows in (extra or {}).items():
        broken = _broken(dict(rows), gaps or {})
        traces.append({**_line([], [], name, grey, 1), **broken})
        named += [(rows[-1][1], name)] if rows else []
    for limits in chart.limits:
        phase = [limits.start.isoformat(), limits.end.isoformat()]
        for height, words in lines_of(limits):
            dash = "solid" if words == MEAN else "dash"
            traces.append(_line(phase, [height] * 2, words, ink, 1.5, dash))
    named += lines_of(chart.limits[-1])
    if target is not None:
        words = f"target {target_words}".strip()
        traces.append(_line([days[0], days[-1]], [target] * 2, words, ink, 2, "dot"))
        named.append((target, words))
    values = [point.value for point in chart.points]
    traces.append(
        {
            **_line(days, values, label, grey, 1.5),
            **_broken({point.date: point.value for point in chart.points}, gaps or {}),
            "hoverinfo": "skip",
            "hovertemplate": None,
        }
    )
    for colour in Colour:
        points = [point for point in chart.points if point.colour is colour]
        if points:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [point.date.isoformat() for point in points],
                    "y": [point.value for point in points],
                    "marker": {
                        "color": COLOURS[colour],
                        "symbol": SYMBOLS[colour],
                        "size": 8 if colour is Colour.COMMON_CAUSE else 11,
                        "line": {"color": ink, "width": 1},
                    },
                    "name": chart.colour_words(colour),
                    "showlegend": True,
                    "hovertemplate": "%{x|%-d %B %Y}: %{y:,.2~f}<br>%{fullData.name}<extra></extra>",
                }
            )
    heights = [height for trace in traces for height in trace["y"] if height is not None]
    low, high = min(heights), max(heights)
    if low == high:
        # A series that never changes, without a target, has no height of its own.
        # What is never below 0 is not drawn there.
        low, high = max(low - 0.5, min(low, 0.0)), high + 0.5
    height = high - low
    places = apart(named, LEAST_GAP * height)
    traces.append(
        {
            "type": "scatter",
            "mode": "text",
            "x": [days[-1]] * len(places),
            "y": [place for place, _ in places],
            # A little away from the last marker.
            "text": [f"\u2003{words}" for _, words in places],
            "textposition": "middle right",
            "cliponaxis": False,
            "showlegend": False,
            "hoverinfo": "skip",
        }
    )
    if gaps:
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [day.isoformat() for day in gaps],
                "y": [low] * len(gaps),
                "text": list(gaps.values()),
                "showlegend": False,
                "hoverinfo": "skip",
            }
        )
    return go.Figure(
        data=traces,
        layout={
            **layout,
            "height": 340,
            "margin": {**layout["margin"], "r": WORDS_PIXELS},
            "showlegend": chart.variation is not None,
            "legend": {"orientation": "h", "y": -0.15, "yanchor": "top", "x": 0},
            "xaxis": {**layout["xaxis"], "type": "date", "tickformat": "%b %Y", "showgrid": False},
            "yaxis": {
                **layout["yaxis"],
                "range": [low - LEAST_GAP * height, high + LEAST_GAP * height],
                "title": {"text": label, "standoff": TITLE_GAP},
            },
        },
    )


def _broken(known: Mapping[date, float], gaps: Mapping[date, str]) -> dict[str, Any]:
    """The values by date, with none at the gaps."""
    values: dict[date, float | None] = dict.fromkeys(gaps)
    values |= known
    return {
        "x": [day.isoformat() for day in sorted(values)],
        "y": [values[d] for d in sorted(values)],
    }


def lines_of(limits: Limits) -> list[tuple[float, str]]:
    """The lines of a phase that there are, each with its name."""
    lines = ((limits.mean, MEAN), (limits.lower, "lower limit"), (limits.upper, "upper limit"))
    return [(height, words) for height, words in lines if height is not None]


def apart(named: Sequence[tuple[float, str]], least_gap: float) -> list[tuple[float, str]]:
    """Where the names of lines stand, lowest first: at the line, or as little above as keeps
    them apart."""
    places: list[tuple[float, str]] = []
    for height, words in sorted(named):
        place = max(height, places[-1][0] + least_gap) if places else height
        places.append((place, words))
    return places


def _line(
    days: Sequence[str],
    heights: Sequence[float],
    words: str,
    colour: str,
    width: float,
    dash: str = "solid",
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(days),
        "y": list(heights),
        "line": {"color": colour, "width": width, "dash": dash},
        "name": words,
        "showlegend": False,
        "hovertemplate": "%{fullData.name}: %{y:,.2~f}<extra></extra>",
    }
