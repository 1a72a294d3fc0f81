"""Shapes of many areas as steps: four squares whose corners are counted in steps of 25 m by hand."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from geodata.outlines import STEP_METRES, TOLERANCE_METRES, Outlines, outlines
from geodata.shapes import metres, simplified
from tests.geodata.test_shapes import in_degrees

# A square of two kilometres is 80 steps wide. The origin is at 24,000 east and 6,000 north of the grid.
WEST, SOUTH, SIDE = 24_000, 6_000, 80
# `metres` is good to 5 m, and a corner goes to the nearest step: no corner is a step further away.
NEAR_STEPS = 1
TOLD = dict[str, Any]
Rings = list[list[tuple[int, int]]]


def square(column: int, row: int) -> shapely.Polygon:
    """A square in metres, by its place in a grid of squares."""
    x, y = (WEST + SIDE * column) * STEP_METRES, (SOUTH + SIDE * row) * STEP_METRES
    return box(x, y, x + SIDE * STEP_METRES, y + SIDE * STEP_METRES)


# Two rows of two: A and B of the first board lie beside each other, C of the second lies above A, and
# D of the second above B.
A, B, C, D = square(0, 0), square(1, 0), square(0, 1), square(1, 1)
BOARDS = {"Q2": "Second board", "Q1": "First board"}


def made(
    areas: dict[str, tuple[str, shapely.Geometry]], boards: dict[str, str] = BOARDS
) -> Outlines:
    """The outlines of areas, by code: their board and their shape in metres."""
    return outlines(
        list(areas),
        [f"Ward {code}" for code in areas],
        [board for board, _ in areas.values()],
        boards,
        in_degrees(*(shape for _, shape in areas.values())),
    )


FOUR = {"D": ("Q2", D), "B": ("Q1", B), "A": ("Q1", A), "C": ("Q2", C)}


def told(found: Outlines) -> TOLD:
    answer: TOLD = json.loads(found.body)
    return answer


def decoded(rings: list[list[int]]) -> Rings:
    """The corners of each ring, by adding up, as the browser does; in steps from the origin."""
    return [
        [
            (int(x), int(y))
            for x, y in np.cumsum(np.array(ring).reshape(-1, 2), axis=0) - (WEST, SOUTH)
        ]
        for ring in rings
    ]


def corners(column: int, row: int) -> set[tuple[int, int]]:
    return {(SIDE * (column + x), SIDE * (row + y)) for x in (0, 1) for y in (0, 1)}


def is_near(found: Rings, expected: set[tuple[int, int]]) -> bool:
    """Whether one ring has these corners and no other, within a step."""
    (ring,) = found
    return len(ring) == len(expected) and all(
        any(max(abs(x - a), abs(y - b)) <= NEAR_STEPS for a, b in ring) for x, y in expected
    )


def shape_of(rings: list[list[int]]) -> shapely.Geometry:
    """What the browser fills, in metres: where a ring lies in another, it is a hole (even-odd)."""
    drawn = [
        shapely.Polygon([((x + WEST) * STEP_METRES, (y + SOUTH) * STEP_METRES) for x, y in ring])
        for ring in decoded(rings)
    ]
    return reduce(shapely.symmetric_difference, drawn)


class TestFourSquares:
    def test_in_the_order_of_their_codes_each_with_its_name_and_board(self) -> None:
        found = made(FOUR)
        body = told(found)
        assert found.codes == ("A", "B", "C", "D")
        assert body["codes"] == ["A", "B", "C", "D"]
        assert body["names"] == ["Ward A", "Ward B", "Ward C", "Ward D"]
        assert body["groups"] == [["Q2", "Second board"], ["Q1", "First board"]]
        assert body["group"] == [1, 1, 0, 0]
        assert body["step"] == 25

    def test_the_corners_come_out_by_adding_up(self) -> None:
        areas = [decoded(rings) for rings in told(made(FOUR))["areas"]]
        assert is_near(areas[0], corners(0, 0))
        assert is_near(areas[1], corners(1, 0))
        assert is_near(areas[2], corners(0, 1))
        assert is_near(areas[3], corners(1, 1))

    def test_the_last_point_is_not_said_again(self) -> None:
        """Four corners are four points: the first, and three ways."""
        assert [len(ring) for rings in told(made(FOUR))["areas"] for ring in rings] == [8] * 4

    def test_neighbours_share_points(self) -> None:
        a, b, c, d = (set(decoded(rings)[0]) for rings in told(made(FOUR))["areas"])
        assert [len(one & other) for one, other in ((a, b), (a, c), (b, d), (c, d))] == [2] * 4
        assert len(a & b & c & d) == 1

    def test_the_edge_of_a_board_is_the_edge_of_its_areas(self) -> None:
        """Two squares beside each other: six points of theirs, none inside, and no line between."""
        body = told(made(FOUR))
        second, first = (decoded(rings) for rings in body["edges"])
        assert is_near(first, corners(0, 0) | corners(1, 0))
        assert is_near(second, corners(0, 1) | corners(1, 1))
        ours = [point for rings in body["areas"][:2] for point in decoded(rings)[0]]
        assert set(first[0]) <= set(ours)

    def test_the_box_holds_them_all(self) -> None:
        west, south, east, north = told(made(FOUR))["box"]
        assert abs(west - WEST) <= NEAR_STEPS
        assert abs(south - SOUTH) <= NEAR_STEPS
        assert abs(east - WEST - 2 * SIDE) <= NEAR_STEPS
        assert abs(north - SOUTH - 2 * SIDE) <= NEAR_STEPS

    def test_whole_numbers_only(self) -> None:
        body = told(made(FOUR))
        numbers = [n for rings in [*body["areas"], *body["edges"]] for ring in rings for n in ring]
        assert all(type(number) is int for number in [*numbers, *body["box"], *body["group"]])


class TestOtherShapes:
    def test_a_hole_is_a_ring_of_its_own(self) -> None:
        """4 square kilometres less a quarter."""
        x, y = (WEST + 30) * STEP_METRES, (SOUTH + 30) * STEP_METRES
        hole = box(x, y, x + 500, y + 500)
        (rings,) = told(made({"A": ("Q1", A.difference(hole))}))["areas"]
        outer, inner = decoded(rings)
        assert is_near([outer], corners(0, 0))
        assert is_near([inner], {(30, 30), (50, 30), (50, 50), (30, 50)})
        assert shape_of(rings).area / 1e6 == pytest.approx(3.75, abs=0.15)

    def test_an_area_in_a_hole_is_cut_out_of_the_other_and_not_of_their_board(self) -> None:
        x, y = (WEST + 20) * STEP_METRES, (SOUTH + 20) * STEP_METRES
        town = box(x, y, x + 1000, y + 1000)
        body = told(made({"A": ("Q1", A.difference(town)), "T": ("Q1", town)}))
        assert [len(rings) for rings in body["areas"]] == [2, 1]
        (edge,) = body["edges"]
        assert is_near(decoded(edge), corners(0, 0))

    def test_islands_are_rings_of_one_area(self) -> None:
        (rings,) = told(made({"A": ("Q1", shapely.MultiPolygon([A, D]))}))["areas"]
        found = sorted(decoded(rings))
        assert is_near([found[0]], corners(0, 0))
        assert is_near([found[1]], corners(1, 1))

    def test_one_too_small_to_be_drawn_keeps_a_triangle_where_it_is(self) -> None:
        """Ten metres: nothing of it is left in steps of 25, and it can still be seen and picked."""
        x, y = (WEST + 200) * STEP_METRES, (SOUTH + 300) * STEP_METRES
        body = told(made({"A": ("Q1", A), "Z": ("Q1", box(x, y, x + 10, y + 10))}))
        (ring,) = decoded(body["areas"][1])
        assert len(set(ring)) == 3
        assert shape_of(body["areas"][1]).area == STEP_METRES**2 / 2
        assert all(max(abs(px - 200), abs(py - 300)) <= 2 for px, py in ring)

    def test_corners_that_fall_together_are_said_once(self) -> None:
        """A notch ten metres deep is less than a step."""
        (x, y), side = A.exterior.coords[2][:2], SIDE * STEP_METRES
        notched = A.difference(box(x - 10, y - 10, x + side, y + side))
        (rings,) = told(made({"A": ("Q1", notched)}))["areas"]
        (ring,) = decoded(rings)
        assert all(one != other for one, other in pairwise([*ring, ring[0]]))

    def test_nothing_is_an_answer_too(self) -> None:
        found = made({})
        assert found.codes == ()
        assert told(found) == {
            "step": 25, "box": [0, 0, 0, 0], "codes": [], "names": [], "group": [], "groups": [],
            "areas": [], "edges": [],
        }  # fmt: skip

    def test_a_board_without_an_area_is_left_out(self) -> None:
        body = told(made({"C": ("Q1", C)}))
        assert body["groups"] == [["Q1", "First board"]]
        assert body["group"] == [0]
        assert len(body["edges"]) == 1

    def test_names_are_as_they_are(self) -> None:
        name = 'St. Peter’s <b> "Ynys Môn"'
        body = outlines(["A"], [name], ["Q1"], {"Q1": name}, in_degrees(A)).body
        assert json.loads(body)["names"] == [name]
        assert json.loads(body)["groups"] == [["Q1", name]]
        assert "Môn".encode() in body


class TestItsName:
    def test_it_is_of_the_content(self) -> None:
        found = made(FOUR)
        assert found.name == hashlib.sha256(found.body).hexdigest()[:16]
        assert gzip.decompress(found.gzipped) == found.body
        # No time of making: two processes answer alike.
        assert found.gzipped[4:8] == b"\0\0\0\0"

    def test_the_order_in_which_areas_are_given_changes_nothing(self) -> None:
        assert made(dict(reversed(FOUR.items()))) == made(FOUR)

    @pytest.mark.parametrize(
        "areas",
        [
            FOUR | {"D": ("Q2", square(1, 2))},
            FOUR | {"D": ("Q1", D)},
            {code: FOUR[code] for code in "ABC"},
            {**{code: FOUR[code] for code in "ABC"}, "E": FOUR["D"]},
        ],
        ids=["another shape", "another board", "one fewer", "another code"],
    )
    def test_what_is_drawn_otherwise_is_called_otherwise(
        self, areas: dict[str, tuple[str, shapely.Geometry]]
    ) -> None:
        assert made(areas).name != made(FOUR).name

    def test_and_what_is_called_otherwise(self) -> None:
        assert made(FOUR, BOARDS | {"Q1": "Renamed board"}).name != made(FOUR).name


@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=10),
    st.floats(0, STEP_METRES),
    st.integers(1, 3),
)
def test_what_is_drawn_is_the_simplified_shape_within_a_step(
    cells: set[tuple[int, int]], aside: float, boards: int
) -> None:
    """Whatever squares there are, of whatever boards, wherever they lie between two steps."""
    shapes = [shapely.transform(square(*cell), lambda points: points + aside) for cell in cells]
    codes = [f"{column}{row}" for column, row in cells]
    groups = [f"Q{(column + row) % boards}" for column, row in cells]
    degrees = in_degrees(*shapes)
    found = outlines(codes, codes, groups, {group: group for group in sorted(set(groups))}, degrees)
    expected = dict(zip(codes, simplified(metres(degrees), TOLERANCE_METRES), strict=True))
    body = told(found)
    assert sorted(expected) == list(found.codes) == body["codes"]
    edges: dict[str, list[shapely.Geometry]] = {}
    for code, group, rings in zip(body["codes"], body["group"], body["areas"], strict=True):
        drawn = shape_of(rings)
        # Half a step either way: the corner of a step is 18 m from its middle.
        assert shapely.hausdorff_distance(drawn, expected[code]) <= STEP_METRES / 2**0.5 + 1e-6
        edges.setdefault(body["groups"][group][0], []).append(drawn)
    for (group, _), rings in zip(body["groups"], body["edges"], strict=True):
        assert shape_of(rings).symmetric_difference(shapely.union_all(edges[group])).area < 1
