"""Scores before and after: a hidden count is a star, a missing one a question mark, 0 is nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.before_after import PLACES, WIDTH, before_after
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

BEFORE, AFTER = PLACES["before"], PLACES["after"]
# label, before, before hidden, after, after hidden
ROWS: list[tuple[object, ...]] = [
    ("Low (0 to 4)", 1_040, False, 15, False),
    ("Medium (5 to 6)", None, True, 0, False),
    ("High <b>", None, False, None, True),
]


def drawn(rows: Sequence[tuple[object, ...]] = ROWS) -> go.Figure:
    frame = pd.DataFrame(
        rows, columns=["label", "before", "before_hidden", "after", "after_hidden"]
    )
    return before_after(
        Released(
            frame.astype({"before": "Int64", "after": "Int64"}),
            ("before", "after"),
            PROFILES["nhs"],
        ),
        label="life satisfaction",
        colour="#005EB8",
        layout=template(Theme(is_dark=False)),
    )


def at(trace: go.Scatter, values: str) -> dict[float, object]:
    return dict(zip(trace.x, trace[values], strict=True))


def test_bars_side_by_side() -> None:
    before, _, after, _ = drawn().data
    assert at(before, "y") == {0 + BEFORE: 1_040}
    # A count of 0 is nothing, not even an outline.
    assert at(after, "y") == {0 + AFTER: 15}
    assert AFTER - BEFORE > WIDTH
    assert 2 * (AFTER + WIDTH / 2) < 1


def test_before_and_after_differ_without_colour() -> None:
    before, _, after, _ = drawn().data
    assert [(bars.name, bars.marker.pattern.shape) for bars in (before, after)] == [
        ("before", "/"),
        ("after", None),
    ]
    assert drawn().layout.showlegend is True


def test_signs_at_the_foot() -> None:
    _, before, _, after = drawn().data
    assert at(before, "text") == {1 + BEFORE: "*", 2 + BEFORE: "?"}
    assert at(after, "text") == {2 + AFTER: "*"}
    assert (set(before.y), set(after.y)) == ({0}, {0})


def test_a_number_left_behind_a_sign_is_not_sent() -> None:
    figure = drawn([("Low", 123, True, 15, False)])
    assert "123" not in json.dumps(figure.to_dict(), default=str)
    assert figure.layout.yaxis.range == pytest.approx((0, 15 * 1.05))


def test_what_a_bar_says_when_pointed_at() -> None:
    before, _, after, _ = drawn([*ROWS[:1], ("High <b>", 20, False, 0, False)]).data
    assert list(before.hovertext)[1] == "<b>High &lt;b&gt;</b><br>before: 20 people"
    assert list(after.hovertext) == [
        "<b>Low (0\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}4)</b><br>after: 15 people"
    ]
    assert before.hovertext[0].endswith("before: 1,040 people")


def test_long_names_are_broken_but_no_range_is() -> None:
    four = drawn([(f"{name} (9 to 10)", 10, False, 10, False) for name in ("Low", "Very high")] * 2)
    assert four.layout.xaxis.ticktext[:2] == (
        "Low<br>(9\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}10)",
        "Very high<br>(9\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}10)",
    )
    assert drawn([("High <b>", 10, False, 10, False)]).layout.xaxis.ticktext == ("High &lt;b&gt;",)
    assert (four.layout.xaxis.tickvals, four.layout.xaxis.range) == ((0, 1, 2, 3), (-0.5, 3.5))


def test_nothing_to_draw() -> None:
    assert [list(trace.x) for trace in drawn([]).data] == [[]] * 4
