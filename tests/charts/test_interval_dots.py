"""Values with their intervals: one that is not shown is a word, never a dot, and sends nothing."""

from __future__ import annotations

import json

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.interval_dots import interval_dots
from dashboard.charts.staffing_bars import ROW_HEIGHT
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

# code, name, value, lower, upper, state
ROWS: list[tuple[object, ...]] = [
    ("a", "18 to 34", 0.5, 0.4, 0.625, ""),
    ("b", "Asian", None, None, None, "hidden"),
    ("c", "Same <b>", 0.75, None, None, None),
    ("d", "Same <b>", None, None, None, "too few"),
    ("e", "not stated", None, None, None, "not recorded"),
    ("f", "other", 0.0, 0.0, 0.25, ""),
    ("g", "nobody said", None, None, None, ""),
]


def drawn(rows: list[tuple[object, ...]] = ROWS, **more: object) -> go.Figure:
    frame = pd.DataFrame(rows, columns=["code", "name", "value", "lower", "upper", "state"])
    given: dict[str, object] = {"label": "contacted", "is_share": True, "key": "code", **more}
    return interval_dots(
        Released(frame.astype(dict.fromkeys(["value", "lower", "upper"], "Float64")), (), PROFILES["nhs"]),
        colour="#005EB8",
        layout=template(Theme(is_dark=False)),
        **given,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_dot_with_its_whisker() -> None:
    dots = drawn().data[0]
    assert dict(zip(dots.customdata, dots.x, strict=True)) == {"a": 0.5, "c": 0.75, "f": 0}
    assert list(dots.y) == list(dots.customdata)
    assert list(dots.error_x.array) == [0.125, 0, 0.25]
    assert list(dots.error_x.arrayminus) == pytest.approx([0.1, 0, 0])
    assert dots.unselected.marker.opacity == 1


def test_numbers_in_a_column_at_the_end() -> None:
    figure = drawn()
    numbers = figure.data[1]
    assert [text.strip() for text in numbers.text] == ["50%", "75%", "0%"]
    assert set(numbers.x) == {figure.layout.xaxis.range[1]}


def test_words_where_there_is_no_value() -> None:
    words = drawn().data[2]
    assert {
        code: (x, text.strip())
        for code, x, text in zip(words.customdata, words.x, words.text, strict=True)
    } == {
        "b": (0, "* hidden"),
        "d": (0, "too few"),
        "e": (0, "not recorded"),
        "g": (0, "?"),
    }


@pytest.mark.parametrize("state", ["hidden", "too few"])
def test_a_number_left_behind_a_word_is_not_sent(state: str) -> None:
    figure = drawn([("a", "Asian", 12.3, 45.6, 78.9, state), ROWS[0]])
    sent = json.dumps(figure.to_dict(), default=str)
    assert [number for number in ("12.3", "45.6", "78.9") if number in sent] == []
    assert figure.layout.xaxis.range == pytest.approx((0, 0.625 * 1.08))


def test_what_a_row_says_when_pointed_at() -> None:
    dots, _, words = drawn().data
    assert list(dots.hovertext) == [
        "<b>18 to 34</b><br>50% (40% to 62%) contacted",
        "<b>Same &lt;b&gt;</b><br>75% contacted",
        "<b>other</b><br>0% (0% to 25%) contacted",
    ]
    assert words.hovertext[1] == "<b>Same &lt;b&gt;</b>"


def test_the_whole_cohort_is_a_line_through_the_rows_with_a_value() -> None:
    figure = drawn(reference=0.6, reference_words="all <b>")
    assert [(line.x0, line.x1, line.y0, line.y1) for line in figure.layout.shapes] == [
        (0.6, 0.6, -0.5, 0.5),
        (0.6, 0.6, 1.5, 2.5),
        (0.6, 0.6, 4.5, 5.5),
    ]
    (words,) = figure.layout.annotations
    assert (words.x, words.text) == (0.6, "all &lt;b&gt; 60%")
    # A cohort beyond every group is in the picture; near the ends of the axis words run inwards.
    beyond = drawn(reference=0.9)
    assert beyond.layout.xaxis.range[1] > 0.9
    assert [
        drawn(reference=at).layout.annotations[0].xanchor for at in (0.1, 0.4, 0.9)
    ] == ["left", "center", "right"]  # fmt: skip
    assert (drawn().layout.shapes, drawn().layout.annotations) == ((), ())


def test_numbers_may_be_negative() -> None:
    rows: list[tuple[object, ...]] = [
        ("a", "women", -1.25, -2.0, -0.5, ""),
        ("b", "men", -0.5, -1.0, 0.0, ""),
    ]
    figure = drawn(rows, is_share=False, decimals=1, label="change in score")
    assert [text.strip() for text in figure.data[1].text] == ["-1.2", "-0.5"]
    assert figure.data[0].hovertext[0] == "<b>women</b><br>-1.2 (-2.0 to -0.5) change in score"
    assert figure.layout.xaxis.range == pytest.approx((-2.16, 0))
    assert (figure.layout.xaxis.tickformat, drawn().layout.xaxis.tickformat) == (",.1f", ",.0%")


def test_rows_in_order_and_the_picked_one() -> None:
    layout = drawn(picked="c").layout
    assert list(layout.yaxis.categoryarray) == list("abcdefg")
    # Two with one name stay two rows.
    assert layout.yaxis.ticktext[2:4] == ("<b>Same &lt;b&gt;</b>", "Same &lt;b&gt;")
    assert [(frame.y0, frame.y1) for frame in layout.shapes] == [(1.5, 2.5)]
    by_name = drawn(ROWS[:2], key="name")
    assert list(by_name.data[0].customdata) == ["18 to 34"]


def test_long_names_take_two_lines_and_rows_their_height() -> None:
    long = ("a", "Most deprived fifth of all neighbourhoods", 0.5, None, None, "")
    layout = drawn([long]).layout
    assert layout.yaxis.ticktext == ("Most deprived<br>fifth of all…",)
    assert layout.height - drawn(ROWS[:1]).layout.height == 2 * 20 - ROW_HEIGHT
    assert drawn(label="referrals contacted within 14 days").layout.xaxis.title.text == (
        "referrals contacted<br>within 14 days"
    )


def test_nothing_to_draw() -> None:
    for rows in (ROWS[1:2], []):
        figure = drawn(rows)
        assert list(figure.data[0].x) == []
        assert figure.layout.xaxis.range == (0, 1)
