"""Rows with a bar each: below 0 to the other side, and room for the words at the ends."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.row_bars import LEAST_HEIGHT, ROW_HEIGHT, WORDS_SHARE, row_bars
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

LOSS, GAIN = "#005EB8", "#768692"
ROWS: list[tuple[str, float | None, str]] = [
    ("not offered", 20.0, "20 people"),
    ("no service", None, "not told"),
    ("declined", 0.0, "0 people"),
    ("not reached", -5.0, "-5 people"),
]


def drawn(rows: list[tuple[str, float | None, str]] = ROWS) -> go.Figure:
    frame = pd.DataFrame(rows, columns=["name", "value", "text"]).astype({"value": "Float64"})
    return row_bars(
        Released(frame, (), PROFILES["nhs"]),
        name="name",
        value="value",
        text="text",
        label="people lost",
        colour=LOSS,
        below_colour=GAIN,
        layout=template(Theme(is_dark=False)),
    )


def test_one_bar_a_row_the_first_on_top() -> None:
    bars, words = drawn().data
    # Plotly draws from below.
    assert list(bars.y) == ["not reached", "declined", "no service", "not offered"]
    assert list(bars.x) == [-5, 0, None, 20]
    assert list(words.text) == ["-5 people", "0 people", "not told", "20 people"]
    # At the end of each bar, or at 0: on no name.
    assert list(words.x) == [0, 0, 0, 20]
    assert words.textposition == "middle right"
    assert bars.orientation == "h"


def test_what_is_gained_has_another_colour() -> None:
    bars, _ = drawn().data
    assert list(bars.marker.color) == [GAIN, LOSS, LOSS, LOSS]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ((20.0, -5.0), -5, 20 + 25 * WORDS_SHARE),
        ((20.0, 5.0), 0, 20 + 20 * WORDS_SHARE),
        ((-20.0, -5.0), -20, 20 * WORDS_SHARE),
        ((0.0, None), 0, WORDS_SHARE),
        ((None, None), 0, WORDS_SHARE),
    ],
)
def test_room_for_the_words_at_the_ends(
    values: tuple[float | None, ...], low: float, high: float
) -> None:
    figure = drawn([(f"row {n}", value, "") for n, value in enumerate(values)])
    assert figure.layout.xaxis.range == pytest.approx((low, high))
    assert figure.layout.xaxis.title.text == "people lost"
    assert figure.layout.xaxis.zeroline


def test_rows_take_their_height_and_one_is_not_flat() -> None:
    assert drawn([*ROWS, *ROWS]).layout.height - drawn().layout.height == 4 * ROW_HEIGHT
    assert drawn(ROWS[:1]).layout.height == drawn([]).layout.height == LEAST_HEIGHT


def test_nothing_to_draw() -> None:
    figure = drawn([])
    assert list(figure.data[0].x) == []
    assert figure.layout.xaxis.range == (0, WORDS_SHARE)
