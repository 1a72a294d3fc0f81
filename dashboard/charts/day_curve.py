"""The share of a cohort for whom something has happened, by day since referral, with its band."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.charts.month_lines import BAND_COLOUR, CHARACTER_WIDTH, LABEL_HEIGHT, spread
from dashboard.charts.staffing_bars import plain, short_name
from dashboard.charts.twin_bars import MISSING_MARK
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag

HEIGHT, BOTTOM, HALF = 340, 52, 0.5
# A little above 100%, where the words of a reference near it stand.
TOP_SHARE = 1.1
# Longer names would take too much of a phone's width.
NAME_CHARACTERS = 14
# Later than this share of the days, the words of the median run inwards.
NEAR_END = 0.6


def day_curve(
    released: Released,
    *,
    name: str,
    label: str,
    last_day: int,
    colour: str,
    layout: dict[str, Any],
    median_day: int | None = None,
    reference: float | None = None,
    reference_words: str = "",
    comparison_name: str = "",
) -> go.Figure:
    """A Plotly figure of the days 0 to `last_day`; `name` is the line's, `label` the axis's.

    Columns: day; share, lower and upper (0 to 1); with `comparison_name` also comparison, a second
    share. A day without a share, or left out, is a gap, and below it a sign: `*` where people
    were hidden on it, else `?`.
    """
    frame = released.frame.set_index("day").reindex(range(last_day + 1))
    ink, muted = layout["font"]["color"], layout["xaxis"]["linecolor"]
    lines, names = [_line(frame, "share", name, colour, "solid")], [name]
    if comparison_name:
        lines.append(_line(frame, "comparison", comparison_name, muted, "dash"))
        names.append(comparison_name)
    room = CHARACTER_WIDTH * min(NAME_CHARACTERS, max(map(len, names))) + 12
    shapes, words = [], _end_words(lines, names, last_day)
    if median_day is not None:
        runs_inwards = median_day > NEAR_END * last_day
        shapes += [
            _rule(0, median_day, HALF, HALF, ink, "dot"),
            _rule(median_day, median_day, 0, HALF, ink, "dot"),
        ]
        words.append(
            {
                "x": median_day, "y": 0, "yanchor": "bottom", "showarrow": False,
                "xanchor": "right" if runs_inwards else "left", "text": f"half by day {median_day}",
            }
        )  # fmt: skip
    if reference is not None:
        shapes.append(_rule(0, last_day, reference, reference, ink, "dash"))
        words.append(
            {
                "x": 0, "xanchor": "left", "y": reference, "yanchor": "bottom",
                "text": plain(reference_words), "showarrow": False,
            }
        )  # fmt: skip
    return go.Figure(
        data=[_band(frame), *lines, _signs(released, frame, ink)],
        layout={
            **layout,
            "height": HEIGHT,
            "margin": {**layout["margin"], "r": room, "b": BOTTOM},
            "xaxis": {
                **layout["xaxis"],
                "range": [0, last_day],
                "nticks": 8,
                "showgrid": False,
                "title": {"text": "days since referral", "standoff": TITLE_GAP},
            },
            "yaxis": {
                **layout["yaxis"],
                "range": [0, TOP_SHARE],
                "dtick": 0.25,
                "tickformat": ".0%",
                "title": {"text": label, "standoff": TITLE_GAP},
            },
            "shapes": shapes,
            "annotations": words,
            "dragmode": False,
        },
    )


def _line(frame: pd.DataFrame, column: str, name: str, colour: str, dash: str) -> dict[str, Any]:
    shares = frame[column].astype(float)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": frame.index.tolist(),
        "y": [None if pd.isna(share) else share for share in shares],
        "line": {"color": colour, "dash": dash, "shape": "hv", "width": 2.5},
        "connectgaps": False,
        "name": plain(name),
        "hovertext": [
            _hover(day, column)
            for day in frame[[column, "lower", "upper"]].astype(float).to_dict("records")
        ],
        "hovertemplate": "%{fullData.name}<br>day %{x}: %{hovertext}<extra></extra>",
    }


def _hover(day: dict[Any, Any], column: str) -> str:
    if pd.isna(day[column]):
        return ""
    if column != "share" or pd.isna(day["lower"]) or pd.isna(day["upper"]):
        return f"{day[column]:.0%}"
    return f"{day['share']:.0%} ({day['lower']:.0%} to {day['upper']:.0%})"


def _end_words(
    lines: list[dict[str, Any]], names: list[str], last_day: int
) -> list[dict[str, Any]]:
    """The names of the lines beside the plot, each at the height where its line ends."""
    ends = [
        (known[-1], name, line["line"]["color"])
        for line, name in zip(lines, names, strict=True)
        if (known := [share for share in line["y"] if share is not None])
    ]
    places = spread([share for share, *_ in ends], LABEL_HEIGHT / (HEIGHT - BOTTOM) * TOP_SHARE)
    return [
        {
            "x": last_day, "xanchor": "left", "xshift": 4, "y": place, "showarrow": False,
            "text": f'<span style="color:{colour}">{short_name(name, NAME_CHARACTERS)}</span>',
        }
        for (_, name, colour), place in zip(ends, places, strict=True)
    ]  # fmt: skip


def _band(frame: pd.DataFrame) -> dict[str, Any]:
    """The interval of each day until the next, one outline for each run of days that have one."""
    is_known = frame[["share", "lower", "upper"]].notna().all(axis=1)
    x: list[float | None] = []
    y: list[float | None] = []
    for known, days in groupby(frame.index, key=lambda day: bool(is_known[day])):
        if known:
            run = list(days)
            # Each day but the first twice: where its step begins, and where it leads.
            across = [run[0], *(day for day in run[1:] for _ in range(2))]
            lower, upper = (
                [float(frame.loc[day, end]) for day in run for _ in range(2)][:-1]
                for end in ("lower", "upper")
            )
            x += [*across, *reversed(across), None]
            y += [*upper, *reversed(lower), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": BAND_COLOUR,
        "line": {"width": 0},
        "name": "95% interval",
        "hoverinfo": "skip",
    }


def _signs(released: Released, frame: pd.DataFrame, ink: str) -> dict[str, Any]:
    """A sign in the middle of each run of days without a share."""
    flags = [hidden_flag(column) for column in released.people]
    is_hidden = frame[flags].eq(True).any(axis=1)
    signs = (
        frame["share"]
        .isna()
        .map({True: MISSING_MARK, False: ""})
        .mask(frame["share"].isna() & is_hidden, HIDDEN_MARK)
    )
    runs = [(sign, list(days)) for sign, days in groupby(frame.index, key=lambda day: signs[day])]
    marked = [(days[len(days) // 2], sign) for sign, days in runs if sign]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [day for day, _ in marked],
        "y": [0] * len(marked),
        "text": [sign for _, sign in marked],
        "textposition": "top center",
        "textfont": {"color": ink},
        "hoverinfo": "skip",
    }


def _rule(x0: int, x1: int, y0: float, y1: float, ink: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "layer": "below",
        "line": {"color": ink, "width": 1.5, "dash": dash},
    }  # fmt: skip
