"""FTE of PCNs, one row each: in post, vacant, planned and target; no worker and no return in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.area_map import BLACK, WHITE
from dashboard.rules.disclosure import Released
from dashboard.rules.staffing import InPost, Pressure

ROW_HEIGHT, KEY_HEIGHT, AXIS_HEIGHT = 26, 44, 52
NAME_CHARACTERS = 28
NOTHING = "rgba(0,0,0,0)"
# As in the tables: a star for what is hidden, a dash for what is missing.
SIGNS: dict[str, str] = {
    InPost.NO_WORKER.value: "✕",
    InPost.NO_RETURN.value: "–",
    Pressure.HIDDEN.value: "*",
}
# Picking one mark must not fade the others.
UNFADED = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
# What the words take of the axis where it is short.
WORD_SHARE = 0.35
# The least FTE at the end of the axis.
LEAST_TOP = 1
# What a row says of itself when pointed at.
_HOVER = (
    ("fte", "in post"),
    ("vacant_fte", "vacant"),
    ("planned_fte", "planned"),
    ("target_fte", "target"),
)


def staffing_bars(
    released: Released, *, layout: dict[str, Any], colour: str, picked: str = ""
) -> go.Figure:
    """A Plotly figure of PCNs in the order given, the first on top.

    Columns: pcn_code, pcn_name, fte, vacant_fte, planned_fte, target_fte (FTE, missing where not
    known), in_post (a word of `InPost`). Vacant FTE follows the FTE in post: where that was not
    returned it has no place, and is said when pointed at.
    """
    frame = released.frame
    ink = layout["font"]["color"]
    # The colour of the page, which parts the marks from the bars they lie on.
    page = WHITE if ink == BLACK else BLACK
    texts = {row["pcn_code"]: _hover_text(row) for row in frame.to_dict("records")}
    staffed = frame[(frame["in_post"] == InPost.IN_POST) & frame["fte"].notna()]
    vacant = frame[(frame["in_post"] != InPost.NO_RETURN) & (frame["vacant_fte"] > 0).fillna(False)]
    traces: list[dict[str, Any]] = [
        {
            **_marks(staffed, "fte", texts),
            "type": "bar",
            "name": "FTE in post",
            "text": [f"{value:.1f}" for value in staffed["fte"]],
            "textposition": "inside",
            "insidetextanchor": "start",
            "textfont": {"size": 12, "color": page},
            "marker": {"color": colour, "line": {"color": colour, "width": 1.5}},
        },
        {
            **_marks(vacant, "vacant_fte", texts),
            "type": "bar",
            "name": "vacant",
            "marker": {
                "color": NOTHING,
                "line": {"color": colour, "width": 1.5},
                "pattern": {
                    "shape": "/", "fgcolor": colour, "bgcolor": NOTHING, "size": 6, "solidity": 0.2,
                },
            },
        },
    ]  # fmt: skip
    for column, name, symbol, size, width, fill, outline in (
        ("target_fte", "", "line-ns", 18, 7, page, page),
        ("target_fte", "target", "line-ns", 17, 3, ink, ink),
        ("planned_fte", "planned", "diamond", 11, 2, page, ink),
    ):
        traces.append(
            {
                **_marks(frame[frame[column].notna()], column, texts),
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "showlegend": bool(name),
                "marker": {
                    "symbol": symbol, "size": size, "color": fill,
                    "line": {"width": width, "color": outline},
                },
                "cliponaxis": False,
            }
        )  # fmt: skip
    ends = [frame["fte"].fillna(0) + frame["vacant_fte"].fillna(0)]
    ends += [frame["planned_fte"], frame["target_fte"]]
    top = max([LEAST_TOP, *(float(value) for end in ends for value in end.dropna())])
    ends_of_vacant = vacant.set_index("pcn_code")["vacant_fte"]
    starts = {
        row["pcn_code"]: _word_start(
            float(ends_of_vacant.get(row["pcn_code"], 0)),
            [row["planned_fte"], row["target_fte"]],
            top * WORD_SHARE,
        )
        for row in frame.to_dict("records")
    }
    traces += [
        word_marks(frame[frame["in_post"] == word], word, texts, ink, starts)
        for word in (InPost.NO_WORKER, InPost.NO_RETURN)
        if (frame["in_post"] == word).any()
    ]
    return go.Figure(
        data=traces,
        layout={
            **pcn_rows(frame, layout, picked=picked),
            "barmode": "stack",
            "bargap": 0.25,
            "uniformtext": {"minsize": 9, "mode": "hide"},
            "showlegend": True,
            "xaxis": {
                **layout["xaxis"],
                "range": [0, top * 1.05],
                "zeroline": True,
                "zerolinecolor": layout["xaxis"]["linecolor"],
                "title": {"text": "FTE"},
            },
        },
    )


def pcn_rows(frame: pd.DataFrame, layout: dict[str, Any], *, picked: str) -> dict[str, Any]:
    """The layout of a figure with one row per PCN, as tall as its rows need; the key on top.

    Rows are told apart by code and read by name: two PCNs may have the same. The picked one is
    bold and framed.
    """
    codes = frame["pcn_code"].tolist()
    names = {
        code: f"<b>{short_name(name)}</b>" if code == picked else short_name(name)
        for code, name in zip(codes, frame["pcn_name"], strict=True)
    }
    row = codes.index(picked) if picked in codes else None
    frames = [] if row is None else [
        {
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y",
            "y0": row - 0.5, "y1": row + 0.5,
            "line": {"color": layout["font"]["color"], "width": 2},
        }
    ]  # fmt: skip
    return {
        **layout,
        "height": ROW_HEIGHT * len(codes) + KEY_HEIGHT + AXIS_HEIGHT,
        "margin": {"l": 0, "r": 12, "t": KEY_HEIGHT, "b": AXIS_HEIGHT},
        "legend": {
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
            "traceorder": "normal",
            "itemclick": False, "itemdoubleclick": False,
        },
        "yaxis": {
            **layout["yaxis"],
            "type": "category",
            "categoryorder": "array",
            "categoryarray": codes,
            "range": [len(codes) - 0.5, -0.5],
            "tickvals": codes,
            "ticktext": list(names.values()),
            "showgrid": False,
        },
        "shapes": frames,
        "clickmode": "event+select",
        "dragmode": False,
    }  # fmt: skip


def word_marks(
    rows: pd.DataFrame,
    word: str,
    texts: dict[str, str],
    ink: str,
    starts: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """What stands at the zero line of rows without a value: a sign and the word.

    `starts` moves it past what is drawn there, by PCN code.
    """
    codes = rows["pcn_code"].tolist()
    return {
        "unselected": {"textfont": {"color": ink}},
        "type": "scatter",
        "mode": "text",
        "x": [starts[code] if starts else 0.0 for code in codes],
        "y": codes,
        "customdata": codes,
        "text": [f"\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}{SIGNS[str(word)]} {word}"] * len(codes),
        "textposition": "middle right",
        "textfont": {"color": ink},
        "name": str(word),
        "showlegend": False,
        "hovertext": [texts[code] for code in codes],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def short_name(name: str, characters: int = NAME_CHARACTERS) -> str:
    """A name as Plotly may draw it: cut with … where it is long, its signs not read as markup."""
    short = name if len(name) <= characters else f"{name[: characters - 1].rstrip()}…"
    return plain(short)


def plain(words: str) -> str:
    """Words that Plotly draws as they are; it would read `<b>` in a name as markup."""
    return escape(words, quote=False)


def _marks(rows: pd.DataFrame, column: str, texts: dict[str, str]) -> dict[str, Any]:
    codes = rows["pcn_code"].tolist()
    return {
        **UNFADED,
        "x": rows[column].astype(float).tolist(),
        "y": codes,
        "customdata": codes,
        "orientation": "h",
        "hovertext": [texts[code] for code in codes],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _word_start(start: float, marks: Sequence[float], width: float) -> float:
    """Where words begin that would lie at `start`: after the marks they would lie on."""
    for mark in sorted(float(mark) for mark in marks if pd.notna(mark)):
        if start <= mark < start + width:
            start = mark
    return start


def _hover_text(row: dict[Any, Any]) -> str:
    lines = [f"<b>{plain(row['pcn_name'])}</b>"]
    if row["in_post"] != InPost.IN_POST:
        lines.append(row["in_post"])
    lines += [
        f"{row[column]:.1f} FTE {words}"
        for column, words in _HOVER
        if pd.notna(row[column]) and (column != "fte" or row["in_post"] == InPost.IN_POST)
    ]
    return "<br>".join(lines)
