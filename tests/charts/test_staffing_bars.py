"""FTE of PCNs as bars: what is missing is a word, never a bar of 0."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.staffing_bars import ROW_HEIGHT, short_name, staffing_bars
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.rules.staffing import judge_in_post
from dashboard.style import Theme, template

LIGHT = template(Theme(is_dark=False))
FTE = ["fte", "vacant_fte", "planned_fte", "target_fte"]
ROWS = [
    ("U3", "Castle", 2.4, 1.0, 3.0, 4.0),
    ("U1", "Harbour", 0.0, 0.5, None, 4.0),
    ("U2", "Meadows", None, 1.0, 2.0, None),
    ("U4", "Riverside", 0.5, None, None, 0.5),
    ("U5", "Castle", 0.0, 0.0, None, 0.2),
]


def released(rows: list[tuple[Any, ...]] = ROWS) -> Released:
    frame = pd.DataFrame(rows, columns=["pcn_code", "pcn_name", *FTE])
    frame = frame.astype(dict.fromkeys(FTE, "Float64"))
    frame["in_post"] = [judge_in_post(fte).value for fte in frame["fte"]]
    return Released(frame, (), PROFILES["nhs"])


def drawn(picked: str = "", layout: dict[str, Any] = LIGHT) -> go.Figure:
    return staffing_bars(released(), layout=layout, colour="#005EB8", picked=picked)


def marks(figure: go.Figure, name: str) -> dict[str, float]:
    """Where the marks of a name stand, by the code in their `customdata`."""
    (trace,) = (trace for trace in figure.data if trace.name == name)
    assert list(trace.customdata) == list(trace.y)
    return dict(zip(trace.customdata, trace.x, strict=True))


def test_each_mark_where_its_fte_is() -> None:
    figure = drawn()
    assert marks(figure, "FTE in post") == {"U3": 2.4, "U4": 0.5}
    # Vacant FTE of a PCN that did not return has nothing to follow.
    assert marks(figure, "vacant") == {"U3": 1.0, "U1": 0.5}
    assert marks(figure, "planned") == {"U3": 3.0, "U2": 2.0}
    assert marks(figure, "target") == {"U3": 4.0, "U1": 4.0, "U4": 0.5, "U5": 0.2}
    assert figure.layout.barmode == "stack"


def test_no_worker_and_no_return_are_words() -> None:
    figure = drawn()
    words = {
        code: text.strip()
        for trace in figure.data
        if trace.type == "scatter" and trace.mode == "text"
        for code, text in zip(trace.customdata, trace.text, strict=True)
    }
    assert words == {"U1": "✕ no worker", "U5": "✕ no worker", "U2": "– no return"}
    assert marks(figure, "no return") == {"U2": 0}
    # After the vacant FTE, and after a mark that the words would lie on.
    assert marks(figure, "no worker") == {"U1": 0.5, "U5": 0.2}


def test_the_first_is_on_top_and_rows_are_told_apart_by_code() -> None:
    axis = drawn().layout.yaxis
    assert list(axis.categoryarray) == ["U3", "U1", "U2", "U4", "U5"]
    assert list(axis.ticktext) == ["Castle", "Harbour", "Meadows", "Riverside", "Castle"]
    assert axis.range == (4.5, -0.5)
    assert axis.range[0] > axis.range[1]


def test_the_picked_one_is_bold_and_framed() -> None:
    assert (drawn().layout.shapes, drawn("U9").layout.shapes) == ((), ())
    figure = drawn("U2")
    (frame,) = figure.layout.shapes
    assert (frame.y0, frame.y1) == (1.5, 2.5)
    assert [text for text in figure.layout.yaxis.ticktext if "<b>" in text] == ["<b>Meadows</b>"]


def test_as_tall_as_its_rows() -> None:
    few, many = (
        staffing_bars(
            released([(f"U{place}", "Castle", 1, 0, 1, 1) for place in range(rows)]),
            layout=LIGHT,
            colour="#005EB8",
        ).layout.height
        for rows in (1, 60)
    )
    assert many - few == 59 * ROW_HEIGHT


def test_what_a_row_says_when_pointed_at() -> None:
    texts = {
        code: text
        for trace in drawn().data
        for code, text in zip(trace.customdata, trace.hovertext, strict=True)
    }
    assert texts == {
        "U3": "<b>Castle</b><br>2.4 FTE in post<br>1.0 FTE vacant<br>3.0 FTE planned"
        "<br>4.0 FTE target",
        "U1": "<b>Harbour</b><br>no worker<br>0.5 FTE vacant<br>4.0 FTE target",
        "U2": "<b>Meadows</b><br>no return<br>1.0 FTE vacant<br>2.0 FTE planned",
        "U4": "<b>Riverside</b><br>0.5 FTE in post<br>0.5 FTE target",
        "U5": "<b>Castle</b><br>no worker<br>0.0 FTE vacant<br>0.2 FTE target",
    }


def test_picking_one_does_not_fade_the_others() -> None:
    for trace in drawn("U3").data:
        if trace.type == "scatter" and trace.mode == "text":
            assert trace.unselected.textfont.color == trace.textfont.color == "#10181D"
        else:
            assert trace.unselected.marker.opacity == 1


def test_names_are_cut_and_not_read_as_markup() -> None:
    assert short_name("A" * 28) == "A" * 28
    assert short_name("A" * 29) == "A" * 27 + "…"
    assert short_name("<b>R&D</b>") == "&lt;b&gt;R&amp;D&lt;/b&gt;"
    # A sign is never cut in two.
    assert short_name("A" * 26 + "&" + "B" * 9) == "A" * 26 + "&amp;…"


@pytest.mark.parametrize("is_dark", [False, True])
def test_marks_stand_out_from_the_bars(is_dark: bool) -> None:
    theme = Theme(is_dark)
    figure = drawn(layout=template(theme))
    under, target = figure.data[2:4]
    assert under.marker.symbol == target.marker.symbol == "line-ns"
    assert (under.marker.line.color, target.marker.line.color) == (theme.page, theme.ink)
    assert under.marker.line.width > target.marker.line.width
    assert not under.showlegend


def test_nothing_to_draw() -> None:
    figure = staffing_bars(released([]), layout=LIGHT, colour="#005EB8")
    assert [len(trace.x) for trace in figure.data] == [0] * 5
    assert figure.layout.xaxis.range == (0, 1.05)
