"""Where to fund next: a plan by hand, its limits, its candidates and ways, and what is never in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal
from sqlalchemy import Engine

from dashboard import plan_told as told
from dashboard import site_plan_words as words
from dashboard.filters import Area
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.settings import settings
from dashboard.site_plan import (
    STATES,
    Plan,
    PlanChoices,
    Ways,
    as_payload,
    candidate_sites,
    from_payload,
    site_plan,
    site_problem,
    ways_to,
)
from dashboard.unmet_need import ADULTS, EVERY, EXPECTED, UnmetNeed, ward_unmet_need
from geodata.site_problem import Goal, SiteProblem
from geodata.site_selection import select_sites
from queries.database import make_engine, upgrade
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD, GORSE, Service

pytestmark = pytest.mark.usefixtures("settings_as_shipped")

# Seven wards, and three sites at so many metres from some of them:
#                 need    component  fifth  people  FTE    east   west   south
#     Ash           10    missing      1       100  0.0   1,000
#     Birch         20    missing      1       200  0.0   1,000  2,000
#     Cedar         30    missing      3       300  0.5          2,000  2,001
#     Dogwood       40    all there    5       400  1.0                 1,000
#     Elder          0    missing      2       500  1.0                 1,000
#     Fir      unknown    unknown      4       600                      1,000
#     Gean           5    missing      4       700  0.0
# Within 2,000 m East reaches Ash and Birch (30), West Birch and Cedar (50), South nobody who counts.
ASH, BIRCH, CEDAR, DOGWOOD, ELDER, FIR, GEAN = NAMES = (
    "ash", "birch", "cedar", "dogwood", "elder", "fir", "gean",
)  # fmt: skip
EAST, WEST, SOUTH = "east", "west", "south"
DISTANCES = {
    (ASH, EAST): 1000.0, (BIRCH, EAST): 1000.0, (BIRCH, WEST): 2000.0, (CEDAR, WEST): 2000.0,
    (CEDAR, SOUTH): 2001.0, (DOGWOOD, SOUTH): 1000.0, (ELDER, SOUTH): 1000.0, (FIR, SOUTH): 1000.0,
}  # fmt: skip
SITES = pd.DataFrame(
    {
        "code": [EAST, WEST, SOUTH],
        "site_name": ["East hall", "West hall", "South hall"],
        "kind": ["ward", "venue", "site"],
        "ward_code": [ASH, BIRCH, DOGWOOD],
        "longitude": [1.0, 1.1, 1.2],
        "latitude": [51.0, 51.1, 51.2],
        "cost": [10_000.0, 15_000.0, 8_000.0],
        "capacity": [None, None, None],
    }
).astype({"capacity": "float64"})


def need_by_hand(**changes: dict[str, Any]) -> UnmetNeed:
    """The seven wards; `changes` are of columns, by ward."""
    frame = pd.DataFrame(
        {
            "ward_code": NAMES,
            "ward_name": [name.capitalize() for name in NAMES],
            "lad_code": "E07000001",
            "lad_name": "Woods",
            "status": ["No provision"] * 3 + ["As expected", "No provision", "No return",
                                              "No provision"],
            "reason": "as told",
            "imd_fifth": pd.array([1, 1, 3, 5, 2, 4, 4], dtype="Int64"),
            "population": pd.array([100, 200, 300, 400, 500, 600, 700], dtype="Int64"),
            "people": pd.array([100, 200, 300, 400, 500, 600, 700], dtype="Int64"),
            "fte": pd.array([0, 0, 0.5, 1, 1, None, 0], dtype="Float64"),
            "need": pd.array([10, 20, 30, 40, 0, None, 5], dtype="Float64"),
            "lower": pd.array([5, 15, 25, 35, 0, None, 0], dtype="Float64"),
            "upper": pd.array([15, 25, 35, 45, 5, None, 10], dtype="Float64"),
            "is_estimated": [False, False, True, False, False, False, False],
            "observed_from": pd.array([10, 10, 1, 10, 10, None, 10], dtype="Float64"),
            "observed_to": pd.array([10, 10, 7, 10, 10, None, 10], dtype="Float64"),
            "expected": pd.array([20, 30, 34, 50, 8, None, 15], dtype="Float64"),
            "has_gap": [True, True, True, False, True, False, True],
            "is_unknown": [False, False, False, False, False, True, False],
        }
    )  # fmt: skip
    for column, by_ward in changes.items():
        for code, value in by_ward.items():
            frame.loc[frame["ward_code"] == code, column] = value
    wards = Released(frame, (), PROFILES["nhs"])
    return UnmetNeed(wards, EXPECTED, "", 65 / 105, 1.0, 1.0)


def ways_by_hand(reach: float = 2000.0) -> Ways:
    costs = pd.DataFrame(
        [(*pair, cost) for pair, cost in DISTANCES.items()],
        columns=["from_code", "to_code", "cost"],
    )
    return Ways(costs, reach, "m", f"{reach / 1000:g} km")


def plan_of(
    *, reach: float = 2000.0, halls: pd.DataFrame = SITES, codes: Any = NAMES,
    need: UnmetNeed | None = None, **choices: str,
) -> Plan:  # fmt: skip
    chosen = PlanChoices(**choices)
    return site_plan(need or need_by_hand(), chosen, halls, ways_by_hand(reach), set(codes))


def states(plan: Plan) -> dict[str, str]:
    frame = plan.wards.frame
    return dict(zip(frame["ward_code"], frame["state"], strict=True))


def served(plan: Plan) -> list[tuple[str, str, float]]:
    return list(plan.found.served.itertuples(index=False, name=None))


def in_order(plan: Plan, *columns: str) -> list[Any]:
    rows: list[Any] = plan.sites[list(columns)].to_numpy(dtype=object).tolist()
    return [row[0] for row in rows] if len(columns) == 1 else [tuple(row) for row in rows]


class TestByHand:
    def test_two_sites(self) -> None:
        """West first, who adds 50; then East, whose Birch is reached already."""
        plan = plan_of()
        assert in_order(plan, "code", "gain", "reached_so_far", "cost_so_far") == [
            (WEST, 50, 50, 15_000), (EAST, 10, 60, 25_000)
        ]  # fmt: skip
        assert in_order(plan, "cost_per_person") == pytest.approx([300, 1000])
        assert (plan.cost, plan.found.reached_need) == (25_000, 60)
        assert plan.found.is_optimal
        assert states(plan) == {
            ASH: "reached", BIRCH: "reached", CEDAR: "reached", DOGWOOD: "provided",
            ELDER: "no need", FIR: "not known", GEAN: "not reached",
        }  # fmt: skip
        # Birch is nearer to East.
        assert plan.wards.frame.set_index("ward_code")["site"].dropna().to_dict() == {
            ASH: EAST, BIRCH: EAST, CEDAR: WEST
        }  # fmt: skip

    @pytest.mark.parametrize("sites", ["1", "2", "3"])
    def test_every_ward_is_in_one_state_and_the_gains_add_up(self, sites: str) -> None:
        plan = plan_of(sites=sites)
        frame = plan.wards.frame
        counts = frame["state"].value_counts().reindex(STATES, fill_value=0)
        assert counts.sum() == len(frame) == 7
        reached = frame.loc[frame["state"] == "reached", "need"].sum()
        assert plan.sites["gain"].sum() == plan.found.reached_need == reached
        by_state = frame.groupby("state")["need"].sum()
        assert by_state.sum() == need_by_hand().wards.frame["need"].sum() == 105
        assert len(plan.sites) == min(int(sites), 2)

    def test_a_site_that_adds_nobody_is_left_out(self) -> None:
        plan = plan_of(sites="3")
        assert in_order(plan, "code", "gain") == [(WEST, 50), (EAST, 10)]
        assert plan.cost == 25_000
        assert "More than 2 sites would reach nobody else within the limits." in words.finding(plan)
        assert "More than" not in " ".join(words.finding(plan_of()))

    def test_nobody_goes_to_a_site_that_is_left_out(self) -> None:
        """South is nearest for Ash, whom East reaches as well, and cheaper."""
        dear = SITES.assign(cost=[10_000.0, 15_000.0, 10_001.0])
        ways = ways_by_hand()
        near = pd.DataFrame({"from_code": [ASH], "to_code": [SOUTH], "cost": [500.0]})
        wider = replace(ways, costs=pd.concat([ways.costs, near], ignore_index=True))
        plan = site_plan(need_by_hand(), PlanChoices(sites="3"), dear, wider, set(NAMES))
        assert in_order(plan, "code", "gain") == [(WEST, 50), (EAST, 10)]
        assert set(plan.wards.frame["site"].dropna()) == {EAST, WEST}
        assert "Reached by the plan: East hall" in [row[5] for row in words.need_table(plan)[1]]

    @pytest.mark.parametrize(
        ("reach", "reached"), [(999, 0), (1000, 30), (1999, 30), (2000, 60), (2001, 60)]
    )
    def test_both_sides_of_the_line(self, reach: float, reached: float) -> None:
        assert plan_of(reach=reach).found.reached_need == reached

    def test_one_metre_further(self) -> None:
        """At 2,001 m South reaches Cedar."""
        dear = SITES.assign(cost=[10_000.0, 90_000.0, 8_000.0])
        money: dict[str, Any] = {"sites": "any", "budget": "50000"}
        near, far = (plan_of(reach=reach, halls=dear, **money) for reach in (2000, 2001))
        assert (near.found.reached_need, far.found.reached_need) == (30, 60)
        assert in_order(far, "code", "gain") == [(EAST, 30), (SOUTH, 30)]

    def test_what_is_provided_counts_as_reached_before(self) -> None:
        assert plan_of().problem.reached == {DOGWOOD}
        assert states(plan_of(sites="3"))[DOGWOOD] == "provided"
        # Of every ward: South then adds Dogwood's 40, and nothing is there before.
        every = plan_of(whose=EVERY)
        assert every.problem.reached == set()
        assert in_order(every, "code", "gain") == [(WEST, 50), (SOUTH, 40)]
        assert states(every)[DOGWOOD] == "reached"
        assert states(every)[ASH] == "not reached"

    def test_what_nobody_told_is_in_no_plan(self) -> None:
        """Need without provision told, and provision told without need."""
        told_need = need_by_hand(need={FIR: 99.0, GEAN: None})
        for plan in (plan_of(need=told_need), plan_of(need=told_need, whose=EVERY)):
            assert not {FIR, GEAN} & set(plan.problem.need.index)
            assert (states(plan)[FIR], states(plan)[GEAN]) == ("not known", "not known")
        assert plan_of(need=told_need).found.reached_need == 60
        assert [row[0] for row in told.unknown_table(plan_of(need=told_need))[1]] == ["Fir", "Gean"]

    def test_only_the_chosen_wards_count(self) -> None:
        plan = plan_of(codes={ASH, BIRCH, DOGWOOD}, sites="1")
        assert set(plan.wards.frame["ward_code"]) == {ASH, BIRCH, DOGWOOD}
        assert in_order(plan, "code", "gain") == [(EAST, 30)]

    def test_nothing_to_choose_from(self) -> None:
        plan = plan_of(halls=SITES.iloc[:0], codes=())
        assert (len(plan.sites), plan.cost, len(plan.wards.frame)) == (0, 0, 0)
        assert plan.found.infeasible == ""
        assert words.finding(plan)[0].startswith("**No plan**: this area has no ward whose need")

    def test_as_many_as_are_worth_it(self) -> None:
        """At most so many: nothing changes from two on, also where there are not so many."""
        usual = plan_of()
        for sites in ("3", "4", "25", "any"):
            plan = plan_of(sites=sites)
            assert_frame_equal(plan.sites, usual.sites)
            assert_frame_equal(plan.wards.frame, usual.wards.frame)

    @pytest.mark.parametrize(("cost", "chosen"), [(9_999.0, "twin"), (10_001.0, EAST)])
    def test_the_cheapest_of_those_as_good(self, cost: float, chosen: str) -> None:
        """A twin of East reaches the same wards."""
        halls = pd.concat([SITES, SITES.iloc[[0]].assign(code="twin", cost=cost)])
        near = ways_by_hand().costs
        near = pd.concat([near, near[near["to_code"] == EAST].assign(to_code="twin")])
        found = site_plan(
            need_by_hand(), PlanChoices(), halls.reset_index(drop=True),
            replace(ways_by_hand(), costs=near), set(NAMES),
        )  # fmt: skip
        assert in_order(found, "code", "gain") == [(WEST, 50), (chosen, 10)]


# Room for 25 of Birch and Cedar at West; and for 12 of Ash and Birch at East.
TIGHT = SITES.assign(capacity=pd.Series([None, 25.0, None], dtype="float64"))
TIGHTER = SITES.assign(capacity=pd.Series([12.0, 25.0, None], dtype="float64"))


class TestRoom:
    def test_a_ward_for_which_there_is_not_room(self) -> None:
        """East takes Ash and Birch, West 25 of Cedar's 30."""
        plan = plan_of(halls=TIGHT)
        assert served(plan) == [(ASH, EAST, 10), (BIRCH, EAST, 20), (CEDAR, WEST, 25)]
        frame = plan.wards.frame.set_index("ward_code")
        assert frame["met"].to_dict() == pytest.approx(dict.fromkeys(NAMES, 0) | {
            ASH: 10, BIRCH: 20, CEDAR: 25
        })  # fmt: skip
        assert frame["left"].to_dict() == pytest.approx(dict.fromkeys(NAMES, 0) | {
            CEDAR: 5, GEAN: 5
        })  # fmt: skip
        assert states(plan) == {
            ASH: "reached", BIRCH: "reached", CEDAR: "partly reached", DOGWOOD: "provided",
            ELDER: "no need", FIR: "not known", GEAN: "not reached",
        }  # fmt: skip
        # Room for all of them, and for one fewer.
        for room, state in ((30.0, "reached"), (29.0, "partly reached")):
            halls = SITES.assign(capacity=pd.Series([None, room, None], dtype="float64"))
            assert states(plan_of(halls=halls))[CEDAR] == state

    def test_in_words(self) -> None:
        plan = plan_of(halls=TIGHT)
        assert words.finding(plan)[:2] == [
            "**2 sites** for **£25,000** a year reach 3 wards and **55 of 65 people** with unmet "
            "need: £455 for each more who is reached.",
            "In 1 of the wards there is not room for all.",
        ]
        tiles = {tile.label: tile for tile in words.tiles(plan)}
        assert (tiles["Newly reached"].value, tiles["Remain unreached"].value) == ("55", "10")
        assert tiles["Remain unreached"].note == "in 2 wards"
        assert [(row[0], row[5]) for row in words.unreached_table(plan)[1]] == [
            ("Cedar", "Reached for some of its people, 5 left: West hall"), ("Gean", "Not reached")
        ]  # fmt: skip
        assert words.why_sites(plan) == [
            "1. East hall: for 30 people of 2 wards that it is best for (Birch, Ash); 2 lack a "
            "component and 2 are in the most deprived fifth.",
            "2. West hall: for 25 people of 1 ward that it is best for (Cedar); 1 lack a component "
            "and 0 are in the most deprived fifth.",
        ]
        before, after = (
            {g.label: sorted(g.area_codes) for g in words.map_groups(plan, is_after=is_after)}
            for is_after in (False, True)
        )
        assert after["Reached for some of its people"] == [CEDAR]
        assert (before["Reached for some of its people"], before["Reached by the plan"]) == ([], [])
        assert before["Not reached"] == [ASH, BIRCH, CEDAR, GEAN]

    def test_in_more_wards(self) -> None:
        plan = plan_of(halls=TIGHTER)
        assert plan.found.reached_need == pytest.approx(12 + 25)
        assert plan.wards.frame["left"].sum() == pytest.approx(65 - 37)
        assert "In 2 of the wards there is not room for all." in words.finding(plan)

    @given(
        st.lists(st.integers(0, 50), min_size=3, max_size=3),
        st.lists(st.none() | st.integers(1, 60), min_size=3, max_size=3),
        st.sampled_from(["1", "2", "any"]),
    )
    @hypothesis_settings(max_examples=40, deadline=None)
    def test_who_is_reached_and_who_is_left_add_up(
        self, people: list[int], rooms: list[int | None], sites: str
    ) -> None:
        need = need_by_hand(need=dict(zip((ASH, BIRCH, CEDAR), map(float, people), strict=True)))
        halls = SITES.assign(capacity=pd.array(rooms, dtype="Float64").astype("float64"))
        plan = plan_of(need=need, halls=halls, sites=sites)
        frame = plan.wards.frame
        to_reach = frame["state"].isin(("reached", "partly reached", "not reached"))
        whole = frame.loc[to_reach, "need"].sum()
        assert plan.found.reached_need + frame["left"].sum() == pytest.approx(whole, abs=1e-2)
        assert frame["met"].sum() == pytest.approx(plan.found.reached_need)
        assert whole == sum(people) + 5
        assert (frame.loc[frame["state"] == "partly reached", "left"] > 0).all()
        assert frame.loc[~to_reach, ["met", "left"]].eq(0).all(axis=None)


class TestLimits:
    @pytest.mark.parametrize(
        ("choices", "codes", "reached"),
        [
            # West costs 15,000, East 10,000, South 8,000.
            ({"sites": "any", "budget": "25000"}, [WEST, EAST], 60),
            ({"sites": "any", "budget": "24999"}, [WEST], 50),
            ({"sites": "any", "budget": "14999"}, [EAST], 30),
            ({"sites": "1", "budget": "14999"}, [EAST], 30),
            ({"sites": "1"}, [WEST], 50),
            # Ash and Birch are in the most deprived fifth: 20 of West's 50, 30 of 60 of both.
            ({"sites": "1", "share": "40"}, [WEST], 50),
            ({"sites": "1", "share": "50"}, [EAST], 30),
            ({"sites": "2", "share": "50"}, [WEST, EAST], 60),
            ({"sites": "1", "share": "100"}, [EAST], 30),
            # At most so many: fewer where more would not keep to the other limits.
            ({"sites": "2", "budget": "17999"}, [WEST], 50),
            ({"sites": "3", "share": "60"}, [EAST], 30),
        ],
    )
    def test_each(self, choices: dict[str, Any], codes: list[str], reached: float) -> None:
        plan = plan_of(**choices)
        assert plan.found.reached_need == reached
        assert in_order(plan, "code") == codes

    @pytest.mark.parametrize(
        ("choices", "why"),
        [
            (
                {"goal": "nearest", "sites": "4"},
                "4 sites wanted, there are 3 candidates",
            ),
            (
                {"goal": "furthest", "sites": "2", "budget": "17999"},
                "2 sites cost at least £18,000, the budget is £17,999",
            ),
            (
                {"goal": "nearest", "sites": "3", "share": "60"},
                "at most 50% of the need newly reached can be in priority areas, at least 60% wanted",
            ),
            (
                {"goal": "fewest", "budget": "24999"},
                "it costs at least £25,000, the budget is £24,999",
            ),
        ],
    )
    def test_which_limit_binds(self, choices: dict[str, Any], why: str) -> None:
        plan = plan_of(**choices)
        assert why in plan.found.infeasible
        assert plan.sites.empty
        assert set(states(plan).values()) == {"provided", "no need", "not known", "not reached"}
        assert words.finding(plan)[0] == (
            f"**No plan** keeps to every limit: {plan.found.infeasible}."
        )
        values = [tile.value for tile in words.tiles(plan)]
        assert values == ["–", "–", "–", "no plan"]

    @pytest.mark.parametrize(
        ("choices", "why"),
        [
            (
                {"sites": "any", "budget": "7999"},
                "1 site costs at least £8,000, the budget is £7,999",
            ),
            (
                {"sites": "2", "budget": "7999"},
                "1 site costs at least £8,000, the budget is £7,999",
            ),
        ],
    )
    def test_no_site_is_possible(self, choices: dict[str, Any], why: str) -> None:
        plan = plan_of(**choices)
        assert (plan.found.infeasible, len(plan.sites), plan.cost) == (why, 0, 0)
        assert words.finding(plan)[0] == f"**No plan** keeps to every limit: {why}."
        assert plan_of(sites="any", budget="8000").found.infeasible == ""

    @pytest.mark.parametrize("goal", [Goal.NEAREST, Goal.FURTHEST])
    def test_a_goal_that_nothing_holds_back(self, goal: Goal) -> None:
        """With neither a number nor a budget every candidate would be chosen."""
        plan = plan_of(goal=goal.value, sites="any")
        assert plan.sites.empty
        assert words.finding(plan)[0] == (
            "**No plan**: for this goal choose a number of sites or a budget."
        )
        assert [tile.value for tile in words.tiles(plan)] == ["–", "–", "–", "no plan"]
        limits: list[dict[str, Any]] = [{"sites": "2"}, {"sites": "any", "budget": "25000"}]
        for limit in limits:
            assert set(plan_of(goal=goal.value, **limit).sites["code"]) == {WEST, EAST}

    @pytest.mark.parametrize("sites", ["1", "2", "25", "any"])
    def test_the_fewest_are_not_held_to_a_number(self, sites: str) -> None:
        plan = plan_of(goal="fewest", sites=sites)
        assert plan.problem.sites_wanted is None
        assert in_order(plan, "code", "gain") == [(WEST, 50), (EAST, 10)]
        assert "More than" not in " ".join(words.finding(plan))

    def test_room(self) -> None:
        """West has room for 25 of its 50; East, without a limit, for all 30."""
        assert in_order(plan_of(sites="1", halls=TIGHT), "code", "gain") == [(EAST, 30)]
        two = plan_of(halls=TIGHT)
        assert two.found.reached_need == pytest.approx(55)
        assert two.sites["gain"].sum() == pytest.approx(55)

    @pytest.mark.parametrize(
        ("goal", "codes", "objective"),
        [
            (Goal.REACH, {WEST, EAST}, 60),
            (Goal.FEWEST, {WEST, EAST}, 2),
            # Over the ways there are: 10 and 20 go 1,000 m, 30 go 2,000 m.
            (Goal.NEAREST, {WEST, EAST}, 10 * 1000 + 20 * 1000 + 30 * 2000),
            (Goal.FURTHEST, {WEST, EAST}, 2000),
        ],
    )
    def test_each_goal(self, goal: Goal, codes: set[str], objective: float) -> None:
        plan = plan_of(goal=goal.value)
        assert set(plan.sites["code"]) == codes
        assert plan.found.objective == pytest.approx(objective)


class TestPayload:
    def same(self, mine: SiteProblem, other: SiteProblem) -> None:
        one, two = select_sites(mine), select_sites(other)
        assert_frame_equal(one.sites, two.sites, check_dtype=False)
        assert_series_equal(one.reached_by, two.reached_by, check_dtype=False)
        assert (one.reached_need, one.infeasible) == (two.reached_need, two.infeasible)

    @pytest.mark.parametrize(
        "choices",
        [
            {}, {"whose": EVERY, "sites": "3"}, {"sites": "any", "budget": "24999"},
            {"share": "50", "sites": "1"}, {"goal": "nearest"}, {"goal": "fewest"}, {"sites": "4"},
            {"goal": "nearest", "sites": "4"},
        ],
    )  # fmt: skip
    def test_the_same_plan_after_a_journey_as_json(self, choices: dict[str, Any]) -> None:
        problem = plan_of(**choices).problem
        payload = as_payload(problem)
        self.same(problem, from_payload(payload))
        travelled = json.loads(json.dumps(payload, allow_nan=False))
        assert travelled == payload
        again = from_payload(travelled)
        self.same(problem, again)
        assert as_payload(again) == payload
        for name in ("reached", "priority", "reach", "goal", "sites_wanted", "budget",
                     "least_priority_share", "must_have"):  # fmt: skip
            assert getattr(again, name) == getattr(problem, name)

    def test_room_and_what_must_be(self) -> None:
        sites = SITES.assign(capacity=pd.Series([None, 25.0, None], dtype="float64"))
        problem = replace(
            site_problem(need_by_hand(), PlanChoices(), sites, ways_by_hand(), set(NAMES)),
            must_have=frozenset({SOUTH}),
        )
        assert as_payload(problem)["sites"]["capacity"] == [None, 25.0, None]
        again = from_payload(json.loads(json.dumps(as_payload(problem))))
        self.same(problem, again)
        assert SOUTH in set(select_sites(again).sites["code"])

    def test_nothing_at_all(self) -> None:
        problem = site_problem(need_by_hand(), PlanChoices(), SITES.iloc[:0], ways_by_hand(), set())
        again = from_payload(json.loads(json.dumps(as_payload(problem))))
        assert select_sites(again).infeasible == select_sites(problem).infeasible

    @given(
        st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6)),
        st.sampled_from(Goal),
        st.none() | st.integers(0, 3),
        st.none() | st.floats(0, 1e6),
        st.floats(0, 1),
        st.lists(st.none() | st.floats(0, 1e6), min_size=3, max_size=3),
    )
    def test_a_payload_is_itself_again(
        self, need: Any, goal: Goal, wanted: int | None, budget: float | None, share: float,
        room: Any,
    ) -> None:  # fmt: skip
        problem = SiteProblem(
            pd.Series(need, dtype="float64"), frozenset({DOGWOOD}), frozenset({ASH, BIRCH}),
            SITES[["code", "cost"]].assign(capacity=pd.array(room, dtype="Float64")),
            ways_by_hand().costs, 2000, goal, wanted, budget, share,
        )  # fmt: skip
        payload = json.loads(json.dumps(as_payload(problem), allow_nan=False))
        assert as_payload(from_payload(payload)) == payload == as_payload(problem)


class TestChoices:
    def test_numbers(self) -> None:
        usual = PlanChoices()
        assert (usual.sites_wanted, usual.number("budget"), usual.priority_share) == (2, None, 0)
        assert usual.number("cost_new") == 50_000
        other = PlanChoices(sites="any", budget="75000", share="40", site_fte="0.5")
        assert (other.sites_wanted, other.priority_share) == (None, 0.4)
        assert (other.number("budget"), other.number("site_fte")) == (75_000, 0.5)

    def test_an_address_that_says_all(self) -> None:
        said = {
            "need": "served", "whose": "every", "theme": "loneliness", "kinds": "venue",
            "goal": "nearest", "sites": "any", "budget": "100000", "reach": "3", "share": "40",
            "places": "150", "cost_new": "10000", "cost_venue": "100000", "site_fte": "0.5",
        }  # fmt: skip
        assert words.choices_of(said) == PlanChoices(**said)
        assert words.choices_of({**said, "icb": "QZ1", "part": "plan"}) == PlanChoices(**said)
        assert words.choices_of({"need": "index loneliness"}).need == "index loneliness"

    @pytest.mark.parametrize("name", list(PlanChoices.__dataclass_fields__))
    @pytest.mark.parametrize("value", ["nonsense", "-1", "", "1e9", "²", "0x1", "nan"])
    def test_nonsense_falls_back(self, name: str, value: str) -> None:
        assert words.choices_of({name: value}) == PlanChoices()

    @pytest.mark.parametrize(("modes", "minutes"), [([], "30"), (["bus"], "30"), (["bus"], "17")])
    def test_options_of_reach_read_differently(
        self, monkeypatch: pytest.MonkeyPatch, modes: list[str], minutes: str
    ) -> None:
        monkeypatch.setenv("DASHBOARD_REACH_MINUTES", minutes)
        settings.cache_clear()
        options = words.reach_options(modes)
        assert (
            len(set(options.values()))
            == len(options)
            == (8 if not modes else 7 - (minutes == "30"))
        )
        assert options[""] == (f"{minutes} minutes" if modes else "5 km")

    @pytest.mark.parametrize(
        ("reach", "kept"), [("0", ""), ("1", "1"), ("120", "120"), ("121", ""), ("2.5", "")]
    )
    def test_both_ends_of_reach(self, reach: str, kept: str) -> None:
        assert words.choices_of({"reach": reach}).reach == kept


class TestWords:
    def test_what_is_found(self) -> None:
        assert words.finding(plan_of()) == [
            "**2 sites** for **£25,000** a year reach 3 wards and **60 of 65 people** with unmet "
            "need: £417 for each more who is reached.",
            "**62%** of the board's unmet need that is known is in wards that lack a component; the "
            "rest is where all three are and fewer come than expected.",
            "1 ward is in no plan: nobody told us the need of 1.",
        ]
        tiles = {tile.label: tile for tile in words.tiles(plan_of())}
        assert tiles["Newly reached"].value == "60"
        assert (tiles["Cost"].value, tiles["Remain unreached"].value) == ("£25,000", "5")
        assert tiles["How it was chosen"].value == "proven best"
        assert words.finding(plan_of(sites="1"))[0] == (
            "**1 site** for **£15,000** a year reaches 2 wards and **50 of 65 people** with unmet "
            "need: £300 for each more who is reached."
        )

    def test_what_nobody_told(self) -> None:
        """Of Fir neither is known: that is its need. Of Elder the provision, of Gean the need."""
        for changes, said in (
            ({}, "1 ward is in no plan: nobody told us the need of 1."),
            (
                {"need": {FIR: 9.0}},
                "1 ward is in no plan: nobody told us the provision of 1.",
            ),
            (
                {"need": {GEAN: None}, "is_unknown": {ELDER: True}},
                "3 wards are in no plan: nobody told us the need of 2 and the provision of 1.",
            ),
            (
                {"need": {FIR: 9.0}, "is_unknown": {FIR: False}},
                "The need and the provision of every ward are known.",
            ),
        ):
            assert words.finding(plan_of(need=need_by_hand(**changes)))[-1] == said

    def test_nobody_can_be_reached(self) -> None:
        """However far a site is, who asks for one nearest for all gets it."""
        plan = plan_of(goal="nearest", sites="1", codes={CEDAR}, reach=1000, halls=SITES.iloc[1:2])
        assert words.finding(plan)[0] == (
            "**1 site** for **£15,000** a year reaches 0 wards and **0 of 30 people** with unmet "
            "need."
        )
        assert words.tiles(plan)[1].note == "nobody is reached"

    def test_in_one_line(self) -> None:
        said = words.in_short(plan_of(budget="50000", share="40", places="150"))
        facts = dict(words.assumptions(plan_of(budget="50000", share="40", places="150")))
        assert said.startswith("Assumed: ")
        assert said.endswith(".")
        for term in ("Goal", "Counted in", "Number of sites", "Budget", "Within reach",
                     "Deprivation deciles 1 and 2", "Room at a site"):  # fmt: skip
            assert facts[term] in said
        assert "At most 2 sites" in said
        assert "150 people where none is told" in said
        assert "food" not in said
        food = replace(need_by_hand(), theme="food", theme_share=0.25)
        assert "; food, 25% of referrals by need; " in words.in_short(plan_of(need=food))

    def test_nothing_to_reach(self) -> None:
        plan = plan_of(need=need_by_hand(need=dict.fromkeys(NAMES, 0.0)))
        assert (plan.found.reached_need, len(plan.sites)) == (0, 0)
        assert set(states(plan).values()) == {"no need", "provided", "not known"}
        assert words.finding(plan)[0].startswith("**Nothing to reach**")

    def test_nothing_known(self) -> None:
        plan = plan_of(need=need_by_hand(need=dict.fromkeys(NAMES, None)))
        assert set(states(plan).values()) == {"not known"}
        assert words.finding(plan)[0] == (
            "**No plan**: this area has no ward whose need and provision are known."
        )
        tiles = {tile.label: tile.value for tile in words.tiles(plan)}
        assert list(tiles.values()) == ["–", "–", "–", "no plan"]

    def test_the_tables(self) -> None:
        plan = plan_of()
        headings, rows = words.sites_table(plan)
        assert rows == [
            ("1. West hall", "existing venue", "50", "50", "£15,000", "£15,000", "£300"),
            ("2. East hall", "new place", "10", "60", "£10,000", "£25,000", "£1,000"),
        ]
        assert len(headings) == len(rows[0])
        assert words.unreached_table(plan)[1] == [
            ("Gean", "Woods", "No provision", "5 (0 to 10)", "4", "Not reached")
        ]
        rows = words.need_table(plan)[1]
        assert [row[0] for row in rows] == [
            "Dogwood", "Cedar", "Birch", "Ash", "Gean", "Elder", "Fir"
        ]  # fmt: skip
        assert rows[1][3] == "about 30 (25 to 35), count hidden"
        assert rows[-1][3] == "not known"
        assert rows[1][5] == "Reached by the plan: West hall"
        assert told.unknown_table(plan)[1] == [("Fir", "Woods", "No return", "as told")]

    def test_why_each(self) -> None:
        assert words.why_sites(plan_of()) == [
            "1. West hall: for 30 people of 1 ward that it is best for (Cedar); 1 lack a component "
            "and 0 are in the most deprived fifth.",
            "2. East hall: for 30 people of 2 wards that it is best for (Birch, Ash); 2 lack a "
            "component and 2 are in the most deprived fifth.",
        ]

    def test_the_maps(self) -> None:
        plan = plan_of()
        before, after = (
            {g.label: sorted(g.area_codes) for g in words.map_groups(plan, is_after=is_after)}
            for is_after in (False, True)
        )
        assert after["Reached by the plan"] == [ASH, BIRCH, CEDAR]
        assert before["Reached by the plan"] == []
        assert before["Not reached"] == [ASH, BIRCH, CEDAR, GEAN]
        for groups in (before, after):
            assert sorted(code for codes in groups.values() for code in codes) == sorted(NAMES)
        assert "Reached by the plan: 3" in words.map_alt(plan, is_after=True)
        classes, alt = told.need_groups(plan)
        assert sorted(code for part in classes for code in part.area_codes) == sorted(NAMES)
        assert list(classes[-1].area_codes) == [FIR]
        assert "Not known: 1" in alt

    def test_classes_of_one_number_say_it_once(self) -> None:
        """Hardly any need is 0, as it is shown."""
        nothing = need_by_hand(need=dict.fromkeys(NAMES, 0.0) | {ASH: 0.3})
        groups, alt = told.need_groups(plan_of(need=nothing))
        assert [group.label for group in groups] == ["0", "Not known"]
        assert "0: 7" in alt

    def test_two_plans_side_by_side(self) -> None:
        mine, other = plan_of(), plan_of(sites="1")
        headings, rows = told.compared(mine, other, "smaller")
        assert list(headings) == ["What", "This plan", "smaller"]
        assert [list(row) for row in rows] == [
            ["Sites", "West hall, East hall", "West hall"],
            ["Cost a year", "£25,000", "£15,000"],
            ["Newly reached", "60 people", "50 people"],
            ["Cost for each", "£417", "£300"],
            ["Number of sites", "At most 2 sites", "At most 1 site"],
        ]
        # Alike but for what comes of them: nothing more is said.
        assert len(told.compared(mine, mine, "same")[1]) == 4
        impossible = plan_of(goal="nearest", sites="4")
        assert told.compared(mine, impossible, "four")[1][0][2] == (
            "4 sites wanted, there are 3 candidates"
        )

    def test_what_each_supposes(self) -> None:
        mine, closes = plan_of(), ("Hill closes", "1: Ash")
        rows = told.compared(mine, mine, "same", (closes, told.NOT_SUPPOSED))[1]
        assert [list(row) for row in rows[4:]] == [
            ["Supposed", "Hill closes", "nothing"],
            ["Wards that would lose cover", "1: Ash", "none"],
        ]
        assert len(told.compared(mine, mine, "same", (closes, closes))[1]) == 6
        assert len(told.compared(mine, mine, "x", (told.NOT_SUPPOSED, told.NOT_SUPPOSED))[1]) == 4


# On the small board.


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small board with sites it considers, once: to read from."""
    engine = make_engine(f"sqlite:///{(tmp_path_factory.mktemp('plan') / 'b.db').as_posix()}")
    upgrade(engine)
    b.Board(times={}).save(engine)
    save(engine, listed_sites())
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def by_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The same with minutes by bus."""
    engine = make_engine(f"sqlite:///{(tmp_path_factory.mktemp('bus') / 'b.db').as_posix()}")
    upgrade(engine)
    b.Board(times={(CASTLE, ELM): 12.0, (ELM, CASTLE): 12.5, (DALE, ELM): 90.0}).save(engine)
    yield engine
    engine.dispose()


def listed_sites() -> Any:
    """Three of the board, one of them in the neighbour's Gorse; one of the neighbour's own."""
    rows = pd.DataFrame(
        [
            (b.BOARD, b.BOARD, "S1", "Library", *middle(ELM), 30_000.0, 4),
            (b.BOARD, b.BOARD, "S2", "Hall", *middle(CASTLE), None, None),
            (b.BOARD, b.BOARD, "S3", "Barn", *middle(GORSE), 1.0, None),
            (b.NEIGHBOUR, b.NEIGHBOUR, "S4", "Mill", *middle(ABBEY), 1.0, None),
        ],
        columns=["part_key", "icb_code", "site_id", "site_name", "longitude", "latitude",
                 "cost_a_year", "places_a_year"],
    ).astype({"cost_a_year": "Float64", "places_a_year": "Int64"})  # fmt: skip
    return b.made_of("candidate_sites", [b.BOARD, b.NEIGHBOUR], {"candidate_site": rows})


def middle(ward_code: str) -> tuple[float, float]:
    point = b.square(ward_code).centroid
    return point.x, point.y


def candidates(
    engine: Engine, codes: Any = b.BOARD_WARDS, *, with_stale: bool = False,
    scope: Scope = EVERYTHING, **choices: Any,
) -> pd.DataFrame:  # fmt: skip
    area = Area(b.BOARD, b.AS_AT, with_stale)
    return candidate_sites(engine, scope, area, PlanChoices(**choices), set(codes))


def ways(engine: Engine, codes: Any = b.BOARD_WARDS, **choices: Any) -> Ways:
    area, chosen = Area(b.BOARD, b.AS_AT), PlanChoices(**choices)
    return ways_to(engine, EVERYTHING, area, chosen, candidates(engine, codes, **choices))


def whole_plan(engine: Engine, codes: Any = b.BOARD_WARDS, **choices: Any) -> Plan:
    area, chosen = Area(b.BOARD, b.AS_AT), PlanChoices(**choices)
    need = ward_unmet_need(engine, EVERYTHING, *area.board, chosen.need, chosen.theme)
    sites = candidates(engine, codes, **choices)
    return site_plan(
        need, chosen, sites, ways_to(engine, EVERYTHING, area, chosen, sites), set(codes)
    )


def pairs(found: Ways) -> dict[tuple[str, str], float]:
    rows = found.costs[["from_code", "to_code", "cost"]].itertuples(index=False, name=None)
    return {(start, end): cost for start, end, cost in rows}


@pytest.mark.slow
class TestCandidates:
    def test_of_each_kind(self, usual: Engine) -> None:
        found = candidates(usual)
        assert found["kind"].tolist() == ["ward"] * 6 + ["venue"] + ["site"] * 2
        assert found["code"].tolist() == [*b.BOARD_WARDS, "venue 1", "site S1", "site S2"]
        assert found["site_name"].tolist() == [
            "Abbey", "Brook", "Castle", "Dale", "Elm", "Ford", "Garden, Abbey", "Library", "Hall"
        ]  # fmt: skip
        # Its own cost and room where a listed site says so.
        assert found["cost"].tolist() == [50_000] * 6 + [40_000, 30_000, 50_000]
        assert found["capacity"].dropna().to_dict() == {7: 4}
        assert found["ward_code"].tolist() == [*b.BOARD_WARDS, ABBEY, ELM, CASTLE]
        for row in found.itertuples():
            assert (row.longitude, row.latitude) == pytest.approx(middle(str(row.ward_code)))

    @pytest.mark.parametrize(("kinds", "count"), [("ward", 6), ("venue", 1), ("site", 2)])
    def test_one_kind(self, usual: Engine, kinds: str, count: int) -> None:
        found = candidates(usual, kinds=kinds)
        assert found["kind"].tolist() == [kinds] * count

    def test_what_is_chosen_that_they_cost_and_hold(self, usual: Engine) -> None:
        found = candidates(usual, cost_new="20000", cost_venue="10000", places="150")
        assert found["cost"].tolist() == [20_000] * 6 + [10_000, 30_000, 20_000]
        assert found["capacity"].tolist() == [150] * 7 + [4, 150]

    def test_only_inside_the_chosen_wards(self, usual: Engine) -> None:
        assert candidates(usual, {DALE, ELM, FORD})["code"].tolist() == [
            DALE, ELM, FORD, "site S1"
        ]  # fmt: skip
        assert candidates(usual, {CASTLE}, kinds="site")["code"].tolist() == ["site S2"]
        assert candidates(usual, ()).empty

    def test_venues_only_of_services_that_count(self, sqlite_engine: Engine) -> None:
        stale = Service("old", (BROOK,), lies_in=(BROOK,), confirmed_on=b.OLD_LIST.confirmed_on)
        twin = Service("twin", (ABBEY,), lies_in=(ABBEY, CASTLE))
        b.Board(services=(b.GARDEN, stale, twin), weeks=()).save(sqlite_engine)
        # The garden and its twin share a place: one venue.
        assert candidates(sqlite_engine, kinds="venue")["ward_code"].tolist() == [ABBEY, CASTLE]
        with_stale = candidates(sqlite_engine, kinds="venue", with_stale=True)
        assert set(with_stale["ward_code"]) == {ABBEY, BROOK, CASTLE}

    def test_none_of_another_board(self, usual: Engine) -> None:
        neighbour = Scope(frozenset({b.NEIGHBOUR}))
        assert candidates(usual, scope=neighbour).empty


@pytest.mark.slow
class TestWays:
    def test_straight_lines(self, usual: Engine) -> None:
        """Wards are 1.40 km wide and 2.22 km high."""
        found = ways(usual, kinds="ward", reach="2")
        assert (found.unit, found.reach) == ("m", 2000)
        assert found.words == "2 km in a straight line from the middle of the ward"
        near = {(start, end) for start, end in pairs(found) if start != end}
        assert near == {
            (ABBEY, BROOK), (BROOK, ABBEY), (BROOK, CASTLE), (CASTLE, BROOK), (DALE, ELM),
            (ELM, DALE), (ELM, FORD), (FORD, ELM),
        }  # fmt: skip
        assert pairs(found)[ABBEY, BROOK] == pytest.approx(1404, abs=5)
        # From every ward of the board, whichever are chosen.
        assert {start for start, _ in pairs(ways(usual, {BROOK}, kinds="ward", reach="2"))} == {
            ABBEY, BROOK, CASTLE
        }  # fmt: skip

    def test_as_far_as_the_setting_says(
        self, usual: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert ways(usual).reach == 5000
        monkeypatch.setenv("DASHBOARD_REACH_METRES", "1500")
        settings.cache_clear()
        found = ways(usual, kinds="ward")
        assert found.reach == 1500
        assert (BROOK, ABBEY) in pairs(found)
        assert (DALE, ABBEY) not in pairs(found)

    def test_everybody_is_sent_beyond_reach_too(self, usual: Engine) -> None:
        for goal in (Goal.NEAREST, Goal.FURTHEST):
            assert len(ways(usual, kinds="ward", reach="1", goal=goal.value).costs) == 36
        assert len(ways(usual, kinds="ward", reach="1", goal="fewest").costs) == 6

    def test_minutes_where_they_are_loaded(self, by_bus: Engine) -> None:
        found = ways(by_bus, kinds="ward", reach="12")
        assert (found.unit, found.reach) == ("minutes", 12)
        assert found.words == "12 minutes by bus, between wards"
        # On the line is within it; every ward is at itself.
        assert pairs(found) == {(ward, ward): 0.0 for ward in b.BOARD_WARDS} | {(CASTLE, ELM): 12.0}
        assert (ELM, CASTLE) in pairs(ways(by_bus, kinds="ward", reach="13"))
        assert ways(by_bus).reach == 30
        # A venue is reached as its ward is.
        assert pairs(ways(by_bus, kinds="venue")) == {(ABBEY, "venue 1"): 0.0}

    def test_far_in_minutes(self, by_bus: Engine) -> None:
        assert (DALE, ELM) not in pairs(ways(by_bus, kinds="ward"))
        assert (DALE, ELM) in pairs(ways(by_bus, kinds="ward", goal="nearest"))

    def test_a_way_of_travelling_that_is_not_loaded_is_none(
        self, by_bus: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for wanted, unit in (("bus", "minutes"), ("car", "m"), ("straight line", "m")):
            monkeypatch.setenv("DASHBOARD_TRAVEL_MODE", wanted)
            settings.cache_clear()
            assert ways(by_bus).unit == unit


@pytest.mark.slow
class TestOnTheBoard:
    def test_the_two_gaps(self, by_bus: Engine) -> None:
        """Castle's 5 can come to Elm in 12 minutes; Elm's 10 to Castle in 12.5, as good and as
        dear: the first by code is chosen."""
        assert in_order(whole_plan(by_bus, sites="1"), "code", "gain") == [(CASTLE, 15)]
        plan = whole_plan(by_bus, sites="1", reach="12")
        assert in_order(plan, "code", "gain") == [(ELM, 15)]
        assert states(plan) == {
            ABBEY: "provided", BROOK: "provided", CASTLE: "reached", DALE: "provided",
            ELM: "reached", FORD: "not known",
        }  # fmt: skip
        at_11 = whole_plan(by_bus, sites="1", reach="11")
        assert in_order(at_11, "code", "gain") == [(ELM, 10)]

    def test_room_for_four(self, usual: Engine) -> None:
        """The library has room for 4 of Elm's 10 and Castle's 5."""
        plan = whole_plan(usual, kinds="site", sites="1", reach="1", goal="reach")
        assert in_order(plan, "code", "gain") == [("site S2", 5)]
        both = whole_plan(usual, kinds="site", sites="2", reach="1")
        assert both.found.reached_need == pytest.approx(9)
        assert both.cost == 80_000

    def test_a_locality_has_its_own_wards_and_candidates(self, usual: Engine) -> None:
        south = {DALE, ELM, FORD}
        plan = whole_plan(usual, south, sites="1", kinds="ward")
        assert set(plan.wards.frame["ward_code"]) == south
        assert set(plan.candidates["code"]) == south
        assert plan.found.reached_need == 10
        assert plan.need.without_provision == pytest.approx(15 / 21)

    def test_every_ward_by_adults(self, usual: Engine) -> None:
        plan = whole_plan(usual, need=ADULTS, whose=EVERY, sites="1", reach="1", kinds="ward")
        assert in_order(plan, "code", "gain") == [(BROOK, 10_000)]
        assert states(plan)[FORD] == "not known"
        assert dict(words.assumptions(plan))["Kept"] == "nothing counts as reached before the plan"

    def test_statuses_of_gaps_are_those_that_lack_a_component(self, usual: Engine) -> None:
        plan = whole_plan(usual)
        gaps = [status.value for status in Status if status.is_gap]
        frame = plan.wards.frame
        assert (frame["status"].isin(gaps) == frame["has_gap"]).all()
