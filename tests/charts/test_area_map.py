"""A map of areas: places as points, areas with a line around them, and what lies over what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboard.charts.area_map import (
    BLACK,
    HATCHED,
    LEAST_HEIGHT,
    MOST_HEIGHT,
    PICKED,
    RING,
    STARRED,
    WHITE,
    AreaGroup,
    AreaMark,
    PointGroup,
    area_map,
)

AREAS = (AreaGroup("served", "#9DC3E6", ["E1", "E2"]), AreaGroup("none", "#5B1A2E", ["E3"]))
ROOM = PointGroup(
    "has room", "circle", "#003087", [1.01, 1.03], [51.01, 51.02], ["Garden", "Choir"], ["g", "c"]
)
FULL = PointGroup("full", "square", "#8A3A00", [1.05], [51.03], ["Advice"], ["a"])
KENT = (0.0, 51.0, 1.5, 51.5)


def drawn(*groups: AreaGroup, bounds: tuple[float, float, float, float] = KENT, **how: Any) -> Any:
    return area_map(
        groups or AREAS,
        shapes_url="/geo/shapes.json",
        hatching_url="/geo/hatching.json",
        bounds=bounds,
        layout={"font": {"size": 14}, "xaxis": {"visible": True}, "yaxis": {"visible": True}},
        **how,
    )


def places(figure: Any) -> dict[str, tuple[Any, ...]]:
    """By key: where a point stands, its name, its group, its symbol and its colour."""
    return {
        key: (lon, lat, name, trace.name, trace.marker.symbol, trace.marker.color)
        for trace in figure.data
        if trace.customdata is not None
        for key, lon, lat, name in zip(
            trace.customdata, trace.lon, trace.lat, trace.text, strict=True
        )
    }


def lines(figure: Any) -> list[tuple[tuple[str, ...], str, float]]:
    """The areas with a line around them, its colour and width, the lowest first."""
    return [
        (tuple(trace.locations), trace.marker.line.color, trace.marker.line.width)
        for trace in figure.data
        if trace.type == "choropleth" and trace.name is None and trace.geojson is None
    ]


def test_each_place_is_a_point_with_its_key() -> None:
    assert places(drawn(points=(ROOM, FULL))) == {
        "g": (1.01, 51.01, "Garden", "has room", "circle", "#003087"),
        "c": (1.03, 51.02, "Choir", "has room", "circle", "#003087"),
        "a": (1.05, 51.03, "Advice", "full", "square", "#8A3A00"),
    }


def test_places_lie_over_everything_else() -> None:
    figure = drawn(
        points=(ROOM, FULL), outlined=["E1"], picked="E3", marks=(AreaMark("", RING, ["E2"]),)
    )
    is_place = [trace.customdata is not None for trace in figure.data]
    assert is_place == sorted(is_place)
    assert sum(is_place) == 2


def test_a_group_without_a_place_is_not_drawn() -> None:
    nobody = PointGroup("stale", "diamond", "#425563", [], [], [], [])
    assert places(drawn(points=(nobody,))) == {}
    assert [trace.name for trace in drawn(points=(nobody, FULL)).data] == ["served", "none", "full"]


def test_a_place_says_its_name_and_how_it_stands() -> None:
    (points,) = drawn(points=(FULL,)).data[-1:]
    assert points.hovertemplate == "<b>%{text}</b><br>%{fullData.name}<extra></extra>"
    # By degrees, not by the code of an area.
    assert (points.mode, points.locations) == ("markers", None)


@pytest.mark.parametrize("name", ["<b>x</b> [a](b)", "<script>1</script>", "a < b & c"])
def test_a_name_is_text(name: str) -> None:
    """Plotly reads a little HTML."""
    (points,) = drawn(
        points=(PointGroup("full", "square", "#8A3A00", [1], [51], [name], ["a"]),)
    ).data[-1:]
    assert list(points.text) == [
        name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    ]


def test_outlined_areas_have_a_dark_line_on_a_light_one() -> None:
    # Both sides of each: seen on dark areas and on pale ones.
    assert lines(drawn(outlined=["E1", "E3"])) == [
        (("E1", "E3"), WHITE, 4), (("E1", "E3"), BLACK, 2),
    ]  # fmt: skip
    assert lines(drawn()) == []


def test_the_picked_area_stands_out_of_the_outlined() -> None:
    assert lines(drawn(outlined=["E1", "E2"], picked="E2"))[2:] == [
        (("E2",), BLACK, 6), (("E2",), PICKED, 3),
    ]  # fmt: skip
    assert len(lines(drawn(picked="E2"))) == 2


def test_a_line_has_no_colour_inside_and_says_nothing() -> None:
    for trace in drawn(outlined=["E1"], picked="E1").data[2:]:
        assert {colour for _, colour in trace.colorscale} == {"rgba(0,0,0,0)"}
        assert trace.hoverinfo == "skip"


def test_without_places_and_lines_there_are_the_areas_alone() -> None:
    figure = drawn()
    assert [(trace.name, list(trace.locations)) for trace in figure.data] == [
        ("served", ["E1", "E2"]), ("none", ["E3"]),
    ]  # fmt: skip
    assert drawn(AreaGroup("served", "#9DC3E6", [])).data == ()


def test_textures_lie_over_their_areas() -> None:
    figure = drawn(
        AreaGroup("no return", "#FFFFFF", ["E1"], texture=HATCHED),
        AreaGroup("hidden", "#BFC5CA", ["E2"], texture=STARRED),
        points=(FULL,),
    )
    assert [(trace.type, trace.geojson) for trace in figure.data] == [
        ("choropleth", None),
        ("choropleth", None),
        ("choropleth", "/geo/hatching.json"),
        ("scattergeo", None),
        ("scattergeo", None),
    ]
    assert figure.data[3].marker.symbol == "asterisk-open"


def test_the_shapes_are_fetched_and_nothing_else_is() -> None:
    words = json.dumps(drawn(points=(ROOM,)).to_dict(), default=list)
    assert words.count("/geo/shapes.json") == 2
    assert "http" not in words
    layout = drawn().layout
    assert (layout.geo.visible, layout.xaxis.visible, layout.font.size) == (False, None, 14)
    assert tuple(layout.geo.lonaxis.range) == (0.0, 1.5)
    assert tuple(layout.geo.lataxis.range) == (51.0, 51.5)


@pytest.mark.parametrize(
    ("bounds", "height"),
    [
        # 640 pixels for 1 degree by 0.5, which is 1/cos(60) = 2 times as long: 640.
        ((0.0, 59.75, 1.0, 60.25), MOST_HEIGHT),
        ((0.0, 59.8, 1.0, 60.2), 512),
        ((0.0, 59.9, 1.0, 60.1), LEAST_HEIGHT),
        # A single place has no width.
        ((1.0, 51.0, 1.0, 51.0), LEAST_HEIGHT),
    ],
)
def test_as_tall_as_its_areas_need(bounds: tuple[float, float, float, float], height: int) -> None:
    assert drawn(bounds=bounds).layout.height == height


def test_an_area_says_its_value_or_its_group_when_pointed_at() -> None:
    """What most groups say stands in the template, once."""
    valued = [
        AreaGroup(f"to {n}", "#9DC3E6", [f"E{n}"], values=[n], value_text="%{z} of 10")
        for n in range(3)
    ]
    silent = AreaGroup("No return", "#FFFFFF", ["E9"])
    for groups, usual in (((*valued, silent), "%{z} of 10"), ((silent,), "%{fullData.name}")):
        figure = drawn(*groups)
        (alike,) = figure.layout.template.data.choropleth
        assert usual in alike.hovertemplate
        for trace, group in zip(figure.data, groups, strict=True):
            told = trace.hovertemplate or alike.hovertemplate
            own = "%{fullData.name}" if group is silent else "%{z} of 10"
            assert told == f"<b>%{{properties.name}}</b><br>{own}<extra></extra>"


def test_symbols_say_a_colour_once_or_each_their_own() -> None:
    dark = AreaGroup("none", "#5B1A2E", ["E3"])
    for codes, colour in ((["E1", "E2"], BLACK), (["E1", "E3"], (BLACK, WHITE))):
        figure = drawn(AREAS[0], dark, marks=[AreaMark("", RING, codes)])
        assert figure.data[-1].marker.color == colour
        assert figure.data[-1].marker.line.color == colour
