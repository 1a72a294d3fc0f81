"""A value of PCNs as dots beside a band; rows without a value say why in words, at the zero line."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.staffing_bars import SIGNS, UNFADED, pcn_rows, plain, word_marks
from dashboard.rules.disclosure import Released


def band_dots(
    released: Released,
    *,
    value: str,
    state: str,
    low: float,
    high: float,
    label: str,
    colour: str,
    layout: dict[str, Any],
    picked: str = "",
) -> go.Figure:
    """A Plotly figure of PCNs in the order given, the first on top.

    Columns: pcn_code, pcn_name; `value`, missing where not known, not applicable or hidden; and
    `state`, the word that says which of these, or where the value lies.
    """
    frame = released.frame
    ink = layout["font"]["color"]
    unknown = frame[state].isin(SIGNS)
    known = frame[~unknown & frame[value].notna()]
    texts = {row["pcn_code"]: _hover_text(row, value, state, label) for row in _rows(frame)}
    codes = known["pcn_code"].tolist()
    numbers = known[value].astype(float).tolist()
    traces: list[dict[str, Any]] = [
        {
            **UNFADED,
            "unselected": {**UNFADED["unselected"], "textfont": {"color": ink}},
            "type": "scatter",
            "mode": "markers+text",
            "x": numbers,
            "y": codes,
            "customdata": codes,
            "text": [f"{number:,.0f}" for number in numbers],
            "textposition": "middle right",
            "textfont": {"color": ink},
            "marker": {"color": colour, "size": 11},
            "name": label,
            "hovertext": [texts[code] for code in codes],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]
    traces += [
        word_marks(frame[frame[state] == word], word, texts, ink)
        for word in SIGNS
        if (frame[state] == word).any()
    ]
    rows = pcn_rows(frame, layout, picked=picked)
    band = {
        "type": "rect", "layer": "below", "yref": "paper", "y0": 0, "y1": 1, "x0": low, "x1": high,
        "fillcolor": colour, "opacity": 0.18, "line": {"width": 0},
    }  # fmt: skip
    return go.Figure(
        data=traces,
        layout={
            **rows,
            "shapes": [band, *rows["shapes"]],
            "annotations": [
                {
                    "x": (low + high) / 2, "y": 1, "yref": "paper", "yanchor": "bottom",
                    "text": f"{low:,.0f} to {high:,.0f}", "showarrow": False,
                }
            ],
            "xaxis": {
                **layout["xaxis"],
                "range": [0, max([high, *numbers]) * 1.12],
                "zeroline": True,
                "zerolinecolor": layout["xaxis"]["linecolor"],
                "title": {"text": label},
            },
        },
    )  # fmt: skip


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def _hover_text(row: dict[Any, Any], value: str, state: str, label: str) -> str:
    lines = [f"<b>{plain(row['pcn_name'])}</b>", str(row[state])]
    if pd.notna(row[value]) and row[state] not in SIGNS:
        lines.insert(1, f"{row[value]:,.0f} {label}")
    return "<br>".join(lines)
