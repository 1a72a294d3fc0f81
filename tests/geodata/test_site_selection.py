"""Site selection: by hand, against every choice there is, and the words where there is none."""

import itertools
import json
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from geodata.site_problem import Goal, SiteProblem
from geodata.site_selection import SitePlan, select_sites
from tests.bench.site_selection import made_england
from tests.conftest import skip_or_fail

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
NAN = math.nan
EACH_GOAL = pytest.mark.parametrize("goal", list(Goal))


def numbers(**by_code: float | None) -> pd.Series:
    return pd.Series(by_code, dtype="Float64")


def candidates(**cost_and_room: tuple[float | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(
        [(code, *rest) for code, rest in cost_and_room.items()],
        columns=["code", "cost", "capacity"],
    )
    return frame.astype({"code": "str", "cost": "Float64", "capacity": "Float64"})


def ways(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["from_code", "to_code", "cost"])
    return frame.astype({"from_code": "str", "to_code": "str", "cost": float})


# x reaches A and B (50), y B and C (60), z D (25); A is also near z, but beyond reach.
HAND = SiteProblem(
    need=numbers(A=20, B=30, C=30, D=25, E=99),
    reached=frozenset(),
    priority=frozenset({"A", "D"}),
    sites=candidates(x=(50_000, None), y=(60_000, None), z=(40_000, None)),
    costs=ways(
        ("A", "x", 1), ("B", "x", 4), ("B", "y", 2), ("C", "y", 3), ("D", "z", 5), ("A", "z", 6),
    ),
    reach=5,
)  # fmt: skip


def rows(plan: SitePlan) -> list[tuple[Any, ...]]:
    """Missing as `None`."""
    return [
        tuple(None if pd.isna(value) else value for value in row)
        for row in plan.sites.itertuples(index=False, name=None)
    ]


def codes(plan: SitePlan) -> list[str]:
    return plan.sites["code"].tolist()


def served(plan: SitePlan) -> list[tuple[Any, ...]]:
    return list(plan.served.itertuples(index=False, name=None))


def words(problem: SiteProblem) -> str:
    """Of a problem without a plan."""
    plan = select_sites(problem)
    assert served(plan) == []
    assert math.isnan(plan.objective)
    assert math.isnan(plan.bound)
    assert math.isnan(plan.gap)
    assert (codes(plan), plan.reached_by.tolist(), plan.reached_need) == ([], [], 0)
    assert not plan.is_optimal
    return plan.infeasible


def test_most_need_reached_by_hand() -> None:
    plan = select_sites(replace(HAND, sites_wanted=2))
    assert rows(plan) == [
        ("y", 60, 60, 60_000, 60_000, 1_000),
        ("z", 25, 85, 40_000, 100_000, 1_600),
    ]
    assert plan.reached_by.to_dict() == {"B": "y", "C": "y", "D": "z"}
    assert served(plan) == [("B", "y", 30), ("C", "y", 30), ("D", "z", 25)]
    assert plan.served.columns.tolist() == ["area_code", "site_code", "people"]
    assert plan.served.dtypes.astype(str).tolist() == ["str", "str", "Float64"]
    assert (plan.reached_need, plan.objective, plan.bound, plan.gap) == (85, 85, 85, 0)
    assert plan.is_optimal
    assert plan.infeasible == ""
    assert plan.sites.dtypes.astype(str).tolist() == ["str"] + ["Float64"] * 5


def test_an_area_goes_to_the_nearest_site() -> None:
    plan = select_sites(HAND)
    assert rows(plan) == [
        ("y", 60, 60, 60_000, 60_000, 1_000),
        ("z", 25, 85, 40_000, 100_000, 1_600),
        ("x", 20, 105, 50_000, 150_000, 2_500),
    ]
    assert plan.reached_by.to_dict() == {"A": "x", "B": "y", "C": "y", "D": "z"}
    # Counted in order B is a gain of y; had x been first, of x. It is served where it is nearest.
    assert served(plan) == [("A", "x", 20), ("B", "y", 30), ("C", "y", 30), ("D", "z", 25)]


def test_a_number_of_sites_is_a_most_where_most_need_is_reached() -> None:
    done = replace(HAND, reached=frozenset("ABC"))
    for most in (None, 1, 3, 25):
        plan = select_sites(replace(done, sites_wanted=most))
        assert rows(plan) == [("z", 25, 25, 40_000, 40_000, 1_600)]
        assert plan.infeasible == ""
    assert codes(select_sites(replace(HAND, sites_wanted=3, budget=149_999))) == ["y", "z"]
    assert codes(select_sites(replace(HAND, sites_wanted=25))) == ["y", "z", "x"]


def test_sites_that_add_nothing_are_chosen_only_where_the_number_is_exact() -> None:
    done = replace(HAND, reached=frozenset("ABC"))
    all_three = select_sites(replace(done, goal=Goal.FURTHEST, sites_wanted=3))
    assert rows(all_three)[1:] == [
        ("x", 0, 25, 50_000, 90_000, None),
        ("y", 0, 25, 60_000, 150_000, None),
    ]
    kept = select_sites(replace(done, must_have=frozenset("y")))
    assert codes(kept) == ["z", "y"]


A_AND_B = replace(
    HAND,
    need=numbers(A=10, B=20),
    costs=ways(("A", "p", 1), ("B", "q", 1), ("A", "r", 2), ("B", "r", 2), ("A", "s", 2), ("B", "s", 2)),
)  # fmt: skip


@pytest.mark.parametrize("most", [None, 2, 25])
@pytest.mark.parametrize(
    ("cost", "chosen"),
    [
        ({"p": 1, "q": 1, "r": 2.01, "s": 3}, "qp"),  # the cheapest, though of two sites
        ({"p": 1, "q": 1, "r": 2, "s": 2}, "r"),  # as cheap of fewer sites, and first by code
        ({"p": 1, "q": 1, "r": 2, "s": 1.99}, "s"),
        ({"p": 1, "q": 1, "r": 2, "s": None}, "s"),  # missing counts as 0
        ({"p": None, "q": None, "r": None, "s": None}, "r"),
        ({"p": 0, "q": 0, "r": 0.01, "s": 0.01}, "qp"),
    ],
)  # fmt: skip
def test_of_choices_as_good_the_cheapest(
    cost: dict[str, float | None], chosen: str, most: int | None
) -> None:
    sites = candidates(**{code: (money, None) for code, money in cost.items()})
    plan = select_sites(replace(A_AND_B, sites=sites, sites_wanted=most))
    assert (codes(plan), plan.objective, plan.is_optimal) == (list(chosen), 30, True)


def test_the_cheapest_where_the_solver_has_failed() -> None:
    """With room for a ten-millionth less need HiGHS 1.12 has proven s0 and s1 (8) the cheapest."""
    within = {"a0": "12", "a1": "1234", "a2": "0123", "a3": "0234", "a4": "0123", "a5": "0123"}
    plan = select_sites(
        SiteProblem(
            need=numbers(a0=10, a1=3, a2=5, a3=8, a4=1, a5=5),
            reached=frozenset(),
            priority=frozenset(),
            sites=candidates(s0=(6, None), s1=(2, None), s2=(5, 12), s3=(6, None), s4=(4, 1)),
            costs=ways(*[(area, f"s{n}", 1) for area, sites in within.items() for n in sites]),
            reach=1,
        )
    )
    assert (codes(plan), plan.objective) == (["s1", "s2"], 32)


def test_the_cheapest_of_the_fewest_and_of_the_shortest_ways() -> None:
    sites = candidates(p=(1, None), q=(1, None), r=(4, None), s=(3, None))
    tie = replace(A_AND_B, sites=sites)
    assert codes(select_sites(replace(tie, goal=Goal.FEWEST))) == ["s"]
    assert codes(select_sites(replace(tie, goal=Goal.FURTHEST, sites_wanted=1))) == ["s"]
    assert codes(select_sites(replace(tie, goal=Goal.NEAREST, sites_wanted=1))) == ["s"]
    assert codes(select_sites(replace(tie, goal=Goal.NEAREST))) == ["q", "p"]


def test_a_site_that_only_shares_anothers_people_is_not_chosen() -> None:
    """w reaches whom y reaches, and comes first by its code; but y has to be there."""
    sites = candidates(w=(1, 60), x=(1, None), y=(1, None))
    also = pd.concat([HAND.costs, ways(("B", "w", 1), ("C", "w", 1))])
    both = replace(HAND, sites=sites, costs=also, must_have=frozenset("y"))
    plan = select_sites(both)
    assert (codes(plan), plan.reached_need) == (["y", "x"], 80)
    assert plan.reached_by.to_dict() == {"A": "x", "B": "y", "C": "y"}


def test_the_shortest_total_way_by_hand() -> None:
    """y: 2 x 30 + 3 x 30; x: 20 + 4 x 30; z: 5 x 25 + 6 x 20. C and D need y and z."""
    plan = select_sites(replace(HAND, goal=Goal.NEAREST, sites_wanted=2))
    assert (sorted(codes(plan)), plan.objective) == (["y", "z"], 60 + 90 + 125 + 120)
    # A goes to z, but that is beyond reach.
    assert plan.reached_need == 85
    assert plan.reached_by.to_dict() == {"B": "y", "C": "y", "D": "z"}
    assert select_sites(replace(HAND, goal=Goal.NEAREST)).objective == 20 + 60 + 90 + 125


def test_the_fewest_sites_by_hand() -> None:
    plan = select_sites(replace(HAND, goal=Goal.FEWEST))
    assert (codes(plan), plan.objective) == (["y", "z", "x"], 3)
    # Who is reached already, and who cannot be, asks for no site.
    plan = select_sites(replace(HAND, goal=Goal.FEWEST, reached=frozenset("A")))
    assert (codes(plan), plan.objective) == (["y", "z"], 2)


def test_the_shortest_longest_way_by_hand() -> None:
    plan = select_sites(replace(HAND, goal=Goal.FURTHEST, sites_wanted=2))
    assert (sorted(codes(plan)), plan.objective, plan.gap) == (["y", "z"], 6, 0)
    plan = select_sites(replace(HAND, goal=Goal.FURTHEST, sites_wanted=3))
    assert plan.objective == 5


def test_a_share_for_priority_areas_on_both_sides() -> None:
    """y and z reach 25 of 85 in priority areas, x and z 45 of 75: 60%."""
    two = replace(HAND, sites_wanted=2)
    assert codes(select_sites(replace(two, least_priority_share=25 / 85))) == ["y", "z"]
    plan = select_sites(replace(two, least_priority_share=25 / 85 + 0.001))
    assert (codes(plan), plan.objective) == (["x", "z"], 75)
    assert codes(select_sites(replace(two, least_priority_share=0.6))) == ["x", "z"]
    # No two sites: z alone reaches only D.
    assert codes(select_sites(replace(two, least_priority_share=0.61))) == ["z"]
    # x and y alone reach 20 of 80, with z 45 of 105.
    assert words(replace(two, must_have=frozenset("xy"), least_priority_share=0.4)) == (
        "2 sites wanted, at least 3 needed; "
        "at most 25% of the need newly reached can be in priority areas, at least 40% wanted; "
        "the sites that must be chosen rule out every plan"
    )


def test_nobody_is_left_out_for_the_share() -> None:
    """B is reached wherever A is: leaving B out would be 100%."""
    one = replace(HAND, sites=HAND.sites[:1], sites_wanted=1)
    assert select_sites(replace(one, least_priority_share=0.4)).reached_need == 50
    none = select_sites(replace(one, least_priority_share=0.41))
    assert (codes(none), none.objective, none.is_optimal) == ([], 0, True)
    assert none.infeasible == (
        "at most 40% of the need newly reached can be in priority areas, at least 41% wanted"
    )
    never = select_sites(replace(one, least_priority_share=0.41, priority=frozenset()))
    assert never.infeasible == (
        "at most 0% of the need newly reached can be in priority areas, at least 41% wanted"
    )
    # Without a site there is no share that could be in the way.
    zero = select_sites(replace(one, least_priority_share=0.41, sites_wanted=0))
    assert (codes(zero), zero.infeasible) == ([], "")


def test_limited_room_by_hand() -> None:
    """y has room for 35 of its 60: B goes to x instead, and C and 5 of B to y."""
    sites = candidates(x=(50_000, 40), y=(60_000, 35), z=(40_000, None))
    plan = select_sites(replace(HAND, sites=sites))
    assert rows(plan) == [
        ("x", 40, 40, 50_000, 50_000, 1_250),
        ("y", 35, 75, 60_000, 110_000, pytest.approx(60_000 / 35)),
        ("z", 25, 100, 40_000, 150_000, 1_600),
    ]
    assert plan.objective == pytest.approx(100)
    assert plan.reached_by.loc[["C", "D"]].to_dict() == {"C": "y", "D": "z"}
    by_site = plan.served.groupby("site_code")["people"].sum()
    assert by_site.to_dict() == pytest.approx({"x": 40, "y": 35, "z": 25})
    by_area = plan.served.groupby("area_code")["people"].sum()
    assert (by_area <= HAND.need[by_area.index] + 1e-6).all()
    # Where room is short, who gets it is part of the plan: here only those in priority areas.
    plan = select_sites(replace(HAND, sites=sites, least_priority_share=1.0, sites_wanted=1))
    assert rows(plan) == [("z", 25, 25, 40_000, 40_000, 1_600)]


def test_areas_with_the_same_sites_within_reach_share_alike() -> None:
    """x has room for 30 of the 60 of B and C, z for all of D's."""
    also = ways(("B", "x", 4), ("C", "x", 5), ("D", "z", 5))
    problem = replace(HAND, sites=candidates(x=(1, 30), z=(1, None)), costs=also)
    plan = select_sites(replace(problem, need=numbers(B=20, C=40, D=25)))
    assert served(plan) == [
        ("B", "x", pytest.approx(10)),
        ("C", "x", pytest.approx(20)),
        ("D", "z", 25),
    ]
    assert plan.reached_by.to_dict() == {"B": "x", "C": "x", "D": "z"}


def test_an_area_that_is_split_is_reached_by_the_site_of_most_of_its_people() -> None:
    sites, between = candidates(x=(1, 10), y=(1, 20)), ways(("A", "x", 1), ("A", "y", 2))
    plan = select_sites(replace(HAND, need=numbers(A=30), sites=sites, costs=between))
    assert served(plan) == [("A", "x", pytest.approx(10)), ("A", "y", pytest.approx(20))]
    assert plan.reached_by.to_dict() == {"A": "y"}


def test_no_room_at_all_is_not_no_limit() -> None:
    none = replace(HAND, sites=candidates(x=(1, 0), y=(1, None)), must_have=frozenset("x"))
    plan = select_sites(none)
    assert rows(plan) == [("y", 60, 60, 1, 1, pytest.approx(1 / 60)), ("x", 0, 60, 1, 2, None)]
    assert served(plan) == [("B", "y", 30), ("C", "y", 30)]


@pytest.mark.parametrize(
    ("budget", "chosen"),
    [(150_000, "yzx"), (149_999.99, "yz"), (100_000, "yz"), (99_999, "xz"), (89_999, "y"), (50_000, "x")],
)  # fmt: skip
def test_a_budget_on_both_sides(budget: float, chosen: str) -> None:
    assert codes(select_sites(replace(HAND, budget=budget))) == list(chosen)


@pytest.mark.parametrize("most", [None, 1, 3, 25])
def test_a_budget_below_the_cheapest_is_a_plan_without_sites(most: int | None) -> None:
    plan = select_sites(replace(HAND, budget=39_999, sites_wanted=most))
    assert (codes(plan), plan.objective, plan.gap, served(plan)) == ([], 0, 0, [])
    assert plan.is_optimal
    assert plan.infeasible == "1 site costs at least £40,000, the budget is £39,999"


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"goal": Goal.NEAREST, "sites_wanted": 4}, "4 sites wanted, there are 3 candidates"),
        (
            {"goal": Goal.NEAREST, "sites_wanted": 3, "budget": 149_999.5},
            "3 sites cost at least £150,000, the budget is £149,999.50",
        ),
        (
            {"goal": Goal.FURTHEST, "sites_wanted": 1, "budget": 1},
            "1 site costs at least £40,000, the budget is £1",
        ),
        (
            {"sites_wanted": 3, "budget": 89_999, "must_have": frozenset("xz")},
            "2 sites cost at least £90,000, the budget is £89,999",
        ),
        ({"sites_wanted": 1, "must_have": frozenset("xy")}, "2 sites must be chosen, 1 site wanted"),
        (
            {"budget": 59_999, "must_have": frozenset("y")},
            "the sites that must be chosen cost £60,000, the budget is £59,999",
        ),
        (
            {"goal": Goal.NEAREST, "sites_wanted": 2, "budget": 99_999, "must_have": frozenset("y")},
            "with those that must be chosen, 2 sites cost at least £100,000, the budget is £99,999",
        ),
        ({"goal": Goal.FEWEST, "sites_wanted": 2}, "2 sites wanted, at least 3 needed"),
        ({"goal": Goal.FEWEST, "budget": 149_999}, "it costs at least £150,000, the budget is £149,999"),
        ({"goal": Goal.NEAREST, "sites_wanted": 1}, "1 site wanted, at least 2 needed"),
        (
            {"goal": Goal.NEAREST, "sites_wanted": 2, "must_have": frozenset("x")},
            "2 sites wanted, at least 3 needed; the sites that must be chosen rule out every plan",
        ),
        ({"goal": Goal.FURTHEST, "budget": 99_999}, "it costs at least £100,000, the budget is £99,999"),
        (
            {"goal": Goal.FEWEST, "sites_wanted": 2, "budget": 120_000},
            "no limit is alone in the way: loosen two or more",
        ),
        (
            {"goal": Goal.FEWEST, "least_priority_share": 0.5},
            "at most 42.8% of the need newly reached can be in priority areas, at least 50% wanted",
        ),
        (
            {"goal": Goal.NEAREST, "sites": candidates(x=(1, 20), y=(1, 60), z=(1, 24))},
            "the candidates cannot take everybody, even if all are chosen",
        ),
    ],
)  # fmt: skip
def test_which_limit_is_in_the_way(limits: dict[str, Any], found: str) -> None:
    assert words(replace(HAND, **limits)) == found


@pytest.mark.parametrize(
    "limits",
    [
        {"sites_wanted": 4},
        {"goal": Goal.NEAREST, "sites_wanted": 3, "budget": 150_000},
        {"sites_wanted": 1, "budget": 40_000},
        {"sites_wanted": 3, "budget": 90_000, "must_have": frozenset("xz")},
        {"sites_wanted": 2, "must_have": frozenset("xy")},
        {"budget": 60_000, "must_have": frozenset("y")},
        {"goal": Goal.NEAREST, "sites_wanted": 2, "budget": 100_000, "must_have": frozenset("y")},
        {"goal": Goal.FEWEST, "sites_wanted": 3, "budget": 150_000},
        {"goal": Goal.NEAREST, "sites_wanted": 2, "must_have": frozenset("y")},
        {"goal": Goal.FURTHEST, "budget": 100_000},
        {"goal": Goal.FEWEST, "least_priority_share": 0.428},
        {"goal": Goal.NEAREST, "sites": candidates(x=(1, 20), y=(1, 60), z=(1, 25))},
    ],
)
def test_on_the_other_side_of_the_line_there_is_a_plan(limits: dict[str, Any]) -> None:
    plan = select_sites(replace(HAND, **limits))
    assert plan.infeasible == ""
    assert plan.is_optimal


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"need": numbers(A=-1)}, "a need of 0 or more for every area; found 1 without, first A"),
        ({"need": numbers(A=1, B=None)}, "a need of 0 or more for every area; found 1 without, first B"),
        ({"need": pd.Series([1, 2], index=["A", "A"])}, "each area once; found A more than once"),
        ({"sites": pd.concat([HAND.sites, HAND.sites[:1]])}, "each candidate once; found x more"),
        (
            {"sites": candidates(x=(-1, None))},
            "a cost of 0 or more, or none, for every candidate; found 1 without, first x",
        ),
        (
            {"sites": candidates(x=(None, None)), "budget": 1},
            "a cost of 0 or more for every candidate where a budget",
        ),
        ({"sites": candidates(x=(1, -1))}, "a capacity of 0 or more, or none, for every candidate"),
        ({"costs": ways(("A", "x", -1))}, "from every area to every site; found 1 without, first A"),
        ({"costs": ways(("A", "x", 1), ("A", "x", 9))}, "one cost per area and site; found A to x more"),
        ({"must_have": frozenset({"x", "v", "w"})}, "candidates in must_have; found v, w"),
        ({"sites_wanted": -1}, "a number of sites of 0 or more; found -1"),
        ({"budget": NAN}, "a budget of 0 or more; found nan"),
        ({"reach": -1}, "a reach of 0 or more; found -1"),
        ({"least_priority_share": 1.1}, "a share from 0 to 1; found 1.1"),
    ],
)  # fmt: skip
def test_what_is_refused(change: dict[str, Any], found: str) -> None:
    with pytest.raises(ValueError, match=f"Expected .*{found}"):
        select_sites(replace(HAND, **change))


def test_a_cost_nobody_knows_stays_missing() -> None:
    plan = select_sites(replace(HAND, sites=candidates(y=(None, None), z=(40_000, None))))
    assert rows(plan) == [("y", 60, 60, None, None, None), ("z", 25, 85, 40_000, None, 1_600)]


def test_a_missing_way_and_unknown_codes_are_passed_over() -> None:
    more = ways(("A", "y", NAN), ("nowhere", "x", 1), ("A", "nobody", 1))
    plan = select_sites(replace(HAND, costs=pd.concat([HAND.costs, more]), sites_wanted=1))
    assert (codes(plan), plan.objective) == (["y"], 60)


@EACH_GOAL
def test_nothing_to_reach_and_nothing_to_choose(goal: Goal) -> None:
    for nothing in (
        replace(HAND, goal=goal, sites=HAND.sites[:0]),
        replace(HAND, goal=goal, need=HAND.need * 0),
        replace(HAND, goal=goal, costs=HAND.costs[:0]),
        replace(HAND, goal=goal, sites_wanted=0, need=HAND.need[:0]),
    ):
        plan = select_sites(nothing)
        assert (plan.objective, plan.reached_need, plan.infeasible) == (0, 0, "")


def test_no_time_is_said() -> None:
    plan = select_sites(replace(HAND, goal=Goal.NEAREST), time_limit_seconds=0)
    assert plan.infeasible == "no plan was found in 0 seconds"


def test_without_time_most_reached_is_a_good_choice_without_proof() -> None:
    plan = select_sites(replace(HAND, sites_wanted=2), time_limit_seconds=0)
    assert (codes(plan), plan.objective, plan.is_optimal) == (["y", "z"], 85, False)


# --- Every choice there is ---------------------------------------------------------------------

shares = st.sampled_from([0.0, 0.0, 0.3, 0.5, 1.0])


@st.composite
def problems(draw: st.DrawFn, goal: Goal) -> SiteProblem:
    areas = [f"a{n}" for n in range(draw(st.integers(0, 6)))]
    sites = [f"s{n}" for n in range(draw(st.integers(0, 5)))]
    need = {code: draw(st.integers(0, 10)) for code in areas}
    is_limited = draw(st.booleans())
    room = st.none() | st.integers(0, 20) if is_limited else st.none()
    between = [
        (area, site, draw(st.integers(0, 12)))
        for area in areas
        for site in sites
        if draw(st.integers(0, 3))
    ]
    some = st.integers(0, 9)
    budget = draw(st.none() | st.integers(0, 16))
    money = st.integers(0, 6) if budget is not None else st.none() | st.integers(0, 6)
    return SiteProblem(
        need=numbers(**need),
        reached=frozenset(code for code in areas if draw(some) == 0),
        priority=frozenset(code for code in areas if draw(some) > 4),
        sites=candidates(**{code: (draw(money), draw(room)) for code in sites}),
        costs=ways(*between),
        reach=draw(st.integers(0, 10)),
        goal=goal,
        sites_wanted=draw(st.none() | st.integers(0, len(sites))),
        budget=budget,
        least_priority_share=draw(shares),
        must_have=frozenset(code for code in sites if draw(some) == 0),
    )


class Slow:
    """A problem by asking every choice of sites, each by a small dense linear program."""

    def __init__(self, problem: SiteProblem) -> None:
        self.problem = problem
        self.sends_all = problem.goal in (Goal.NEAREST, Goal.FURTHEST)
        self.sites = problem.sites.set_index("code").astype(float)
        self.room = {str(code): float(room) for code, room in self.sites["capacity"].items()}
        need = problem.need[(problem.need > 0) & ~problem.need.index.isin(problem.reached)]
        self.way = {
            (area, site): cost
            for area, site, cost in problem.costs.itertuples(index=False)
            if area in need.index and (self.sends_all or cost <= problem.reach)
        }
        self.need = need[need.index.isin({area for area, _ in self.way})].to_dict()

    def best(self) -> tuple[float, tuple[float, int, int]] | None:
        """What the best choice is worth, and the least `ranked` of those worth as much."""
        problem = self.problem
        found = []
        for count in range(len(self.sites) + 1):
            for chosen in itertools.combinations(self.sites.index, count):
                cost = self.sites.loc[list(chosen), "cost"].sum()
                if (
                    problem.must_have <= set(chosen)
                    and self.is_number(count)
                    and (problem.budget is None or cost <= problem.budget)
                ):
                    found.append((self.worth(chosen), self.ranked(chosen)))
        known = [(worth, ranked) for worth, ranked in found if worth is not None]
        if not known:
            return None
        pick = max if problem.goal is Goal.REACH else min
        best = pick(worth for worth, _ in known)
        return best, min(ranked for worth, ranked in known if abs(worth - best) < 1e-6)

    def is_number(self, count: int) -> bool:
        wanted = self.problem.sites_wanted
        is_most = self.problem.goal is Goal.REACH
        return wanted is None or count == wanted or (is_most and count < wanted)

    def ranked(self, chosen: Iterable[str]) -> tuple[float, int, int]:
        """What it costs, how many, and the sum of places in the order of codes."""
        places = [sorted(self.sites.index).index(code) for code in chosen]
        return self.sites.loc[list(chosen), "cost"].sum(), len(places), sum(places)

    def worth(self, chosen: tuple[str, ...]) -> float | None:
        match self.problem.goal:
            case Goal.NEAREST:
                return self.flow(chosen)
            case Goal.FURTHEST:
                lengths = sorted({0, *self.way.values()})
                fit = (length for length in lengths if self.flow(chosen, length) is not None)
                return next(fit, None)
            case Goal.FEWEST:
                everything = self.flow(tuple(self.sites.index), has_share=False)
                reached = self.flow(chosen)
                assert everything is not None
                is_all = reached is not None and reached > everything - 1e-6
                return len(chosen) if is_all else None
            case _:
                return self.flow(chosen)

    def flow(
        self, chosen: tuple[str, ...], longest: float = math.inf, has_share: bool = True
    ) -> float | None:
        """The least total way of all, or the most people reached; `None` where it can't be."""
        pairs = [pair for pair in self.way if pair[1] in chosen and self.way[pair] <= longest]
        if not pairs:
            return None if self.need and self.sends_all else 0.0
        is_of = {area: np.array([pair[0] == area for pair in pairs], float) for area in self.need}
        within = np.array([self.way[pair] <= self.problem.reach for pair in pairs], float)
        sent = (list(is_of.values()), list(self.need.values()))
        most, limit = ([], []) if self.sends_all else sent
        for site in chosen:
            if not math.isnan(room := self.room[site]):
                most = [*most, np.array([pair[1] == site for pair in pairs], float)]
                limit = [*limit, room]
        share = self.problem.least_priority_share
        if has_share and share:
            priority = np.array([pair[0] in self.problem.priority for pair in pairs], float)
            most, limit = [*most, within * (share - priority)], [*limit, 1e-9]
            for area in self.need.keys() - self.problem.priority:
                is_free = [
                    pair[0] == area and near and math.isnan(self.room[pair[1]])
                    for pair, near in zip(pairs, within, strict=True)
                ]
                if any(is_free):  # whoever a site with room for all reaches is reached
                    most, limit = [*most, -is_of[area] * within], [*limit, -self.need[area]]
        weights = [self.way[pair] if self.sends_all else -1.0 for pair in pairs]
        exactly = sent if self.sends_all else (None, None)
        found = linprog(weights, most or None, limit or None, *exactly)
        if found.status == 2:
            return None
        assert found.status == 0
        return float(found.fun if self.sends_all else -found.fun)


@EACH_GOAL
@given(data=st.data())
def test_as_asking_every_choice(goal: Goal, data: st.DataObject) -> None:
    problem = data.draw(problems(goal))
    plan = select_sites(problem)
    slow = Slow(problem)
    best = slow.best()
    if best is None:
        assert math.isnan(plan.objective)
        assert plan.infeasible
        return
    expected, ranked = best
    assert plan.objective == pytest.approx(expected, abs=1e-6)
    assert (plan.is_optimal, plan.gap, plan.bound) == (True, 0, plan.objective)
    # What is chosen keeps to the limits, is worth what it says, and is the first of those as good.
    chosen = set(codes(plan))
    assert problem.must_have <= chosen
    assert slow.is_number(len(chosen))
    assert slow.ranked(chosen) == ranked
    if problem.goal is Goal.REACH:
        assert problem.must_have >= set(plan.sites.loc[plan.sites["gain"] == 0, "code"])
    if problem.budget is not None:
        assert plan.sites["cost"].sum() <= problem.budget
    assert slow.worth(tuple(sorted(chosen))) == pytest.approx(expected, abs=1e-6)
    # Gains fall, and add up.
    gains = plan.sites["gain"].astype(float).to_numpy()
    assert gains.sum() == pytest.approx(plan.reached_need)
    assert (np.diff(gains) <= 1e-6).all()
    assert_who_is_served(problem, plan)


def assert_who_is_served(problem: SiteProblem, plan: SitePlan) -> None:
    """By chosen sites within reach, nobody twice, within the rooms, and as `reached_by` says."""
    pairs, people = plan.served[["area_code", "site_code"]], plan.served["people"]
    assert not pairs.duplicated().any()
    assert set(pairs["site_code"]) <= set(codes(plan))
    assert not set(pairs["area_code"]) & problem.reached
    way = problem.costs.set_index(["from_code", "to_code"])["cost"]
    assert (way[pd.MultiIndex.from_frame(pairs)] <= problem.reach).all()
    assert (people > 0).all()
    assert people.sum() == pytest.approx(plan.reached_need, abs=1e-6)
    by_area = people.groupby(pairs["area_code"]).sum()
    assert (by_area <= problem.need[by_area.index] + 1e-6).all()
    room = problem.sites.set_index("code")["capacity"]
    by_site = people.groupby(pairs["site_code"]).sum()
    assert (by_site <= room[by_site.index].fillna(np.inf) + 1e-6).all()
    people_at, main = plan.served.set_index(["area_code", "site_code"])["people"], plan.reached_by
    mains = pd.MultiIndex.from_arrays([main.index, main])
    most = people.groupby(pairs["area_code"]).max()
    assert (people_at[mains].to_numpy() >= most[main.index].to_numpy() - 1e-5).all()
    if room.isna().all():
        assert people_at.index.tolist() == mains.tolist()
        assert people_at.tolist() == problem.need[main.index].tolist()
        chosen = way[way.index.isin(codes(plan), level=1)]
        nearest = chosen.groupby(level=0).min()
        assert way[mains].tolist() == nearest[main.index].tolist()
    assert plan.reached_by.index.tolist() == sorted(set(pairs["area_code"]))


@given(data=st.data())
def test_most_need_costs_no_more_than_the_fewest_sites(data: st.DataObject) -> None:
    """At most 25, as many as one likes, and fewest: all reach what can be reached."""
    problem = data.draw(problems(Goal.REACH))
    free = replace(problem, sites_wanted=None, budget=None, least_priority_share=0)
    any_number, fewest = select_sites(free), select_sites(replace(free, goal=Goal.FEWEST))
    most = select_sites(replace(free, sites_wanted=25))
    pd.testing.assert_frame_equal(any_number.sites, most.sites)
    assert fewest.reached_need == pytest.approx(most.reached_need, abs=1e-6)
    assert len(fewest.sites) <= len(most.sites)
    assert fewest.sites["cost"].sum() >= most.sites["cost"].sum()
    if len(fewest.sites) == len(most.sites):
        assert codes(fewest) == codes(most)


@EACH_GOAL
@given(data=st.data(), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(goal: Goal, data: st.DataObject, seed: int) -> None:
    problem = data.draw(problems(goal))
    once = select_sites(problem)
    again = select_sites(
        replace(
            problem,
            need=problem.need.sample(frac=1, random_state=seed),
            sites=problem.sites.sample(frac=1, random_state=seed + 1),
            costs=problem.costs.sample(frac=1, random_state=seed + 2),
        )
    )
    pd.testing.assert_frame_equal(once.sites, again.sites)
    pd.testing.assert_frame_equal(once.served, again.served)
    pd.testing.assert_series_equal(once.reached_by, again.reached_by)
    for name in ("reached_need", "objective", "bound", "gap", "is_optimal", "infeasible"):
        assert repr(getattr(once, name)) == repr(getattr(again, name))


def test_worked_cases() -> None:
    if not VECTORS.exists():
        skip_or_fail("the worked cases are not here")
    worked = json.loads((VECTORS / "location_allocation.json").read_text(encoding="utf-8"))
    goals = {
        "p_median": (Goal.NEAREST, "objective"),
        "mclp": (Goal.REACH, "covered_weight"),
        "p_center": (Goal.FURTHEST, "objective"),
        "lscp": (Goal.FEWEST, "min_facilities"),
    }
    asked = 0
    for case in worked["cases"]:
        given_ = worked["instances"][case["instance"]]
        between = [
            (f"a{area}", f"s{site}", cost)
            for area, costs in enumerate(given_["cost"])
            for site, cost in enumerate(costs)
        ]
        for name, expected in case["expected"].items():
            if name not in goals:
                continue
            goal, objective = goals[name]
            plan = select_sites(
                SiteProblem(
                    need=numbers(**{f"a{n}": need for n, need in enumerate(given_["weights"])}),
                    reached=frozenset(),
                    priority=frozenset(),
                    sites=candidates(**{f"s{n}": (0, None) for n in range(len(given_["cost"][0]))}),
                    costs=ways(*between),
                    reach=case["radius"],
                    goal=goal,
                    sites_wanted=case.get("p"),
                )
            )
            assert plan.objective == pytest.approx(expected[objective]), (case["id"], name)
            chosen = {int(code[1:]) for code in codes(plan)}
            sets = [set(each) for each in expected["optimal_sets"]]
            # Those of most need reached hold sites that nobody needs.
            is_one = any(chosen <= each for each in sets) if name == "mclp" else chosen in sets
            assert is_one, (case["id"], name)
            asked += 1
    assert asked == 16


@pytest.mark.slow
def test_england() -> None:
    """6,800 areas and 500 candidates: proven to a thousandth."""
    problem = made_england(20_000)
    assert (len(problem.need), len(problem.sites)) == (6_800, 500)
    plan = select_sites(problem, gap=1e-3)
    assert len(plan.sites) == 25
    assert plan.gap <= 1e-3
    assert_who_is_served(problem, plan)
    assert plan.sites["gain"].sum() == pytest.approx(plan.reached_need)
