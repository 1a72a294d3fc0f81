"""A share by day since referral: gaps stay gaps with a sign, and nothing is drawn after the last day."""

from __future__ import annotations

import json
from itertools import pairwise

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.day_curve import day_curve
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

# day, share, lower, upper, comparison, people hidden
ROWS: list[tuple[object, ...]] = [
    (0, 0.1, 0.05, 0.2, 0.0, False),
    (1, 0.25, 0.2, 0.3, 0.2, False),
    (2, 0.5, 0.4, 0.6, 0.3, False),
]
NUMBERS = ["share", "lower", "upper", "comparison"]


def drawn(rows: list[tuple[object, ...]] = ROWS, last_day: int = 2, **more: object) -> go.Figure:
    frame = pd.DataFrame(rows, columns=["day", *NUMBERS, "people_hidden"])
    return day_curve(
        Released(frame.astype(dict.fromkeys(NUMBERS, "Float64")), ("people",), PROFILES["nhs"]),
        name="2025/26 <b>",
        label="referrals contacted",
        last_day=last_day,
        colour="#005EB8",
        layout=template(Theme(is_dark=False)),
        **more,  # type: ignore[arg-type]
    )


def missing(day: int, *, is_hidden: bool = False) -> tuple[object, ...]:
    return (day, None, None, None, None, is_hidden)


def signs(figure: go.Figure) -> dict[int, str]:
    return dict(zip(figure.data[-1].x, figure.data[-1].text, strict=True))


def test_a_line_of_steps_with_its_band() -> None:
    band, line, _ = drawn().data
    assert (list(line.x), list(line.y)) == ([0, 1, 2], [0.1, 0.25, 0.5])
    assert (line.line.shape, line.connectgaps) == ("hv", False)
    corners = list(zip(band.x, band.y, strict=True))
    # Along the upper end, each step level until the next day, and back along the lower.
    assert corners[:5] == [(0, 0.2), (1, 0.2), (1, 0.3), (2, 0.3), (2, 0.6)]
    assert corners[5:] == [(2, 0.4), (2, 0.2), (1, 0.2), (1, 0.05), (0, 0.05), (None, None)]
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(corners[:5]))


def test_a_day_without_a_share_is_a_gap_with_a_sign() -> None:
    rows = [missing(0, is_hidden=True), missing(1, is_hidden=True), *ROWS[2:], missing(3)]
    figure = drawn(rows, last_day=6)
    band, line, _ = figure.data
    assert list(line.y) == [None, None, 0.5, None, None, None, None]
    assert signs(figure) == {1: "*", 5: "?"}
    assert list(zip(band.x, band.y, strict=True)) == [(2, 0.6), (2, 0.4), (None, None)]
    assert signs(drawn()) == {}


def test_a_share_left_without_its_interval_has_no_band() -> None:
    band, line, _ = drawn([*ROWS[:2], (2, 0.5, None, None, None, False)]).data
    assert list(line.y) == [0.1, 0.25, 0.5]
    assert max(day for day in band.x if day is not None) == 1


def test_nothing_after_the_last_day() -> None:
    figure = drawn([*ROWS, (3, 0.987, 0.9, 1.0, 0.987, False)], comparison_name="2024/25")
    assert "0.987" not in json.dumps(figure.to_dict(), default=str)
    assert figure.layout.xaxis.range == (0, 2)
    # The axis reaches the last day that was asked for, whatever there is.
    assert drawn(last_day=28).layout.xaxis.range == (0, 28)


def test_the_median_in_words() -> None:
    figure = drawn(median_day=1)
    assert [(rule.x0, rule.x1, rule.y0, rule.y1) for rule in figure.layout.shapes] == [
        (0, 1, 0.5, 0.5),
        (1, 1, 0, 0.5),
    ]
    words = figure.layout.annotations[-1]
    assert (words.x, words.xanchor, words.text) == (1, "left", "half by day 1")
    # Late, it has more room at its left.
    assert drawn(median_day=2).layout.annotations[-1].xanchor == "right"
    assert drawn().layout.shapes == ()


def test_a_reference_with_its_words() -> None:
    figure = drawn(reference=0.9, reference_words="published: <90%")
    (rule,) = figure.layout.shapes
    assert (rule.x0, rule.x1, rule.y0, rule.y1) == (0, 2, 0.9, 0.9)
    assert figure.layout.annotations[-1].text == "published: &lt;90%"


def test_a_comparison_is_dashed_and_named_at_its_end() -> None:
    figure = drawn(comparison_name="2024/25")
    _, line, other, _ = figure.data
    assert (line.line.dash, other.line.dash) == ("solid", "dash")
    assert list(other.y) == [0, 0.2, 0.3]
    names = {note.text: (note.x, note.y) for note in figure.layout.annotations}
    assert names == {
        '<span style="color:#005EB8">2025/26 &lt;b&gt;</span>': (2, 0.5),
        '<span style="color:#425563">2024/25</span>': (2, 0.3),
    }
    # Lines that end together are named apart.
    same = drawn([(0, 0.5, None, None, 0.5, False)], 0, comparison_name="2024/25")
    heights = [note.y for note in same.layout.annotations]
    assert heights[0] != heights[1]
    assert sum(heights) / 2 == pytest.approx(0.5)


def test_what_a_day_says_when_pointed_at() -> None:
    _, line, other, _ = drawn(
        [ROWS[0], missing(1), (2, 0.5, None, None, 0.3, False)], 2, comparison_name="x"
    ).data
    assert list(line.hovertext) == ["10% (5% to 20%)", "", "50%"]
    assert list(other.hovertext) == ["0%", "", "30%"]
    assert line.name == "2025/26 &lt;b&gt;"


def test_nothing_known() -> None:
    figure = drawn([missing(0, is_hidden=True)], 0)
    assert signs(figure) == {0: "*"}
    assert (figure.layout.annotations, list(figure.data[0].x)) == ((), [])
