"""Notes pinned to days of a chart."""

from __future__ import annotations

from datetime import date, timedelta

import plotly.graph_objects as go
import pytest

from dashboard.charts.pinned import MOST, with_notes, within

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 1)


def figure() -> go.Figure:
    return go.Figure(
        data=[
            {"type": "scatter", "x": ["2026-01-01", "2026-06-01"], "y": [1, 2]},
            # The words at the end of a line stand at its last day.
            {"type": "scatter", "mode": "text", "x": ["2026-06-01"], "y": [2], "text": ["mean"]},
        ],
        layout={"margin": {"t": 0, "r": 110}},
    )


def test_days_on_the_chart_oldest_first_each_once() -> None:
    before, after = FIRST - timedelta(days=1), LAST + timedelta(days=1)
    assert within(figure(), [LAST, after, FIRST, before, LAST]) == [FIRST, LAST]


def test_a_chart_without_points_has_no_days() -> None:
    assert within(go.Figure(), [FIRST]) == []


def test_the_newest_have_letters() -> None:
    days = [FIRST + timedelta(days=n) for n in range(MOST + 2)]
    assert within(figure(), days) == days[2:]


def test_a_line_and_a_letter_at_each_day() -> None:
    bare = figure()
    marked = with_notes(bare, [FIRST, date(2026, 3, 4)], ink="#10181D")
    assert [(s.x0, s.x1, s.line.color, s.line.dash) for s in marked.layout.shapes] == [
        ("2026-01-01", "2026-01-01", "#10181D", "dot"),
        ("2026-03-04", "2026-03-04", "#10181D", "dot"),
    ]
    assert [(a.x, a.text) for a in marked.layout.annotations] == [
        ("2026-01-01", "<b>A</b>"),
        ("2026-03-04", "<b>B</b>"),
    ]
    assert (marked.layout.margin.t, marked.layout.margin.r) == (22, 110)
    # The chart is kept for everybody: what one board pins must not stay on it.
    assert bare.to_dict() == figure().to_dict()


@pytest.mark.parametrize(("top", "room"), [(40, 40), (None, 22)])
def test_room_for_the_letters(top: int | None, room: int) -> None:
    bare = figure().update_layout(margin={"t": top})
    assert with_notes(bare, [FIRST], ink="#000").layout.margin.t == room
