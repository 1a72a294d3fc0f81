"""The referral pathway of one cohort: a bar of people for each step, and after it who is still open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.area_map import BLACK, WHITE
from dashboard.charts.staffing_bars import AXIS_HEIGHT, NOTHING, plain
from dashboard.charts.twin_bars import LEAST_TOP, MISSING_MARK
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag

RECORDED, HIDDEN = "recorded", "hidden"
# The words of a step stand above its bar: beside it they would take half of a phone's width.
ROW_HEIGHT, BAR_SHARE, WORDS_SHIFT = 50, 0.4, 21
# Room for a legend of two lines, as it is on a phone.
TOP = 48


@dataclass(frozen=True)
class StepReference:
    """A published share of the people referred that reach a step, and what is said of it."""

    step: str
    share: float
    words: str


@dataclass(frozen=True)
class _Row:
    """What may be drawn of a step; `sign` stands instead of its bar."""

    step: str
    sign: str
    people: int = 0
    open: int = 0
    open_words: str = ""
    share_words: str = ""


def pathway_bars(
    released: Released,
    *,
    layout: dict[str, Any],
    colour: str,
    references: Sequence[StepReference] = (),
) -> go.Figure:
    """A Plotly figure of the steps in the order given, the first (who was referred) on top.

    Columns: step; people, who reached it; open, who still may (0 where nobody can); share_words;
    state ("recorded", "hidden", or the words to be written instead of a bar). Where the people
    are not shown, neither are those open nor the share; where those of the first step are not,
    no reference is.
    """
    rows = [_row(row) for row in released.frame.to_dict("records")]
    places = {row.step: place for place, row in enumerate(rows)}
    referred = rows[0].people if rows and not rows[0].sign else 0
    marks = [
        (places[plain(mark.step)], mark.share * referred, plain(mark.words))
        for mark in references
        if referred and plain(mark.step) in places
    ]
    ends = [row.people + row.open for row in rows]
    top = max([LEAST_TOP, *ends, *(x for _, x, _ in marks)])
    ink = layout["font"]["color"]
    # The colour of the page, which parts a mark from the bar it lies on.
    page = WHITE if ink == BLACK else BLACK
    traces = [
        _bars(rows, "people", "reached", {"color": colour}),
        _bars(rows, "open", "still open", hatched(colour)),
        *(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [x for _, x, _ in marks],
                "y": [place for place, *_ in marks],
                "name": name,
                "showlegend": bool(name and marks),
                "marker": {
                    "symbol": "line-ns", "size": size, "line": {"width": width, "color": shade},
                },
                "hovertext": [words for *_, words in marks],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "cliponaxis": False,
            }
            for name, size, width, shade in (("", 17, 7, page), ("Published reference", 16, 3, ink))
        ),
        {
            "type": "scatter",
            "mode": "text",
            "x": [0 for row in rows if row.sign],
            "y": [place for place, row in enumerate(rows) if row.sign],
            "text": [f"\N{NO-BREAK SPACE}{row.sign}" for row in rows if row.sign],
            "textposition": "middle right",
            "textfont": {"color": ink},
            "cliponaxis": False,
            "showlegend": False,
            "hoverinfo": "skip",
        },
    ]  # fmt: skip
    return go.Figure(
        data=traces,
        layout={
            **layout,
            "barmode": "stack",
            "height": ROW_HEIGHT * (len(rows) + 0.2) + TOP + AXIS_HEIGHT,
            "margin": {"l": 0, "r": 12, "t": TOP, "b": AXIS_HEIGHT},
            "showlegend": True,
            "legend": {
                "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
                "traceorder": "normal", "font": {"size": 13}, "itemclick": False, "itemdoubleclick": False,
            },
            "xaxis": {
                **layout["xaxis"],
                "range": [0, top],
                "showgrid": False,
                "tickformat": ",",
                "nticks": 5,
                "title": {"text": "people"},
            },
            "yaxis": {
                **layout["yaxis"],
                "range": [len(rows) - 0.5, -0.7],
                "showgrid": False,
                "showticklabels": False,
            },
            "annotations": [
                {
                    "xref": "paper", "x": 0, "xanchor": "left", "y": place, "yshift": WORDS_SHIFT,
                    "text": _words(row), "font": {"size": 13}, "showarrow": False,
                }
                for place, row in enumerate(rows)
            ],
            "dragmode": False,
        },
    )  # fmt: skip


def hatched(colour: str) -> dict[str, Any]:
    """The marker of bars that are an outline with lines across."""
    return {
        "color": NOTHING,
        "line": {"color": colour, "width": 1.5},
        "pattern": {
            "shape": "/", "fgcolor": colour, "bgcolor": NOTHING, "size": 6, "solidity": 0.2,
        },
    }  # fmt: skip


def _row(row: dict[Any, Any]) -> _Row:
    step = plain(row["step"])
    if row["state"] == HIDDEN or row[hidden_flag("people")]:
        return _Row(step, HIDDEN_MARK)
    if row["state"] != RECORDED or pd.isna(row["people"]):
        return _Row(step, MISSING_MARK if row["state"] == RECORDED else plain(row["state"]))
    is_hidden, still = row[hidden_flag("open")], row["open"]
    is_known = not is_hidden and pd.notna(still)
    words = f"{still:,}" if is_known else HIDDEN_MARK if is_hidden else MISSING_MARK
    return _Row(
        step,
        "",
        int(row["people"]),
        int(still) if is_known else 0,
        "" if words == "0" else f"{words} open",
        plain(row["share_words"]),
    )


def _words(row: _Row) -> str:
    said = [] if row.sign else [f"{row.people:,}", row.share_words, row.open_words]
    return f"<b>{row.step}</b>  {' · '.join(filter(None, said))}"


def _bars(rows: list[_Row], part: str, name: str, marker: dict[str, Any]) -> dict[str, Any]:
    drawn = {place: row for place, row in enumerate(rows) if getattr(row, part)}
    return {
        "type": "bar",
        "orientation": "h",
        "width": BAR_SHARE,
        "x": [getattr(row, part) for row in drawn.values()],
        "y": list(drawn),
        "name": name,
        "showlegend": bool(drawn),
        "marker": marker,
        "hovertext": [
            "<br>".join(filter(None, [f"<b>{row.step}</b>", f"{row.people:,} people", *words]))
            for row in drawn.values()
            for words in [(row.share_words, row.open_words and f"{row.open_words}, not lost")]
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
