"""Rates in a funnel: shapes by place, limits named, nobody drawn at 0 for want of a return."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.funnel_plot import NAME_CHARACTERS, SYMBOLS, funnel_plot
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.rules.staffing import FunnelPlace
from dashboard.style import Theme, template

LIMITS = pd.DataFrame(
    {
        "people": [10_000.0, 30_000.0, 50_000.0],
        "lower_95": [0.0, 0.2, 0.3],
        "upper_95": [1.4, 1.0, 0.8],
        "lower_998": [0.0, 0.1, 0.2],
        "upper_998": [9.9, 1.3, 1.0],
    }
)
INSIDE, OUTSIDE_95, OUTSIDE_998 = FunnelPlace
ROWS = [
    ("U1", "Castle", 30_000, 0.5, INSIDE),
    ("U2", "Harbour", 40_000, 1.05, OUTSIDE_95),
    ("U3", "Meadows", 45_000, 0.0, OUTSIDE_998),
    ("U4", "Riverside", 40_000, None, None),
    ("U5", "Seaside", None, 0.5, None),
]


def drawn(rows: Sequence[tuple[object, ...]] = ROWS, picked: str = "") -> go.Figure:
    frame = pd.DataFrame(rows, columns=["pcn_code", "pcn_name", "people", "rate", "place"])
    frame = frame.astype({"people": "Int64", "rate": "Float64", "place": "object"})
    return funnel_plot(
        Released(frame, (), PROFILES["nhs"]),
        people="people",
        rate="rate",
        place="place",
        limits=LIMITS,
        centre=0.5,
        people_label="registered patients",
        label="FTE per 10,000",
        colour="#005EB8",
        layout=template(Theme(is_dark=False)),
        picked=picked,
    )


def names(figure: go.Figure) -> list[str]:
    """The names of PCNs, without those of the lines."""
    return [words.text for words in figure.layout.annotations if words.xref != "paper"]


def test_shapes_by_place() -> None:
    points = {
        (code, x, y): (trace.name, trace.marker.symbol)
        for trace in drawn().data
        if trace.customdata is not None
        for code, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    assert points == {
        ("U1", 30_000, 0.5): ("inside the 95% limits", "circle-open"),
        ("U2", 40_000, 1.05): ("outside the 95% limits", "diamond"),
        ("U3", 45_000, 0): ("outside the 99.8% limits", "square"),
    }
    assert len(set(SYMBOLS.values())) == len(FunnelPlace)


def test_limits_are_drawn_and_named_at_their_ends() -> None:
    figure = drawn()
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [(list(line.y), line.line.dash) for line in lines] == [
        ([0, 0.2, 0.3], "solid"),
        ([1.4, 1.0, 0.8], "solid"),
        ([0, 0.1, 0.2], "dash"),
        ([9.9, 1.3, 1.0], "dash"),
    ]
    ends = sorted(
        (words.y, words.text) for words in figure.layout.annotations if words.xref == "paper"
    )
    assert [text for _, text in ends] == ["99.8%", "95%", "overall 0.50", "95%", "99.8%"]
    (centre,) = figure.layout.shapes
    assert (centre.y0, centre.y1) == (0.5, 0.5)


def test_the_picture_ends_where_the_pcns_do() -> None:
    """The limits at 10,000 people, where no PCN is, would squeeze all the others."""
    top = drawn().layout.yaxis.range[1]
    assert 1.3 < top < 2
    assert drawn([("U1", "Castle", 30_000, 3.0, OUTSIDE_998)]).layout.yaxis.range[1] > 3


def test_those_outside_are_named_and_the_picked_one() -> None:
    assert sorted(names(drawn())) == ["Harbour", "Meadows"]
    figure = drawn(picked="U1")
    assert sorted(names(figure)) == ["<b>Castle</b>", "Harbour", "Meadows"]
    ring = figure.data[-1]
    assert (list(ring.x), list(ring.y), ring.marker.line.width > 2) == ([30_000], [0.5], True)
    # One that is not drawn can be picked all the same.
    assert sorted(names(drawn(picked="U4"))) == ["Harbour", "Meadows"]


def test_names_do_not_lie_on_one_another() -> None:
    crowd = [(f"U{place}", "Harbour", 40_000 + place, 1.05, OUTSIDE_95) for place in range(9)]
    assert names(drawn(crowd)) == ["Harbour"]
    assert names(drawn(crowd, picked="U3")) == ["<b>Harbour</b>"]
    apart = [(f"U{place}", "Harbour", 40_000, 0.2 * place, OUTSIDE_95) for place in range(5)]
    assert names(drawn(apart)) == ["Harbour"] * 5


def test_long_names_are_cut_and_whole_when_pointed_at() -> None:
    figure = drawn([("U1", "B" * 50 + "<i>", 40_000, 1.05, OUTSIDE_95)])
    assert names(figure) == ["B" * (NAME_CHARACTERS - 1) + "…"]
    assert [trace.hovertext for trace in figure.data if trace.hovertext] == [
        ("B" * 50 + "&lt;i&gt;",)
    ]


def test_nobody_to_draw() -> None:
    figure = drawn(ROWS[3:])
    assert [trace.mode for trace in figure.data] == ["lines"] * 4
