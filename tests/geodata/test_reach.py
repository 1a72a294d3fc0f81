"""Reach: wards of points, straight lines, and supply per person, by hand and by slower ways."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from access import fca, raam, weights
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from shapely.geometry import box

from geodata.reach import (
    Weight,
    even,
    floating_catchment,
    gaussian,
    gravity,
    rational_agent_access,
    stepped,
    straight_lines,
    three_step_catchment,
    to_metres,
    wards_of_points,
)
from tests.conftest import skip_or_fail

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
NAN = math.nan

# A and B side by side; C lies on B and touches A only at a corner; D has a hole.
CODES = ["A", "B", "C", "D"]
WARDS = [
    box(0, 51, 1, 52),
    box(1, 51, 2, 52),
    box(1, 52, 2, 53),
    box(-3, 51, -1, 53).difference(box(-2.5, 51.5, -1.5, 52.5)),
]


def ward_of(longitude: float, latitude: float) -> str | None:
    (found,) = wards_of_points(CODES, WARDS, [longitude], [latitude])
    return found


def test_points_are_in_their_wards_in_their_own_order() -> None:
    places = [(1.5, 52.5), (0.5, 51.5), (-2, 51.2), (1.5, 51.5), (0.5, 51.6)]
    assert wards_of_points(CODES, WARDS, *zip(*places, strict=True)) == ["C", "A", "D", "B", "A"]


@pytest.mark.parametrize(
    ("longitude", "latitude", "ward"),
    [
        (1, 51.5, "A"),
        (np.nextafter(1, 2), 51.5, "B"),
        (1.5, 52, "B"),
        (1, 52, "A"),  # the corner of three
        (0, 51, "A"),
        (np.nextafter(0, -1), 51, None),
        (2, 53, "C"),
        (-2, 52, None),  # in the hole
        (-2.5, 52, "D"),  # on the edge of the hole
        (90, 0, None),
        (NAN, 51.5, None),
        (0.5, NAN, None),
        (math.inf, 51.5, None),
    ],
)
def test_edges_corners_and_places_outside(
    longitude: float, latitude: float, ward: str | None
) -> None:
    assert ward_of(longitude, latitude) == ward


def test_the_order_of_the_wards_does_not_matter() -> None:
    found = wards_of_points(CODES[::-1], WARDS[::-1], [1, 1.5, 1], [51.5, 52, 52])
    assert found == ["A", "B", "A"]


def test_no_points_and_no_wards() -> None:
    assert wards_of_points(CODES, WARDS, [], []) == []
    assert wards_of_points([], [], [1.0], [51.0]) == [None]


squares = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 4))


@given(
    st.lists(squares, max_size=6),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=10),
    st.randoms(use_true_random=False),
)
def test_as_asking_every_ward_of_every_point(
    sides: list[tuple[int, int, int]], halves: list[tuple[int, int]], order: Any
) -> None:
    """Squares that overlap and share edges; points on a grid twice as fine, so often on edges."""
    wards = [(f"E{n}", box(x, y, x + side, y + side)) for n, (x, y, side) in enumerate(sides)]
    order.shuffle(wards)
    points = [(x / 2, y / 2) for x, y in halves]
    expected = [
        min((code for code, ward in wards if ward.covers(shapely.Point(*point))), default=None)
        for point in points
    ]
    found = wards_of_points(
        [code for code, _ in wards],
        [ward for _, ward in wards],
        [x for x, _ in points],
        [y for _, y in points],
    )
    assert found == expected


def test_metres_and_back() -> None:
    back = pyproj.Transformer.from_crs(27700, 4326, always_xy=True)
    longitudes, latitudes = back.transform([600_500, 183_600], [150_500, 44_300])
    found = to_metres(longitudes, latitudes)
    assert found["easting"].tolist() == pytest.approx([600_500, 183_600], abs=0.01)
    assert found["northing"].tolist() == pytest.approx([150_500, 44_300], abs=0.01)


def test_no_place_has_no_metres() -> None:
    assert to_metres([NAN, 1.0, 1.0], [51.0, NAN, 200.0]).isna().all(axis=None)
    empty = to_metres([], [])
    assert (empty.columns.tolist(), len(empty)) == (["easting", "northing"], 0)


def places(prefix: str, *where: tuple[float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(where, columns=["easting", "northing"], dtype=float)
    return frame.assign(code=[f"{prefix}{n}" for n in range(len(where))])


def pairs(costs: pd.DataFrame) -> list[tuple[str, str, float]]:
    return list(costs[["from_code", "to_code", "cost"]].itertuples(index=False, name=None))


def test_straight_lines_by_hand() -> None:
    wards = places("w", (600_000, 150_000), (603_000, 154_000))
    sites = places("s", (603_000, 154_000), (600_000, 150_000), (700_000, 150_000))
    assert pairs(straight_lines(wards, sites, 5_000)) == [
        ("w0", "s0", 5_000),
        ("w0", "s1", 0),
        ("w1", "s0", 0),
        ("w1", "s1", 5_000),
    ]
    for less in (np.nextafter(5_000, 0), 0):
        assert pairs(straight_lines(wards, sites, less)) == [("w0", "s1", 0), ("w1", "s0", 0)]


def test_many_places_keep_the_order_of_their_frames() -> None:
    random = np.random.default_rng(1)
    here, there = random.uniform(0, 100_000, (300, 2)), random.uniform(0, 100_000, (200, 2))
    lengths = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1))
    found = straight_lines(places("w", *here), places("s", *there), 20_000)
    ward, site = np.nonzero(lengths <= 20_000)
    assert found["from_code"].tolist() == [f"w{n}" for n in ward]
    assert found["to_code"].tolist() == [f"s{n}" for n in site]
    assert found["cost"].tolist() == pytest.approx(lengths[ward, site].tolist())


metres = st.lists(
    st.tuples(st.floats(0, 700_000), st.floats(0, 1_300_000)) | st.sampled_from([(1e5, 1e5)]),
    max_size=6,
)


@given(metres, metres, st.floats(0, 2_000_000))
def test_straight_lines_as_measuring_every_pair(
    here: list[tuple[float, float]], there: list[tuple[float, float]], most_metres: float
) -> None:
    wards, sites = places("w", *here), places("s", *there)
    everything = straight_lines(wards, sites, 5_000_000)
    expected: list[Any] = [
        (f"w{i}", f"s{j}", pytest.approx(math.dist(a, b)))
        for i, a in enumerate(here)
        for j, b in enumerate(there)
    ]
    assert pairs(everything) == expected
    near = [pair for pair in pairs(everything) if pair[2] <= most_metres]
    assert pairs(straight_lines(wards, sites, most_metres)) == near
    for pair in pairs(everything):  # at exactly its own length each is within
        assert pair in pairs(straight_lines(wards, sites, pair[2]))


@pytest.mark.parametrize("swapped", [False, True])
def test_places_without_coordinates_are_refused(swapped: bool) -> None:
    here, there = places("w", (0, 0)), places("s", (0, 0), (NAN, 0))
    with pytest.raises(ValueError, match="must be finite"):
        straight_lines(there, here, 1) if swapped else straight_lines(here, there, 1)


def numbers(**by_code: float | None) -> pd.Series:
    return pd.Series(by_code, dtype="Float64")


def costs(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["from_code", "to_code", "cost"])
    return frame.astype({"from_code": "str", "to_code": "str", "cost": float})


def told(access: pd.Series) -> dict[str, Any]:
    """By code, missing as `None`."""
    return {str(code): None if pd.isna(value) else value for code, value in access.items()}


# 8 are shared by 400 people; B has 3 for its own 300.
HAND = costs(("A", "x", 10), ("B", "x", 20), ("B", "y", 5), ("C", "y", 30.1))


def test_a_catchment_by_hand() -> None:
    found = floating_catchment(numbers(A=100, B=300, C=50), numbers(x=8, y=3), HAND, 30)
    assert told(found) == {"A": pytest.approx(0.02), "B": pytest.approx(0.03), "C": None}
    assert (str(found.dtype), found.name) == ("Float64", "supply_per_person")


def test_the_furthest_cost_is_within_reach() -> None:
    people, supply = numbers(A=100, B=300, C=50), numbers(x=8, y=3)
    assert floating_catchment(people, supply, HAND, 30.1)["C"] == pytest.approx(3 / 350)
    within = told(floating_catchment(people, supply, HAND, 10))
    assert within == {"A": pytest.approx(0.08), "B": pytest.approx(0.01), "C": None}
    assert told(floating_catchment(people, supply, HAND, 9.9))["A"] is None


def test_steps_by_hand() -> None:
    """100 + 68 + 22 people who count, and as much supply."""
    shared = costs(("A", "x", 10), ("B", "x", 20), ("C", "x", 30), ("D", "x", 30.1))
    found = floating_catchment(
        numbers(A=100, B=100, C=100, D=100), numbers(x=190), shared, 30, stepped(30)
    )
    assert told(found) == pytest.approx({"A": 1, "B": 0.68, "C": 0.22, "D": None})


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (0, 1), (10, 1), (10.001, 0.68), (20, 0.68), (20.001, 0.22), (30, 0.22), (30.001, 0),
    ],
)  # fmt: skip
def test_both_sides_of_each_step(cost: float, expected: float) -> None:
    assert stepped(30)(np.array([cost])).tolist() == [expected]


@pytest.mark.parametrize(
    ("weight", "cost", "expected"),
    [
        (even, 0, 1), (even, 1e9, 1),
        (gaussian(20), 0, 1), (gaussian(20), 20, math.exp(-0.5)), (gaussian(20), 40, math.exp(-2)),
        (gravity(10, -2), 20, 0.25), (gravity(10, -2), 10, 1), (gravity(10, -2), 0, 1),
    ],
)  # fmt: skip
def test_weights(weight: Weight, cost: float, expected: float) -> None:
    assert weight(np.array([cost], dtype=float)).tolist() == [pytest.approx(expected)]


def test_beyond_the_last_step_is_out_of_reach() -> None:
    """Also where the steps end before the reach does."""
    found = floating_catchment(
        numbers(A=10, B=10), numbers(x=5), costs(("A", "x", 10), ("B", "x", 31)), 60, stepped(30)
    )
    assert told(found) == {"A": 0.5, "B": None}


def test_nought_is_said_only_of_sites_that_supply_nought() -> None:
    people, near = numbers(A=10, B=10, C=10), costs(("A", "x", 1), ("B", "y", 1), ("B", "x", 1))
    assert told(floating_catchment(people, numbers(x=0, y=5), near, 1)) == {
        "A": 0, "B": 0.5, "C": None,
    }  # fmt: skip
    # What is not known is not nought: neither as a missing number nor as a site nobody told of.
    for supply in (numbers(x=None, y=5), numbers(y=5)):
        assert told(floating_catchment(people, supply, near, 1)) == {
            "A": None, "B": 0.5, "C": None,
        }  # fmt: skip


@pytest.mark.parametrize("nobody", [0, None])
def test_a_ward_without_people_leaves_the_supply_to_others(nobody: float | None) -> None:
    near = costs(("A", "x", 1), ("B", "x", 1), ("B", "y", 1))
    found = floating_catchment(numbers(A=nobody, B=10), numbers(x=5, y=5), near, 1)
    assert told(found) == {"A": 0.5, "B": 1}
    # There is supply, and nobody to count it for.
    alone = floating_catchment(numbers(A=nobody, B=nobody), numbers(x=5, y=5), near, 1)
    assert told(alone) == {"A": None, "B": None}


def test_origins_nobody_asked_of_are_passed_over() -> None:
    near = costs(("A", "x", 1), ("elsewhere", "x", 1))
    assert told(floating_catchment(numbers(A=10), numbers(x=5), near, 1)) == {"A": 0.5}


def test_a_cost_that_is_missing_is_not_within_reach() -> None:
    found = floating_catchment(numbers(A=10), numbers(x=5), costs(("A", "x", NAN)), 1)
    assert told(found) == {"A": None}


def test_whole_numbers_and_nothing_at_all() -> None:
    people = pd.Series({"A": 10, "B": 5})
    assert told(
        floating_catchment(people, pd.Series({"x": 5}), costs(("A", "x", 1)), 1, gaussian(1))
    ) == {"A": 0.5, "B": None}
    assert told(floating_catchment(people, numbers(), costs(), 1)) == {"A": None, "B": None}
    assert told(floating_catchment(numbers(), numbers(x=5), costs(), 1)) == {}


def test_a_pair_that_stands_twice_is_refused() -> None:
    twice = costs(("A", "x", 1), ("B", "x", 1), ("A", "x", 2))
    with pytest.raises(ValueError, match="found a pair more than once"):
        floating_catchment(numbers(A=10, B=10), numbers(x=5), twice, 2)
    # Out of reach it does no harm.
    assert floating_catchment(numbers(A=10), numbers(x=5), twice, 1).tolist() == [0.5]


MOST = 30.0
WEIGHTS: dict[str, tuple[Weight, Callable[[float], float] | None]] = {
    "even": (even, None),
    "stepped": (stepped(MOST), weights.step_fn({10: 1, 20: 0.68, 30: 0.22})),
    "gaussian": (gaussian(12), weights.gaussian(12)),
    "gravity": (gravity(2, -1.5), weights.gravity(2, -1.5, min_dist=2)),
}
EACH_WEIGHT = pytest.mark.parametrize("name", WEIGHTS)


def counts(prefix: str, numbers: st.SearchStrategy) -> st.SearchStrategy[pd.Series]:
    return st.lists(numbers, min_size=1, max_size=5).map(
        lambda found: pd.Series({f"{prefix}{n}": v for n, v in enumerate(found)}, dtype="Float64")
    )


# On the steps and the limit, and to either side.
some_costs = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.sampled_from([0, 1, 9.9, 10, 20, 20.1, 30, 30.1]) | st.floats(0, 60),
).map(lambda found: costs(*((f"w{i}", f"s{j}", cost) for (i, j), cost in found.items())))
some_people = counts("w", st.none() | st.integers(0, 20_000))
some_supply = counts("s", st.none() | st.integers(0, 40))
all_people, all_supply = counts("w", st.integers(1, 20_000)), counts("s", st.integers(0, 40))


@EACH_WEIGHT
@given(people=some_people, supply=some_supply, between=some_costs)
def test_people_times_access_is_the_supply_that_is_reached(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame
) -> None:
    access = floating_catchment(people, supply, between, MOST, WEIGHTS[name][0])
    served = between[(between["cost"] <= MOST) & (between["from_code"].map(people) > 0)]
    reached = supply[supply.index.isin(served["to_code"])].sum()
    assert (people * access).sum() == pytest.approx(reached)


@EACH_WEIGHT
@given(people=some_people, supply=some_supply, between=some_costs)
def test_missing_nought_and_more(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame
) -> None:
    access = told(floating_catchment(people, supply, between, MOST, WEIGHTS[name][0]))
    within = between[between["cost"] <= MOST]
    served = set(within.loc[within["from_code"].map(people) > 0, "to_code"])
    for code, found in access.items():
        sites = within.loc[within["from_code"] == code, "to_code"]
        known = supply.reindex(sites).dropna()
        if known.empty or not set(known.index) <= served:
            assert found is None
        else:
            assert (found == 0) == (known == 0).all()


@EACH_WEIGHT
@given(people=some_people, supply=some_supply, between=some_costs, times=st.floats(0.01, 100))
def test_more_supply_is_as_much_more_access(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame, times: float
) -> None:
    weight = WEIGHTS[name][0]
    once = floating_catchment(people, supply, between, MOST, weight)
    more = floating_catchment(people, supply * times, between, MOST, weight)
    assert told(more) == pytest.approx(told(once * times))


@EACH_WEIGHT
@given(
    people=some_people,
    supply=some_supply,
    between=some_costs,
    where=st.integers(0, 4),
    extra=st.integers(1, 9_999),
)
def test_more_people_are_never_more_access(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame, where: int, extra: int
) -> None:
    weight = WEIGHTS[name][0]
    code = people.index[where % len(people)]
    before = floating_catchment(people, supply, between, MOST, weight)
    more = people.where(people.index != code, people.fillna(0) + extra)
    after = floating_catchment(more, supply, between, MOST, weight)
    # Nobody loses reach; where nobody lived there may now be somebody to count supply for.
    assert after[before.notna()].notna().all()
    assert (after <= before * (1 + 1e-9)).all()


@EACH_WEIGHT
@given(people=all_people, supply=all_supply, between=some_costs)
def test_as_pysal_has_it(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame
) -> None:
    ours, theirs = WEIGHTS[name]
    known = between[between["from_code"].isin(people.index) & between["to_code"].isin(supply.index)]
    expected = fca.two_stage_fca(
        people.astype(float).to_frame("people"),
        supply.astype(float).to_frame("supply"),
        known,
        max_cost=MOST,
        demand_index=True,
        demand_name="people",
        supply_name="supply",
        cost_origin="from_code",
        cost_dest="to_code",
        weight_fn=theirs,
    )
    found = floating_catchment(people, supply, between, MOST, ours)
    assert told(found.dropna()) == pytest.approx(expected.to_dict())


def test_three_steps_by_hand() -> None:
    """B has two sites near, so half of its 200 people count at each; A has one."""
    near = costs(("A", "x", 1), ("B", "x", 1), ("B", "y", 1), ("C", "y", 3))
    people, supply = numbers(A=100, B=200, C=50), numbers(x=8, y=3)
    found = three_step_catchment(people, supply, near, 2)
    assert told(found) == {
        "A": pytest.approx(8 / 200), "B": pytest.approx(8 / 200 / 2 + 3 / 100 / 2), "C": None,
    }  # fmt: skip
    assert (str(found.dtype), found.name) == ("Float64", "supply_per_person")
    # The second step has the weight and the share: with 1 and 0.68, B makes 1 / 1.68 use of x.
    near = costs(("A", "x", 1), ("B", "x", 1), ("B", "y", 2))
    x = 1 / 1.68
    assert told(three_step_catchment(people, supply, near, 3, stepped(3))) == {
        "A": pytest.approx(8 / (100 + 200 * x)),
        "B": pytest.approx(8 * x / (100 + 200 * x) + 3 / 200),
        "C": None,
    }


def test_three_steps_share_with_sites_beyond_reach_and_of_unknown_supply() -> None:
    near = costs(("A", "x", 1), ("A", "far", 9), ("B", "x", 1), ("B", "unknown", 1))
    near = pd.concat([near, costs(("C", "x", 1), ("C", "nowhere", NAN))])
    found = three_step_catchment(
        numbers(A=100, B=100, C=100), numbers(x=8, far=5, unknown=None), near, 2
    )
    assert told(found) == pytest.approx({"A": 8 / 200 / 2, "B": 8 / 200 / 2, "C": 8 / 200})


def test_three_steps_keep_missing_apart_from_nought() -> None:
    near = costs(("A", "x", 1), ("B", "y", 1), ("C", "z", 1), ("D", "x", 3))
    found = three_step_catchment(
        numbers(A=10, B=None, C=10, D=10, E=10), numbers(x=0, y=5, z=None), near, 2
    )
    assert told(found) == {"A": 0, "B": None, "C": None, "D": None, "E": None}
    assert told(three_step_catchment(numbers(), numbers(), costs(), 2)) == {}
    assert told(three_step_catchment(numbers(A=1), numbers(x=1), costs(), 2)) == {"A": None}


def test_three_steps_refuse_a_pair_that_stands_twice() -> None:
    twice = costs(("A", "x", 1), ("A", "x", 9))
    with pytest.raises(ValueError, match="found a pair more than once"):
        three_step_catchment(numbers(A=10), numbers(x=5), twice, 2)


@EACH_WEIGHT
@given(people=some_people, supply=some_supply, between=some_costs)
def test_three_steps_give_out_the_supply_that_is_reached(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame
) -> None:
    access = three_step_catchment(people, supply, between, MOST, WEIGHTS[name][0])
    served = between[(between["cost"] <= MOST) & (between["from_code"].map(people) > 0)]
    reached = supply[supply.index.isin(served["to_code"])].sum()
    assert (people * access).sum() == pytest.approx(reached)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # it is theirs
@pytest.mark.parametrize("name", [name for name in WEIGHTS if name != "even"])
@given(people=all_people, supply=all_supply, between=some_costs)
def test_three_steps_as_pysal_has_them(
    name: str, people: pd.Series, supply: pd.Series, between: pd.DataFrame
) -> None:
    ours, theirs = WEIGHTS[name]
    known = between[between["from_code"].isin(people.index) & between["to_code"].isin(supply.index)]
    # Theirs has 0 for no site within the steps, where ours has missing, and divides 0 by 0.
    known = known[ours(known["cost"].to_numpy(float)) > 0].reset_index(drop=True)
    expected = fca.three_stage_fca(
        people.astype(float).to_frame("people"),
        supply.astype(float).to_frame("supply"),
        known,
        max_cost=MOST,
        demand_index=True,
        demand_name="people",
        supply_name="supply",
        cost_origin="from_code",
        cost_dest="to_code",
        weight_fn=theirs,
    )
    found = three_step_catchment(people, supply, known, MOST, ours)
    assert told(found.dropna()) == pytest.approx(expected.to_dict())


def test_rational_agents_by_hand() -> None:
    """Room for 50 each, and y half a crowd further: 62.5 go to x, 37.5 to y."""
    near = costs(("A", "x", 0), ("A", "y", 30))
    found = rational_agent_access(numbers(A=100), numbers(x=1, y=1), near, 60)
    assert told(found) == {"A": pytest.approx(1.25)}
    assert (str(found.dtype), found.name) == ("Float64", "access_cost")
    # Too far to be worth it: all at x, at twice average crowding. On the line both are the same.
    for cost in (120, 121):
        near = costs(("A", "x", 0), ("A", "y", cost))
        assert told(rational_agent_access(numbers(A=100), numbers(x=1, y=1), near, 60)) == {
            "A": pytest.approx(2)
        }


def test_rational_agents_leave_room_for_those_who_have_no_choice() -> None:
    """B can only go to y. The 150 would fill x and y to 1 each, so A's 100 go where it is 1."""
    near = costs(("A", "x", 0), ("A", "y", 0), ("B", "y", 12))
    found = rational_agent_access(numbers(A=100, B=50), numbers(x=1, y=1), near, 60)
    assert told(found) == pytest.approx({"A": 1, "B": 1.2})


def test_rational_agents_keep_missing() -> None:
    near = costs(
        ("A", "x", 6), ("B", "x", 0), ("C", "none", 1), ("D", "unknown", 1), ("E", "x", NAN),
        ("elsewhere", "x", 1), ("B", "nowhere", 1),
    )  # fmt: skip
    people = numbers(A=None, B=30, C=10, D=10, E=10, F=0)
    found = rational_agent_access(people, numbers(x=3, none=0, unknown=None), near, 60)
    # 60 people over 3: of them 30 at a site with room for 60.
    assert told(found) == {
        "A": pytest.approx(0.6), "B": pytest.approx(0.5), "C": None, "D": None, "E": None, "F": None,
    }  # fmt: skip
    everybody_unknown = rational_agent_access(numbers(B=None), numbers(x=3), near, 60)
    assert told(everybody_unknown) == {"B": None}
    assert told(rational_agent_access(people, numbers(x=0), near, 60)) == dict.fromkeys("ABCDEF")
    assert told(rational_agent_access(numbers(), numbers(), costs(), 60)) == {}


def test_rational_agents_refuse_a_pair_that_stands_twice() -> None:
    twice = costs(("A", "x", 1), ("A", "x", 9))
    with pytest.raises(ValueError, match="found a pair more than once"):
        rational_agent_access(numbers(A=10), numbers(x=5), twice, 60)


def test_rational_agents_who_never_settle_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodata.reach.MOST_ROUNDS", 1)
    # A divides itself before B comes to y, and would have to move again.
    near = costs(("A", "x", 0), ("A", "y", 0), ("B", "y", 0))
    with pytest.raises(ValueError, match="found none"):
        rational_agent_access(numbers(A=100, B=50), numbers(x=1, y=1), near, 60)


@given(people=all_people, supply=counts("s", st.integers(1, 40)), random=st.integers(0, 99))
def test_rational_agents_as_one_who_sends_them_all(
    people: pd.Series, supply: pd.Series, random: int
) -> None:
    """Who minimises Beckmann's sum over everybody's ways at once finds the same equilibrium."""
    ways = (len(people), len(supply))
    travel = np.random.default_rng(random).uniform(0, 2, ways)
    share = people.to_numpy(float) / people.sum()
    room = supply.to_numpy(float) / supply.sum()

    def total(going: np.ndarray) -> float:
        at_sites = going.reshape(ways).sum(axis=0)
        return float((at_sites**2 / room).sum() / 2 + (going * travel.ravel()).sum())

    sent = minimize(
        total,
        np.outer(share, room).ravel(),
        bounds=[(0, 1)] * travel.size,
        constraints={"type": "eq", "fun": lambda going: going.reshape(ways).sum(axis=1) - share},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    expected = (sent.x.reshape(ways).sum(axis=0) / room + travel).min(axis=1)
    near = costs(
        *((f"w{i}", f"s{j}", travel[i, j] * 60) for i in range(ways[0]) for j in range(ways[1]))
    )
    found = rational_agent_access(people, supply, near, 60)
    assert found.to_list() == pytest.approx(expected.tolist(), rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_rational_agents_as_pysal_has_them(seed: int) -> None:
    """Theirs moves whole people in steps, and stops near the equilibrium: within 4% here."""
    random = np.random.default_rng(seed)
    people = pd.Series({f"w{n}": v for n, v in enumerate(random.integers(800, 4_000, 12))})
    supply = pd.Series({f"s{n}": v for n, v in enumerate(random.integers(2, 8, 4))})
    near = costs(
        *((origin, site, random.uniform(3, 30)) for origin in people.index for site in supply.index)
    )
    expected = raam.raam(
        people.to_frame("people"),
        supply.to_frame("supply"),
        near,
        demand_name="people",
        supply_name="supply",
        cost_origin="from_code",
        cost_dest="to_code",
        tau=60,
    )
    found = rational_agent_access(people, supply, near, 60)
    assert told(found) == pytest.approx(expected.to_dict(), rel=0.04)


def test_worked_cases() -> None:
    if not VECTORS.exists():
        skip_or_fail("the worked cases are not here")
    cases = json.loads((VECTORS / "spatial_access.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 10
    for case in cases:
        given_ = case["input"]
        people, supply = numbers(**given_["demand"]), numbers(**given_["supply"])
        between = costs(*((str(origin), str(site), cost) for origin, site, cost in given_["cost"]))
        weight: Weight = even
        match case["weight"]:
            case {"type": "gaussian", "sigma": sigma}:
                weight = gaussian(sigma)
            case {"type": "gravity", "scale": scale, "alpha": alpha}:
                weight = gravity(scale, alpha)
            case other:
                assert other is None
        match case["method"]:
            case "RAAM":
                found = rational_agent_access(people, supply, between, case["tau"])
                equilibrium = case["expected"]["equilibrium"]
                assert told(found) == pytest.approx(equilibrium, rel=0.001), case["id"]
            case "3SFCA":
                found = three_step_catchment(people, supply, between, case["max_cost"], weight)
            case _:
                found = floating_catchment(people, supply, between, case["max_cost"], weight)
        expected = {
            code: None if value is None else pytest.approx(value, rel=case["tolerance"])
            for code, value in case["expected"]["access"].items()
        }
        assert told(found) == expected, case["id"]
