"""Dots beside a band: a value that is missing or hidden is a word, never a dot at 0."""

from __future__ import annotations

import json

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.band_dots import band_dots
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

ROWS = [
    ("U5", "Castle", 180.4, "below the band"),
    ("U1", "Harbour", None, "hidden"),
    ("U2", "Meadows", None, "no worker"),
    ("U3", "Riverside", 300.0, "above the band"),
    ("U4", "Seaside", None, "no return"),
    ("U6", "Orchard", 0.0, "below the band"),
]


def drawn(rows: list[tuple[str, str, float | None, str]] = ROWS, picked: str = "") -> go.Figure:
    frame = pd.DataFrame(rows, columns=["pcn_code", "pcn_name", "pressure", "state"])
    frame["pressure"] = frame["pressure"].astype("Float64")
    return band_dots(
        Released(frame, (), PROFILES["nhs"]),
        value="pressure",
        state="state",
        low=200,
        high=250,
        label="referrals per FTE",
        colour="#005EB8",
        layout=template(Theme(is_dark=False)),
        picked=picked,
    )


def test_dots_where_the_values_are() -> None:
    dots = drawn().data[0]
    assert dict(zip(dots.customdata, dots.x, strict=True)) == {"U5": 180.4, "U3": 300, "U6": 0}
    assert list(dots.y) == list(dots.customdata)
    assert list(dots.text) == ["180", "300", "0"]


def test_the_rest_is_words_at_the_zero_line() -> None:
    words = {
        code: (x, text.strip())
        for trace in drawn().data[1:]
        for code, x, text in zip(trace.customdata, trace.x, trace.text, strict=True)
    }
    assert words == {
        "U1": (0, "* hidden"),
        "U2": (0, "✕ no worker"),
        "U4": (0, "– no return"),
    }
    assert all(trace.mode == "text" for trace in drawn().data[1:])


def test_a_number_left_behind_a_word_is_not_sent() -> None:
    figure = drawn([("U1", "Harbour", 123.0, "hidden"), ("U5", "Castle", 180.0, "below the band")])
    assert "123" not in json.dumps(figure.to_dict(), default=str)


def test_the_band_and_its_label() -> None:
    layout = drawn().layout
    (band,) = layout.shapes
    assert (band.x0, band.x1, band.y0, band.y1, band.yref) == (200, 250, 0, 1, "paper")
    assert [words.text for words in layout.annotations] == ["200 to 250"]
    assert layout.xaxis.range[1] > 300
    # With small values the band is still in the picture.
    assert drawn(ROWS[:1]).layout.xaxis.range[1] > 250


def test_order_and_the_picked_one() -> None:
    layout = drawn(picked="U2").layout
    assert list(layout.yaxis.categoryarray) == ["U5", "U1", "U2", "U3", "U4", "U6"]
    assert layout.yaxis.ticktext[2] == "<b>Meadows</b>"
    assert [(shape.y0, shape.y1) for shape in layout.shapes[1:]] == [(1.5, 2.5)]


def test_what_a_row_says_when_pointed_at() -> None:
    texts = [text for trace in drawn().data for text in trace.hovertext]
    assert texts[0] == "<b>Castle</b><br>180 referrals per FTE<br>below the band"
    assert texts[-1] == "<b>Harbour</b><br>hidden"
