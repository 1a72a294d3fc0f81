"""Rates of PCNs by the number of people they rest on, against the limits of chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.charts.month_lines import LABEL_HEIGHT, spread
from dashboard.charts.staffing_bars import NOTHING, UNFADED, plain, short_name
from dashboard.rules.disclosure import Released
from dashboard.rules.staffing import FunnelPlace

HEIGHT, TOP, BOTTOM, RIGHT = 460, 44, 52, 92
# Shape and filling say the place, so that colour is not needed.
SYMBOLS = {
    FunnelPlace.INSIDE: "circle-open",
    FunnelPlace.OUTSIDE_95: "diamond",
    FunnelPlace.OUTSIDE_998: "square",
}
_LIMITS = (
    ("lower_95", "95%", "solid"),
    ("upper_95", "95%", "solid"),
    ("lower_998", "99.8%", "dash"),
    ("upper_998", "99.8%", "dash"),
)
NAME_CHARACTERS = 22
# About what a name takes of a plot as wide as it usually is: names that would lie on another
# are left out, and said when pointed at.
USUAL_WIDTH, CHARACTER_WIDTH, POINT, NEAR_END = 700, 7.5, 9, 0.15


def funnel_plot(
    released: Released,
    *,
    people: str,
    rate: str,
    place: str,
    limits: pd.DataFrame,
    centre: float,
    people_label: str,
    label: str,
    colour: str,
    layout: dict[str, Any],
    picked: str = "",
) -> go.Figure:
    """A Plotly figure of PCNs; one without people or rate is not drawn, which the caller says.

    Columns: pcn_code, pcn_name, `people`, `rate`, and `place` (a word of `FunnelPlace`, each
    judged against its own limits). `limits`, smallest number of people first: people, lower_95,
    upper_95, lower_998, upper_998. Those outside are named where there is room, the picked one
    always.
    """
    ink = layout["font"]["color"]
    frame = released.frame[released.frame[[people, rate]].notna().all(axis=1)]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": limits["people"].astype(float).tolist(),
            "y": limits[column].astype(float).tolist(),
            "line": {"color": layout["xaxis"]["linecolor"], "width": 1, "dash": dash},
            "name": f"{name} limits",
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for column, name, dash in _LIMITS
    ]
    traces += [
        _points(frame[frame[place] == found], found, people, rate, people_label, label, colour, ink)
        for found in FunnelPlace
        if (frame[place] == found).any()
    ]
    chosen = frame[frame["pcn_code"] == picked]
    if len(chosen):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": chosen[people].astype(float).tolist(),
                "y": chosen[rate].astype(float).tolist(),
                "marker": {
                    "symbol": "circle", "size": 24, "color": NOTHING,
                    "line": {"color": ink, "width": 2.5},
                },
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )  # fmt: skip
    outside = [frame[frame[place] == found] for found in reversed(FunnelPlace)][:-1]
    first, last = float(limits["people"].min()), float(limits["people"].max())
    # The limits grow without end towards few people: the picture ends where the PCNs do.
    within = limits[limits["people"] >= (frame[people].min() if len(frame) else first)]
    top = 1.08 * float(max([*within["upper_998"], *frame[rate], centre]))

    def at(row: dict[Any, Any]) -> tuple[float, float]:
        across = (row[people] - first) / (last - first)
        return across * USUAL_WIDTH, row[rate] / top * (HEIGHT - TOP - BOTTOM)

    return go.Figure(
        data=traces,
        layout={
            **layout,
            "height": HEIGHT,
            "margin": {"l": 0, "r": RIGHT, "t": TOP, "b": BOTTOM},
            "showlegend": True,
            "legend": {
                "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
                "itemclick": False, "itemdoubleclick": False,
            },
            "xaxis": {
                **layout["xaxis"],
                "range": [first, last],
                "tickformat": ",",
                "showgrid": False,
                "title": {"text": people_label},
            },
            "yaxis": {
                **layout["yaxis"],
                "range": [0, top],
                "showgrid": False,
                "title": {"text": label, "standoff": TITLE_GAP},
            },
            "shapes": [
                {
                    "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": centre, "y1": centre,
                    "line": {"color": ink, "width": 1.5}, "layer": "below",
                }
            ],
            "annotations": [
                *_limit_labels(limits, centre, top),
                *_names(frame, pd.concat([chosen, *outside]), at, people, rate, picked),
            ],
            "clickmode": "event+select",
            "dragmode": False,
        },
    )  # fmt: skip


def _points(
    rows: pd.DataFrame,
    found: FunnelPlace,
    people: str,
    rate: str,
    people_label: str,
    label: str,
    colour: str,
    ink: str,
) -> dict[str, Any]:
    outline = colour if found is FunnelPlace.INSIDE else ink
    return {
        **UNFADED,
        "type": "scatter",
        "mode": "markers",
        "x": rows[people].astype(float).tolist(),
        "y": rows[rate].astype(float).tolist(),
        "customdata": rows["pcn_code"].tolist(),
        "cliponaxis": False,
        "marker": {
            "symbol": SYMBOLS[found],
            "size": 11,
            "color": colour,
            "line": {"color": outline, "width": 1.5},
        },
        "name": str(found),
        "hovertext": [plain(name) for name in rows["pcn_name"]],
        "hovertemplate": (
            f"<b>%{{hovertext}}</b><br>%{{y:.2f}} {plain(label)}<br>"
            f"%{{x:,}} {plain(people_label)}<br>{found}<extra></extra>"
        ),
    }


def _limit_labels(limits: pd.DataFrame, centre: float, top: float) -> list[dict[str, Any]]:
    last = limits.iloc[-1]
    names = [(float(last[column]), name) for column, name, _ in _LIMITS]
    names.append((centre, f"overall {centre:.2f}"))
    places = spread([value for value, _ in names], LABEL_HEIGHT / (HEIGHT - TOP - BOTTOM) * top)
    return [
        {
            "xref": "paper", "x": 1, "xanchor": "left", "xshift": 4, "y": where, "text": name,
            "showarrow": False,
        }
        for (_, name), where in zip(names, places, strict=True)
    ]  # fmt: skip


def _names(
    drawn: pd.DataFrame,
    named: pd.DataFrame,
    at: Callable[[dict[Any, Any]], tuple[float, float]],
    people: str,
    rate: str,
    picked: str,
) -> list[dict[str, Any]]:
    """Names above the points in the order given, but none on another or beside another's point.

    `at` gives a row's place in pixels.
    """
    taken = {row["pcn_code"]: _box(*at(row), 2 * POINT, 2 * POINT) for row in _rows(drawn)}
    found = []
    for row in _rows(named):
        code, name = row["pcn_code"], short_name(row["pcn_name"], NAME_CHARACTERS)
        across, up = at(row)
        width = len(name) * CHARACTER_WIDTH
        # Near an end of the axis a name runs inwards.
        share = across / USUAL_WIDTH
        anchor, shift = ("center", 0.0)
        if share < NEAR_END or share > 1 - NEAR_END:
            anchor, shift = ("left", width / 2) if share < NEAR_END else ("right", -width / 2)
        box = _box(across + shift, up + POINT + LABEL_HEIGHT / 2, width, LABEL_HEIGHT)
        others = [place for key, place in taken.items() if key != code]
        if code != picked and any(_touch(box, other) for other in others):
            continue
        taken[f"name of {code}"] = box
        found.append(
            {
                "x": float(row[people]), "y": float(row[rate]), "xanchor": anchor,
                "yanchor": "bottom", "yshift": POINT, "showarrow": False,
                "text": f"<b>{name}</b>" if code == picked else name,
            }
        )  # fmt: skip
    return found


def _box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2


def _touch(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.drop_duplicates("pcn_code").to_dict("records")
