"""The figure of a control chart: what is drawn, in which colour and shape, and what is not."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.control_chart import COLOURS, SYMBOLS, apart, control_chart
from dashboard.rules.control_chart import Colour, ControlChart, judge_series
from dashboard.style import Theme, template

FIRST = date(2026, 1, 1)
# Mean 0 and every range 3: limits at ±7.98.
STEADY = [1.5, -1.5] * 7


def judged(values: list[float], improvement: str = "high", **asked: Any) -> ControlChart:
    days = [FIRST + timedelta(days=place) for place in range(len(values))]
    return judge_series(days, values, improvement=improvement, **asked)


def drawn(chart: ControlChart, is_dark: bool = False, **asked: Any) -> dict[str, Any]:
    layout = template(Theme(is_dark))
    figure: dict[str, Any] = control_chart(
        chart, layout=layout, label="referrals", **asked
    ).to_plotly_json()
    return figure


def lines(figure: dict[str, Any]) -> list[tuple[str, list[Any], str]]:
    return [
        (trace["name"], list(trace["y"]), trace["line"]["dash"])
        for trace in figure["data"]
        if trace["mode"] == "lines"
    ]


def markers(figure: dict[str, Any]) -> list[tuple[str, str, str, list[str], list[float]]]:
    return [
        (
            trace["name"],
            trace["marker"]["color"],
            trace["marker"]["symbol"],
            list(trace["x"]),
            list(trace["y"]),
        )
        for trace in figure["data"]
        if trace["mode"] == "markers"
    ]


def names(figure: dict[str, Any]) -> list[str]:
    (trace,) = [trace for trace in figure["data"] if trace["mode"] == "text"]
    return [text.strip() for text in trace["text"]]


def test_points_by_colour_and_shape() -> None:
    baseline = FIRST + timedelta(days=13)
    figure = drawn(judged([*STEADY, -9, 9, 1], baseline_until=baseline))
    steady_days = [(FIRST + timedelta(days=place)).isoformat() for place in (*range(14), 16)]
    assert markers(figure) == [
        ("Special cause, improving", "#00B0F0", "square", ["2026-01-16"], [9]),
        ("Special cause, concerning", "#E46C0A", "diamond", ["2026-01-15"], [-9]),
        ("Common cause", "#A6A6A6", "circle", steady_days, [*STEADY, 1]),
    ]
    assert lines(figure) == [
        ("mean", [0, 0], "solid"),
        ("lower limit", [-7.98] * 2, "dash"),
        ("upper limit", [7.98] * 2, "dash"),
        ("referrals", [*STEADY, -9, 9, 1], "solid"),
    ]
    assert names(figure) == ["lower limit", "mean", "upper limit"]
    assert figure["layout"]["showlegend"] is True


def test_every_colour_has_a_shape_of_its_own() -> None:
    assert set(COLOURS) == set(SYMBOLS) == set(Colour)
    assert len(set(COLOURS.values())) == len(set(SYMBOLS.values())) == 4
    figure = drawn(judged([*STEADY, 30], "neither"))
    assert markers(figure)[0][1:3] == ("#490092", "star")


@pytest.mark.parametrize("is_dark", [False, True])
def test_markers_have_an_outline_in_the_ink(is_dark: bool) -> None:
    outlines = {
        trace["marker"]["line"]["color"]
        for trace in drawn(judged(STEADY), is_dark)["data"]
        if trace["mode"] == "markers"
    }
    assert outlines == {Theme(is_dark).ink}


def test_twelve_points_have_a_mean_a_target_and_no_judgement() -> None:
    figure = drawn(judged(STEADY[:12]), target=3, target_words="3 a day")
    assert lines(figure) == [
        ("mean", [0, 0], "solid"),
        ("target 3 a day", [3, 3], "dot"),
        ("referrals", STEADY[:12], "solid"),
    ]
    assert [mark[:3] for mark in markers(figure)] == [("Not judged", "#A6A6A6", "circle")]
    assert figure["layout"]["showlegend"] is False
    assert "annotations" not in figure["layout"]


def test_limits_step_at_a_recalculation() -> None:
    values = [*STEADY, *(100 + value for value in STEADY)]
    chart = judged(values, recalculate_from=[FIRST + timedelta(days=14)])
    means = [trace for trace in drawn(chart)["data"] if trace.get("name") == "mean"]
    assert [(list(trace["x"]), list(trace["y"])) for trace in means] == [
        (["2026-01-01", "2026-01-14"], [0, 0]),
        (["2026-01-15", "2026-01-28"], [100, 100]),
    ]


def test_other_series_lie_behind_and_are_named_at_their_end() -> None:
    extra = {"England": [(FIRST, 4.0), (FIRST + timedelta(days=13), 5.0)], "nobody": []}
    figure = drawn(judged(STEADY), extra=extra)
    first = figure["data"][0]
    assert (first["name"], list(first["x"]), list(first["y"])) == (
        "England",
        ["2026-01-01", "2026-01-14"],
        [4, 5],
    )
    assert names(figure) == ["lower limit", "mean", "England", "upper limit"]


def test_a_series_that_never_changes_keeps_its_names_apart() -> None:
    figure = drawn(judged([5] * 13))
    (trace,) = [trace for trace in figure["data"] if trace["mode"] == "text"]
    assert len(set(trace["y"])) == 3
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < 5 < high


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"))), st.integers(1, 5))
def test_names_keep_apart(named: list[tuple[float, str]], least_gap: int) -> None:
    places = apart(named, least_gap)
    assert [words for _, words in places] == [words for _, words in sorted(named)]
    heights = [height for height, _ in places]
    assert all(b - a >= least_gap for a, b in pairwise(heights))
    assert all(
        place >= height for (place, _), (height, _) in zip(places, sorted(named), strict=True)
    )


def test_months_without_a_value_are_gaps_with_a_sign() -> None:
    """Of 14 days the third is hidden, and the fifth was not returned."""
    days = [date(2026, 1, 1) + timedelta(days=place) for place in range(14)]
    gaps = {days[2]: "*", days[4]: "?"}
    known = [day for day in days if day not in gaps]
    chart = judge_series(known, [float(5 + place % 2) for place in range(12)], improvement="high")
    rows = [(day, 9.0) for day in days if day != days[2]]
    figure = drawn(chart, gaps=gaps, extra={"all": rows})
    found = {trace["name"]: trace for trace in figure["data"] if trace.get("mode") == "lines"}
    main, extra = found["referrals"], found["all"]
    assert main["x"] == [day.isoformat() for day in days]
    assert [place for place, value in enumerate(main["y"]) if value is None] == [2, 4]
    # The other series has a value on the fifth day, and none on the third.
    assert [place for place, value in enumerate(extra["y"]) if value is None] == [2]
    signs = next(trace for trace in figure["data"] if trace.get("text") == ["*", "?"])
    assert signs["x"] == [days[2].isoformat(), days[4].isoformat()]
    # At the foot of the picture.
    assert signs["y"] == [5.0, 5.0]


def test_a_series_of_nought_is_not_drawn_below_it() -> None:
    figure = drawn(judged([0.0] * 13), gaps={date(2030, 1, 1): "*"})
    heights = [y for trace in figure["data"] for y in trace["y"] if y is not None]
    assert min(heights) == 0
