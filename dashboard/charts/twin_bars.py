"""Two counts of the same things side by side, each on a scale of its own: a count that is hidden or
missing is a sign, never a bar of 0."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag

MISSING_MARK = "?"
ROW_PIXELS, AROUND_PIXELS = 30, 70
# The share of the width that each side takes; between them stand the numbers of the first.
SIDES = ([0.0, 0.44], [0.56, 1.0])
LEAST_TOP = 10


@dataclass(frozen=True)
class Side:
    """One side: a column, what its axis says, and its colour; `part` is a column that is a part of
    it, drawn in `part_colour` from 0."""

    column: str
    label: str
    colour: str
    part: str = ""
    part_label: str = ""
    part_colour: str = ""


def twin_bars(
    released: Released, name: str, left: Side, right: Side, *, layout: dict[str, Any]
) -> go.Figure:
    """A Plotly figure of one row per thing, the first on top; `name` is the column that names it."""
    frame = released.frame
    names = [escape(str(text)) for text in frame[name]]
    traces, axes = [], {}
    for place, side in enumerate((left, right)):
        axis = "x" if place == 0 else "x2"
        traces += _bars(released, names, side, axis, layout["font"]["color"])
        top = max([*frame[side.column].dropna().astype(float), LEAST_TOP])
        axes[f"{axis[0]}axis{axis[1:]}"] = {
            **layout["xaxis"],
            "domain": SIDES[place],
            "range": [0, top * 1.45],
            "title": {"text": side.label, "standoff": TITLE_GAP},
        }
    return go.Figure(
        data=traces,
        layout={
            **layout,
            **axes,
            "barmode": "overlay",
            "bargap": 0.3,
            "height": AROUND_PIXELS + ROW_PIXELS * len(frame),
            "yaxis": {**layout["yaxis"], "type": "category", "autorange": "reversed", "showgrid": False},
        },
    )  # fmt: skip


def _bars(
    released: Released, names: list[str], side: Side, axis: str, ink: str
) -> list[dict[str, Any]]:
    frame = released.frame
    is_hidden = (
        frame[hidden_flag(side.column)].tolist()
        if side.column in released.people
        else [False] * len(frame)
    )
    values = _plain(frame[side.column])
    texts = [
        HIDDEN_MARK if hidden else MISSING_MARK if value is None else f"{value:,.0f}"
        for value, hidden in zip(values, is_hidden, strict=True)
    ]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": values,
            "xaxis": axis,
            "name": side.label,
            "marker": {"color": side.colour},
            "hovertemplate": f"%{{y}}: %{{x:,}} {escape(side.label)}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "text",
            "y": names,
            "x": [value or 0 for value in values],
            "xaxis": axis,
            "text": [f" {text}" for text in texts],
            "textposition": "middle right",
            "textfont": {"color": ink},
            "hoverinfo": "skip",
        },
    ]
    if side.part:
        traces.insert(
            1,
            {
                **traces[0],
                "x": _plain(frame[side.part]),
                "name": side.part_label,
                "marker": {"color": side.part_colour},
                "hovertemplate": f"%{{y}}: %{{x:,}} {escape(side.part_label)}<extra></extra>",
            },
        )
    return traces


def _plain(column: pd.Series[Any]) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in column]
