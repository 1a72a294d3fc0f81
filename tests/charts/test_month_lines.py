"""Series by month: gaps stay gaps, names do not lie on one another."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.month_lines import (
    MOST_LINES,
    STYLES,
    MonthBand,
    MonthLine,
    MonthMark,
    month_lines,
    spread,
)
from dashboard.rules.take_up import months_before
from dashboard.style import Theme, template

JANUARY = date(2026, 1, 1)


def month(ahead: int) -> date:
    return months_before(JANUARY, -ahead)


def drawn(*lines: MonthLine, **more: object) -> go.Figure:
    return month_lines(
        lines,
        layout=template(Theme(is_dark=False)),
        label="FTE",
        **more,  # type: ignore[arg-type]
    )


def line(label: str, *values: float | None) -> MonthLine:
    return MonthLine(label, [month(ahead) for ahead in range(len(values))], values)


def test_a_missing_month_is_a_gap() -> None:
    (trace,) = drawn(line("in post", None, 2.0, None, 0.0, float("nan"), 3.0)).data
    assert list(trace.x) == ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"]
    assert list(trace.y) == [2, None, 0, None, 3]
    assert trace.connectgaps is False
    # A month alone between two gaps is seen by its marker.
    assert trace.mode == "lines+markers"


def test_a_month_left_out_is_a_gap_too() -> None:
    (trace,) = drawn(MonthLine("in post", [month(2), month(0)], [3.0, 1.0])).data
    assert (list(trace.x), list(trace.y)) == (
        ["2026-01-01", "2026-02-01", "2026-03-01"],
        [1, None, 3],
    )


def test_colour_is_never_alone() -> None:
    figure = drawn(*(line(f"PCN {place}", place, place) for place in range(MOST_LINES)))
    for marks in (
        [trace.line.dash for trace in figure.data],
        [trace.marker.symbol for trace in figure.data],
        [trace.line.color for trace in figure.data],
    ):
        assert len(set(marks)) == MOST_LINES == 6
    with pytest.raises(ValueError, match="at most 6 series, found 7"):
        drawn(*(line(f"PCN {place}", 1) for place in range(7)))


@pytest.mark.parametrize("is_dark", [False, True])
def test_colours_stand_out(is_dark: bool) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    page = luminance(Theme(is_dark).page)
    for colour, *_ in STYLES:
        dark, light = sorted([page, luminance(colour)])
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_names_where_the_lines_end() -> None:
    figure = drawn(line("in post", 1, 5, None), line("plan <b>", 2, 2, 2), line("no return", None))
    names = {words.text: (words.x, words.y) for words in figure.layout.annotations}
    assert names == {
        f'<span style="color:{STYLES[0][0]}">●</span> in post': ("2026-02-01", 5),
        f'<span style="color:{STYLES[1][0]}">■</span> plan &lt;b&gt;': ("2026-03-01", 2),
    }
    assert len(figure.data) == 2
    assert figure.data[1].name == "plan &lt;b&gt;"


def test_names_of_lines_that_end_together_are_parted() -> None:
    figure = drawn(*(line(f"PCN {place}", 10) for place in range(6)))
    places = [words.ay for words in figure.layout.annotations]
    assert len(set(places)) == 6
    assert sum(places) / 6 == pytest.approx(10)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=7), st.floats(0.1, 10))
def test_spread(places: list[float], apart: float) -> None:
    found = spread(places, apart)
    in_order = [new for _, new in sorted(zip(places, found, strict=True))]
    assert all(b - a >= apart - 1e-9 for a, b in pairwise(sorted(found)))
    assert in_order == pytest.approx(sorted(found))
    # Nothing moves that need not, and the whole stays where it was.
    if all(b - a >= apart for a, b in pairwise(sorted(places))):
        assert found == pytest.approx(places)
    assert sum(found) == pytest.approx(sum(places))


def test_a_range_with_its_name() -> None:
    band = MonthBand("95% range", [month(1), month(2)], [1.0, 0.0], [3.0, 40.0])
    figure = drawn(line("in post", 2), band=band)
    shaded = figure.data[0]
    assert list(shaded.x) == ["2026-02-01", "2026-03-01", "2026-03-01", "2026-02-01"]
    assert list(shaded.y) == [3, 40, 0, 1]
    assert shaded.fill == "toself"
    assert any("95% range" in words.text for words in figure.layout.annotations)
    assert figure.layout.yaxis.range[1] > 40


def test_marks_at_months() -> None:
    figure = drawn(
        line("in post", 2, 3),
        marks=[MonthMark(month(0), "last return"), MonthMark(month(5), "plan", 30)],
    )
    (upright,) = figure.layout.shapes
    assert (upright.x0, upright.x1, upright.yref) == ("2026-01-01", "2026-01-01", "paper")
    assert figure.layout.annotations[-1].text == "last return"
    point = figure.data[-1]
    assert (list(point.x), list(point.y), list(point.text)) == (["2026-06-01"], [30], ["plan"])
    assert figure.layout.yaxis.range[1] > 30
    assert figure.layout.xaxis.range[1] > "2026-06-01"


def test_nothing_known() -> None:
    figure = drawn(line("in post", None, None))
    assert (figure.data, figure.layout.annotations) == ((), ())
