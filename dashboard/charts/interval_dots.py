"""A value of each group as a dot with its 95% interval; a group without a value says why in words."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.charts.staffing_bars import (
    AXIS_HEIGHT,
    KEY_HEIGHT,
    NOTHING,
    ROW_HEIGHT,
    UNFADED,
    pcn_rows,
    plain,
)
from dashboard.charts.twin_bars import MISSING_MARK
from dashboard.rules.disclosure import HIDDEN_MARK, Released

HIDDEN = "hidden"
# Room at the right for the numbers.
RIGHT = 60
# On a phone the names leave little to the axis: they and its title are broken into lines.
NAME_CHARACTERS, LABEL_CHARACTERS = 18, 22
ROW_LINE, AXIS_LINE = 20, 21
# Nearer to an end of the axis than this share of it, the words of the reference run inwards.
NEAR_END = 0.3


def interval_dots(
    released: Released,
    *,
    label: str,
    colour: str,
    layout: dict[str, Any],
    is_share: bool = False,
    decimals: int = 0,
    reference: float | None = None,
    reference_words: str = "all",
    key: str = "name",
    picked: str = "",
) -> go.Figure:
    """A Plotly figure of groups in the order given, the first on top.

    Columns: name; value, lower and upper (0 to 1 where `is_share`, written as percent); state,
    empty where the value may be seen, else the word written instead of it; `key`, which tells the
    rows apart and is what a pick gives. `reference` is the value of the whole cohort.
    """
    frame = released.frame
    frame = frame.assign(pcn_code=frame[key].astype(str), pcn_name=frame["name"].astype(str))
    form = f",.{decimals}{'%' if is_share else 'f'}"
    is_known = (frame["state"].fillna("") == "") & frame["value"].notna()
    known, unknown = frame[is_known], frame[~is_known]
    values = known["value"].astype(float)
    # Without an interval there is no whisker.
    lowers, uppers = (known[end].astype(float).fillna(values) for end in ("lower", "upper"))
    numbers = [0.0, *lowers, *uppers, *([] if reference is None else [reference])]
    low, high = 1.08 * min(numbers), 1.08 * max(numbers)
    high = high if high > low else low + 1
    ink = layout["font"]["color"]
    traces: list[dict[str, Any]] = [
        {
            **UNFADED,
            "type": "scatter",
            "mode": "markers",
            "x": values.tolist(),
            "y": known["pcn_code"].tolist(),
            "customdata": known["pcn_code"].tolist(),
            "error_x": {
                "type": "data", "symmetric": False, "color": colour, "thickness": 2, "width": 5,
                "array": (uppers - values).tolist(), "arrayminus": (values - lowers).tolist(),
            },
            "marker": {"color": colour, "size": 11},
            "hovertext": [_hover(row, form, label) for row in known.to_dict("records")],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "cliponaxis": False,
        },
        # The numbers stand in a column, where no line crosses them.
        _texts(known, high, [f"{value:{form}}" for value in values], ink),
        _texts(unknown, 0.0, [_word(state) for state in unknown["state"]], ink),
    ]  # fmt: skip
    names = {
        code: wrap(name, NAME_CHARACTERS, max_lines=2, placeholder="…")
        for code, name in zip(frame["pcn_code"], frame["pcn_name"], strict=True)
    }
    row_height = max([ROW_HEIGHT, *(ROW_LINE * len(lines) for lines in names.values())])
    axis = wrap(label, LABEL_CHARACTERS)
    bottom = AXIS_HEIGHT + AXIS_LINE * (len(axis) - 1)
    rows = pcn_rows(frame, layout, picked=picked)
    return go.Figure(
        data=traces,
        layout={
            **rows,
            "height": KEY_HEIGHT + row_height * len(frame) + bottom,
            "margin": {"l": 0, "r": RIGHT, "t": KEY_HEIGHT, "b": bottom},
            "xaxis": {
                **layout["xaxis"],
                "range": [low, high],
                "tickformat": f",.{0 if is_share else decimals}{form[-1]}",
                "nticks": 5,
                "zeroline": True,
                "zerolinecolor": layout["xaxis"]["linecolor"],
                "title": {"text": "<br>".join(map(plain, axis)), "standoff": TITLE_GAP},
            },
            "yaxis": {
                **rows["yaxis"],
                # A dot at the end of the axis does not touch its name.
                "ticks": "outside",
                "ticklen": 8,
                "tickcolor": NOTHING,
                "ticktext": [_name(lines, code == picked) for code, lines in names.items()],
            },
            "shapes": [
                *([] if reference is None else _reference_line(is_known.tolist(), reference, ink)),
                *rows["shapes"],
            ],
            "annotations": [] if reference is None else [
                {
                    "x": reference, "y": 1, "yref": "paper", "yanchor": "bottom",
                    "xanchor": _anchor((reference - low) / (high - low)),
                    "text": f"{plain(reference_words)} {reference:{form}}", "showarrow": False,
                }
            ],
        },
    )  # fmt: skip


def _texts(rows: pd.DataFrame, x: float, texts: list[str], ink: str) -> dict[str, Any]:
    codes = rows["pcn_code"].tolist()
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x] * len(codes),
        "y": codes,
        "customdata": codes,
        "text": [f"\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}{text}" for text in texts],
        "textposition": "middle right",
        "textfont": {"color": ink},
        # Picking one must not fade the words of the others.
        "unselected": {"textfont": {"color": ink}},
        "hovertext": [f"<b>{plain(name)}</b>" for name in rows["pcn_name"]],
        "hovertemplate": "%{hovertext}<br>%{text}<extra></extra>",
        "cliponaxis": False,
    }


def _word(state: Any) -> str:
    if pd.isna(state) or not state:
        return MISSING_MARK
    return f"{HIDDEN_MARK} {HIDDEN}" if state == HIDDEN else plain(str(state))


def _name(lines: list[str], is_picked: bool) -> str:
    words = "<br>".join(map(plain, lines))
    return f"<b>{words}</b>" if is_picked else words


def _hover(row: dict[Any, Any], form: str, label: str) -> str:
    ends = "" if pd.isna([row["lower"], row["upper"]]).any() else (
        f" ({row['lower']:{form}} to {row['upper']:{form}})"
    )  # fmt: skip
    return f"<b>{plain(row['pcn_name'])}</b><br>{row['value']:{form}}{ends} {plain(label)}"


def _reference_line(is_known: list[bool], x: float, ink: str) -> list[dict[str, Any]]:
    """A line through the rows with a value: it would strike the words of the others out."""
    return [
        {
            "type": "line", "layer": "below", "x0": x, "x1": x, "y0": row - 0.5, "y1": row + 0.5,
            "line": {"color": ink, "width": 1.5},
        }
        for row, known in enumerate(is_known)
        if known
    ]  # fmt: skip


def _anchor(share: float) -> str:
    """Words near an end of the axis run inwards."""
    return "left" if share < NEAR_END else "right" if share > 1 - NEAR_END else "center"
