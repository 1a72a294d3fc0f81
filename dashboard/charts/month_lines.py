"""Several series by month, labelled where they end; a month that is missing is a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.charts.staffing_bars import plain, short_name
from dashboard.rules.returns import months_between
from dashboard.rules.take_up import months_before

# Colours that stand out from white and from the dark page at 3:1; each comes with a dash and a
# marker of its own, so that colour is never needed to tell two lines apart; the sign stands for
# the marker before the name.
STYLES = (
    ("#2F7FC4", "solid", "circle", "●"),
    ("#C2661B", "dash", "square", "■"),
    ("#2B8F6B", "dot", "diamond", "◆"),
    ("#B0529A", "dashdot", "triangle-up", "▲"),
    ("#7D7F2A", "longdash", "x", "✖"),
    ("#7A828C", "longdashdot", "star", "★"),
)
BAND_SIGN = "▬"
MOST_LINES = len(STYLES)
HEIGHT, TOP, BOTTOM = 340, 24, 36
# What a label takes of the height, and of the width for each of its characters.
LABEL_HEIGHT, CHARACTER_WIDTH, LABEL_CHARACTERS = 17, 7.5, 24
BAND_COLOUR = "rgba(125,145,160,0.28)"
# The top of the axis when nothing larger is shown.
LEAST_TOP = 1


@dataclass(frozen=True)
class MonthLine:
    """A series: a value for each month (its first day), `None` where it is missing."""

    label: str
    months: Sequence[date]
    values: Sequence[float | None]


@dataclass(frozen=True)
class MonthBand:
    """A range for each of some months that follow one another."""

    label: str
    months: Sequence[date]
    lower: Sequence[float]
    upper: Sequence[float]


@dataclass(frozen=True)
class MonthMark:
    """Words at a month: on a line from top to bottom, or at a point when it has a value."""

    month: date
    text: str
    value: float | None = None


def month_lines(
    lines: Sequence[MonthLine],
    *,
    layout: dict[str, Any],
    label: str,
    band: MonthBand | None = None,
    marks: Sequence[MonthMark] = (),
) -> go.Figure:
    """A Plotly figure of up to six series; `ValueError` for more: that is a different chart.

    A month that a series leaves out is missing too.
    """
    if len(lines) > MOST_LINES:
        raise ValueError(f"expected at most {MOST_LINES} series, found {len(lines)}")
    styles = dict(zip((line.label for line in lines), STYLES, strict=False))
    traces = [_band(band)] if band else []
    muted = layout["xaxis"]["linecolor"]
    ends: list[tuple[str, date, float]] = []
    if band:
        middle = (band.lower[-1] + band.upper[-1]) / 2
        ends.append((_named(band.label, muted, BAND_SIGN), band.months[-1], middle))
    for line in lines:
        colour, dash, symbol, sign = styles[line.label]
        known = _known(line)
        if not known:
            continue
        months = months_between(min(known), max(known))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [month.isoformat() for month in months],
                "y": [known.get(month) for month in months],
                "connectgaps": False,
                "cliponaxis": False,
                "line": {"color": colour, "dash": dash, "width": 2},
                "marker": {"color": colour, "symbol": symbol, "size": 7},
                "name": plain(line.label),
                "hovertemplate": "%{x|%b %Y}: %{y:,.2f}<extra>%{fullData.name}</extra>",
            }
        )
        ends.append((_named(line.label, colour, sign), months[-1], known[months[-1]]))
    points = [mark for mark in marks if mark.value is not None]
    if points:
        traces.append(_points(points, layout))
    values = [value for line in lines for value in _known(line).values()]
    values += [mark.value for mark in points if mark.value is not None]
    values += list(band.upper) if band else []
    top = max([LEAST_TOP, *values]) * 1.08
    shown = [month for line in lines for month in _known(line)] + [mark.month for mark in marks]
    shown += list(band.months) if band else []
    # Room of a month at the right, where the names begin.
    edge = months_before(max(shown), -1) if shown else None
    return go.Figure(
        data=traces,
        layout={
            **layout,
            "height": HEIGHT,
            "margin": {
                "l": 0,
                "r": _room([*styles, *([band.label] if band else [])]),
                "t": TOP,
                "b": BOTTOM,
            },
            "xaxis": {
                **layout["xaxis"],
                "type": "date",
                "tickformat": "%b %Y",
                "range": [min(shown).isoformat(), edge.isoformat()] if edge else None,
                "showgrid": False,
            },
            "yaxis": {
                **layout["yaxis"],
                "range": [0, top],
                "title": {"text": label, "standoff": TITLE_GAP},
            },
            "shapes": [
                _upright(mark, layout["font"]["color"]) for mark in marks if mark.value is None
            ],
            "annotations": [
                *(_end_labels(ends, edge, top, layout["xaxis"]["gridcolor"]) if edge else ()),
                *(_upright_words(mark) for mark in marks if mark.value is None),
            ],
        },
    )


def spread(places: Sequence[float], apart: float) -> list[float]:
    """The places of labels, moved as little as needed to lie this far apart, in the same order."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    # Neighbours that are too near become one block around the middle of where they belong.
    blocks: list[list[int]] = []
    middles: list[float] = []
    for index in order:
        blocks.append([index])
        middles.append(places[index])
        while len(blocks) > 1 and (
            middles[-1] - middles[-2] < (len(blocks[-1]) + len(blocks[-2])) / 2 * apart
        ):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
            middles[-2:] = [sum(places[member] for member in blocks[-1]) / len(blocks[-1])]
    found = [0.0] * len(places)
    for block, middle in zip(blocks, middles, strict=True):
        for step, member in enumerate(block):
            found[member] = middle + (step - (len(block) - 1) / 2) * apart
    return found


def _known(line: MonthLine) -> dict[date, float]:
    return {
        month: float(value)
        for month, value in zip(line.months, line.values, strict=True)
        if value is not None and isfinite(value)
    }


def _room(labels: Sequence[str]) -> int:
    longest = max((min(len(label), LABEL_CHARACTERS) for label in labels), default=0)
    return round(longest * CHARACTER_WIDTH) + 30


def _named(label: str, colour: str, sign: str) -> str:
    return f'<span style="color:{colour}">{sign}</span> {short_name(label, LABEL_CHARACTERS)}'


def _band(band: MonthBand) -> dict[str, Any]:
    there = [month.isoformat() for month in band.months]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*there, *reversed(there)],
        "y": [*band.upper, *reversed(band.lower)],
        "fill": "toself",
        "fillcolor": BAND_COLOUR,
        "line": {"width": 0},
        "name": plain(band.label),
        "hoverinfo": "skip",
    }


def _points(marks: Sequence[MonthMark], layout: dict[str, Any]) -> dict[str, Any]:
    ink = layout["font"]["color"]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [mark.month.isoformat() for mark in marks],
        "y": [mark.value for mark in marks],
        "text": [plain(mark.text) for mark in marks],
        "textposition": "top center",
        "textfont": {"color": ink},
        "marker": {"symbol": "diamond-open", "size": 12, "color": ink, "line": {"width": 2}},
        "name": "",
        "hovertemplate": "%{x|%b %Y}: %{text}<extra></extra>",
    }


def _upright(mark: MonthMark, ink: str) -> dict[str, Any]:
    month = mark.month.isoformat()
    return {
        "type": "line", "x0": month, "x1": month, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": ink, "width": 1, "dash": "dot"},
    }  # fmt: skip


def _upright_words(mark: MonthMark) -> dict[str, Any]:
    return {
        "x": mark.month.isoformat(), "y": 1, "yref": "paper", "yanchor": "bottom",
        "text": plain(mark.text), "showarrow": False,
    }  # fmt: skip


def _end_labels(
    ends: Sequence[tuple[str, date, float]], edge: date, top: float, leader: str
) -> list[dict[str, Any]]:
    """Names beside the plot, each led by a thin line from where its series ends.

    The line is as quiet as the grid: in the colour of the series it would look like more data.
    """
    apart = LABEL_HEIGHT / (HEIGHT - TOP - BOTTOM) * top
    places = spread([value for *_, value in ends], apart)
    return [
        {
            "x": month.isoformat(), "y": value, "ax": edge.isoformat(), "ay": place,
            "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
            "xanchor": "left", "align": "left", "text": text,
            "showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": leader,
            "standoff": 5,
        }
        for (text, month, value), place in zip(ends, places, strict=True)
    ]  # fmt: skip
