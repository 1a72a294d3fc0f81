"""Two counts side by side: what is hidden or missing is a sign, never a bar of 0."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.twin_bars import AROUND_PIXELS, ROW_PIXELS, Side, twin_bars
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

NAMES = ["Loneliness", "Debt", "Food", "Arts & <b>"]


def drawn() -> go.Figure:
    frame = pd.DataFrame(
        {
            "name": NAMES,
            "referred": pd.array([120, None, 0, None], "Int64"),
            "referred_hidden": [False, True, False, False],
            "places": pd.array([1_030, 8, None, 0], "Int64"),
            "free": pd.array([10, 0, None, 0], "Int64"),
        }
    )
    return twin_bars(
        Released(frame, ("referred",), PROFILES["nhs"]),
        "name",
        Side("referred", "people", "#111111"),
        Side("places", "places", "#222222", "free", "free", "#333333"),
        layout=template(Theme(is_dark=False)),
    )


def test_each_side_has_its_own_axis_and_bars() -> None:
    people, _, places, free, _ = drawn().data
    assert (people.x, people.xaxis, people.marker.color) == ((120, None, 0, None), "x", "#111111")
    assert (places.x, places.xaxis, places.marker.color) == ((1030, 8, None, 0), "x2", "#222222")
    assert (free.x, free.xaxis, free.marker.color) == ((10, 0, None, 0), "x2", "#333333")
    assert (people.name, places.name, free.name) == ("people", "places", "free")
    assert tuple(people.y) == ("Loneliness", "Debt", "Food", "Arts &amp; &lt;b&gt;")


def test_numbers_stand_at_the_bars_and_signs_where_there_is_none() -> None:
    _, people, _, _, places = drawn().data
    assert [text.strip() for text in people.text] == ["120", "*", "0", "?"]
    assert [text.strip() for text in places.text] == ["1,030", "8", "?", "0"]
    assert tuple(people.x) == (120, 0, 0, 0)


def test_the_axes_hold_every_bar_and_the_picture_every_row() -> None:
    layout = drawn().layout
    assert layout.xaxis.range[1] > 120
    assert layout.xaxis2.range[1] > 1_030
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert layout.height == AROUND_PIXELS + 4 * ROW_PIXELS
    assert layout.yaxis.autorange == "reversed"
