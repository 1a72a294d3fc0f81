"""Counts by month as bars; a hidden month and a missing one are marked, never drawn as 0."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.rules.disclosure import Released, hidden_flag

# The top of the axis when nothing larger is shown.
LEAST_TOP = 10


def month_bars(
    released: Released, column: str, *, label: str, colour: str, layout: dict[str, Any]
) -> go.Figure:
    """A Plotly figure of one released count by `month` (the first of each period), oldest
    first."""
    frame = released.frame
    hidden = frame[hidden_flag(column)]
    missing = frame[column].isna() & ~hidden
    known = frame[~hidden & ~missing]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": [month.isoformat() for month in known["month"]],
            "y": known[column].astype(int).tolist(),
            "marker": {"color": colour},
            "name": label,
            "hovertemplate": "%{x|%b %Y}: %{y:,}<extra></extra>",
        }
    ]
    for rows, mark, words in ((frame[hidden], "*", "hidden"), (frame[missing], "?", "no return")):
        if len(rows):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "text",
                    "x": [month.isoformat() for month in rows["month"]],
                    "y": [0] * len(rows),
                    "text": [mark] * len(rows),
                    "textposition": "top center",
                    "name": words,
                    "hovertemplate": f"%{{x|%b %Y}}: {words}<extra></extra>",
                }
            )
    return go.Figure(
        data=traces,
        layout={
            **layout,
            "height": 220,
            "bargap": 0.25,
            "xaxis": {
                **layout["xaxis"],
                "type": "date",
                "tickformat": "%b %Y",
                "tickvals": [month.isoformat() for month in frame["month"][:: 1 + len(frame) // 8]],
                "showgrid": False,
            },
            "yaxis": {
                **layout["yaxis"],
                "range": [0, max([*known[column].astype(int), LEAST_TOP]) * 1.1],
                "title": {"text": label, "standoff": TITLE_GAP},
            },
        },
    )
