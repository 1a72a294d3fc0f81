"""Rows with a bar each: parts of a whole, also those below 0."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from dashboard.rules.disclosure import Released

ROW_HEIGHT, LEAST_HEIGHT = 34, 120
# What the words at the end of a bar take of the width.
WORDS_SHARE = 0.18


def row_bars(
    released: Released,
    *,
    name: str,
    value: str,
    text: str,
    label: str,
    colour: str,
    below_colour: str,
    layout: dict[str, Any],
) -> go.Figure:
    """A Plotly figure with one horizontal bar a row, the first row on top.

    Columns: `name`, `value` (below 0 to the left, in `below_colour`; missing is not drawn) and
    `text`, which stands at the bar's end and is all that is said of a row without one.
    """
    frame = released.frame.iloc[::-1]
    # Plotly reads markup in both.
    names, words = ([escape(str(said), quote=False) for said in frame[c]] for c in (name, text))
    values = [None if number != number else number for number in frame[value].astype(float)]
    known = [number for number in values if number is not None] or [0.0]
    low, high = min(0.0, *known), max(0.0, *known)
    # Room for the words, which stand at the right of each bar, or of 0: never on the names.
    ends = [low, high + (high - low or 1.0) * WORDS_SHARE]
    axis = {**layout["xaxis"], "title": {"text": label}, "zeroline": True, "range": ends}
    return go.Figure(
        data=[
            {
                "type": "bar",
                "orientation": "h",
                "y": names,
                "x": values,
                "marker": {
                    "color": [below_colour if (v or 0) < 0 else colour for v in values],
                },
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "text",
                "y": names,
                "x": [max(number or 0.0, 0.0) for number in values],
                "text": words,
                "textposition": "middle right",
                "hovertemplate": "%{y}: %{text}<extra></extra>",
            },
        ],
        layout={
            **layout,
            "xaxis": axis,
            "yaxis": {**layout["yaxis"], "showgrid": False},
            "margin": {"l": 0, "r": 8, "t": 8, "b": 0},
            "height": max(LEAST_HEIGHT, ROW_HEIGHT * len(frame) + 60),
            "bargap": 0.35,
        },
    )
