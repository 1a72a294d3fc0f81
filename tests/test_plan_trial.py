"""A plan under other assumptions: which are tried, what comes of each, and how sure each site is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard import data, filters, long_work
from dashboard import plan_told as told
from dashboard.filters import Area
from dashboard.plan_trial import DRAWS, begin, key_of, request, state
from dashboard.plan_work import site_plans
from dashboard.settings import settings
from dashboard.site_plan import PlanChoices, as_payload
from dashboard.sureness import AS_CHOSEN, DRAWN, MONEY, NEED, REACH, Sureness, sureness
from queries.database import make_engine, upgrade
from queries.scope import EVERYTHING
from tests import small_board as b
from tests.made_once import HASH_KEY
from tests.small_board import BROOK, CASTLE, DALE, ELM
from tests.test_site_plan import (
    ASH,
    BIRCH,
    CEDAR,
    DOGWOOD,
    EAST,
    ELDER,
    GEAN,
    SOUTH,
    WEST,
    plan_of,
)

pytestmark = pytest.mark.usefixtures("settings_as_shipped")
Case = dict[str, Any]


def case(kind: str, *sites: str, label: str = "tried", reached: float = 1.0) -> Case:
    why = "" if sites else "nothing fits"
    return {"label": label, "kind": kind, "sites": [*sites], "reached": reached, "infeasible": why}


# How sure.


def test_shares_by_hand() -> None:
    """Of five plans West is in all, East in three, South in one; the sixth case has no plan."""
    cases = [
        case(AS_CHOSEN, WEST, EAST, label="As chosen", reached=60), case(REACH, WEST, EAST),
        case(NEED, WEST, SOUTH), case(MONEY, label="Budget £1"), case(DRAWN, WEST, EAST),
        case(DRAWN, WEST),
    ]  # fmt: skip
    found = sureness(plan_of(), cases)
    rows = found.sites[["code", "site_name", "in_plan", "share"]].to_numpy(object).tolist()
    assert rows == [
        [WEST, "West hall", True, 1.0], [EAST, "East hall", True, 0.6],
        [SOUTH, "South hall", False, 0.2],
    ]  # fmt: skip
    assert (found.all_cases, found.drawn) == (5, 2)
    # The drawn ones are counted, not listed.
    assert found.cases["label"].tolist() == ["As chosen", "tried", "tried", "Budget £1"]
    assert found.cases["sites"].tolist() == [
        "West hall, East hall", "West hall, East hall", "West hall, South hall", ""
    ]  # fmt: skip
    assert told.sure_finding(found) == [
        "**1 site** is chosen in all **5** plans: West hall.",
        "Of this plan, East hall is the least sure: chosen in 60%. A near site is chosen in its "
        "place, or another ward.",
    ]
    assert told.sure_table(found)[1] == [
        ("West hall", "yes", "100%"), ("East hall", "yes", "60%"), ("South hall", "no", "20%"),
    ]  # fmt: skip
    assert told.cases_table(plan_of(), found)[1][-1] == ("Budget £1", "nothing fits", "1")


def test_no_site_in_all_of_them() -> None:
    found = sureness(plan_of(), [case(AS_CHOSEN, WEST), case(DRAWN, EAST), case(DRAWN, WEST)])
    assert told.sure_finding(found)[0] == (
        "**No site** is chosen in all **3** plans; most often West hall, in **67%**."
    )


@given(st.lists(st.lists(st.sampled_from([EAST, WEST, SOUTH]), unique=True), min_size=1))
def test_shares_add_up_to_the_sites_of_a_plan(chosen: list[list[str]]) -> None:
    found = sureness(PLAN, [case(DRAWN, *codes) for codes in chosen])
    planned = [codes for codes in chosen if codes]
    assert found.all_cases == found.drawn == len(planned)
    assert found.sites["share"].between(0, 1).all()
    assert found.sites["share"].is_monotonic_decreasing
    expected = sum(map(len, planned)) / max(len(planned), 1)
    assert found.sites["share"].sum() == pytest.approx(expected)


PLAN = plan_of()


# The work.


def worked(cases: list[Case], problem: Any = None) -> tuple[list[Case], list[tuple[int, int, str]]]:
    steps: list[tuple[int, int, str]] = []
    payload = {"problem": as_payload(problem or PLAN.problem), "cases": cases}
    payload = json.loads(json.dumps(payload, allow_nan=False))
    answer = site_plans(payload, lambda *step: steps.append(step))
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    return answer["cases"], steps


def test_each_change_alone() -> None:
    def labelled(name: str, **changes: Any) -> Case:
        return {"label": name, "kind": NEED, **changes}

    other = {ASH: 0.0, BIRCH: 1.0, CEDAR: 7.0, DOGWOOD: 40.0, ELDER: 3.0, GEAN: 5.0}
    found, steps = worked(
        [
            labelled("as it is"), labelled("near", reach=1000.0), labelled("one", sites_wanted=1),
            labelled("money", budget=24_999.0, sites_wanted=None), labelled("need", need=other),
            labelled("none", sites_wanted=None, budget=7_999.0), labelled("many", sites_wanted=9),
            labelled("as it is again"),
        ]
    )  # fmt: skip
    told_of = {each["label"]: (each["sites"], each["reached"]) for each in found}
    assert told_of == {
        "as it is": ([WEST, EAST], 60), "near": ([EAST], 30), "one": ([WEST], 50),
        "money": ([WEST], 50), "need": ([WEST, SOUTH], 11), "none": ([], 0),
        "many": ([WEST, EAST], 60), "as it is again": ([WEST, EAST], 60),
    }  # fmt: skip
    assert found[5]["infeasible"] == "1 site costs at least £8,000, the budget is £7,999"
    assert {each["infeasible"] for each in found if each["label"] != "none"} == {""}
    # Told before each, and that none is done before the first.
    assert steps == [(n, 8, each["label"]) for n, each in enumerate(found)]


def test_nothing_to_try() -> None:
    assert worked([]) == ([], [])


def test_the_key_is_of_all_the_cases() -> None:
    payload = {"problem": as_payload(PLAN.problem), "cases": [case(AS_CHOSEN)]}
    again = json.loads(json.dumps(payload))
    assert key_of(payload) == key_of(again)
    assert key_of({**payload, "cases": []}) != key_of(payload)
    nearer = as_payload(replace(PLAN.problem, reach=1.0))
    assert key_of({**payload, "problem": nearer}) != key_of(payload)


# What is tried, of the small board.

AREA = Area(b.BOARD, b.AS_AT)


@pytest.fixture(scope="module")
def board_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trial") / "b.db"
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    upgrade(engine)
    b.Board(times={}).save(engine)
    engine.dispose()
    return path


@pytest.fixture
def board(board_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The dashboard reads the small board, with straight lines."""
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{board_path.as_posix()}")
    monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
    monkeypatch.setattr(filters, "newest_as_at", lambda: b.AS_AT)
    settings.cache_clear()
    yield data.engine()
    data.engine().dispose()
    settings.cache_clear()


def asked(engine: Engine, **choices: str) -> dict[str, Any]:
    payload = request(engine, EVERYTHING, AREA, PlanChoices(**choices))
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload
    return payload


def of_kind(payload: dict[str, Any], kind: str) -> list[Case]:
    return [each for each in payload["cases"] if each["kind"] == kind]


@pytest.mark.slow
class TestCases:
    def test_all_that_is_tried(self, board: Engine) -> None:
        payload = asked(board, reach="2", kinds="ward")
        assert payload["cases"][0] == {"label": "As chosen", "kind": AS_CHOSEN}
        assert [(each["label"], each["reach"]) for each in of_kind(payload, REACH)] == [
            ("Reach 1 km", 1000), ("Reach 1.5 km", 1500), ("Reach 2.5 km", 2500),
            ("Reach 3 km", 3000),
        ]  # fmt: skip
        assert [each["label"] for each in of_kind(payload, NEED)] == [
            "Expected at the level of served wards", "Adults"
        ]  # fmt: skip
        assert [(each["label"], each["sites_wanted"]) for each in of_kind(payload, MONEY)] == [
            ("1 site", 1), ("3 sites", 3)
        ]  # fmt: skip
        assert len(of_kind(payload, DRAWN)) == DRAWS == 40
        assert len(payload["cases"]) == 1 + 4 + 2 + 2 + 40

    def test_the_ways_are_those_of_the_widest_reach(self, board: Engine) -> None:
        problem = asked(board, reach="2", kinds="ward")["problem"]
        assert problem["reach"] == 2000
        assert 2000 < max(problem["costs"]["cost"]) <= 3000

    def test_other_measures_are_of_the_same_wards(self, board: Engine) -> None:
        served, adults = of_kind(asked(board), NEED)
        assert served["need"][ELM] == pytest.approx(40 / 3)
        assert served["need"][CASTLE] == pytest.approx(35 / 3)
        assert (adults["need"][ELM], adults["need"][BROOK]) == (2500, 10_000)
        assert set(served["need"]) == set(adults["need"]) == set(asked(board)["problem"]["need"])
        assert [each["label"] for each in of_kind(asked(board, need="adults"), NEED)] == [
            "Expected less observed referrals", "Expected at the level of served wards"
        ]  # fmt: skip

    def test_money_or_a_number(self, board: Engine) -> None:
        money = of_kind(asked(board, budget="100000"), MONEY)
        assert [(each["label"], each["budget"]) for each in money] == [
            ("Budget £80,000", 80_000), ("Budget £120,000", 120_000)
        ]  # fmt: skip
        assert [e["sites_wanted"] for e in of_kind(asked(board, sites="1"), MONEY)] == [2]
        assert of_kind(asked(board, sites="any"), MONEY) == []
        assert of_kind(asked(board, goal="fewest"), MONEY) == []

    def test_everybody_is_sent_however_far(self, board: Engine) -> None:
        assert of_kind(asked(board, goal="nearest"), REACH) == []
        assert len(of_kind(asked(board, goal="fewest"), REACH)) == 4

    def test_only_an_estimate_is_drawn_again(self, board: Engine) -> None:
        assert of_kind(asked(board, need="adults"), DRAWN) == []
        assert len(of_kind(asked(board, need="served"), DRAWN)) == 40

    def test_the_draws_are_the_same_each_time_and_around_the_need(self, board: Engine) -> None:
        drawn, again = of_kind(asked(board), DRAWN), of_kind(asked(board), DRAWN)
        assert drawn == again
        elm, castle, dale = ([each["need"][code] for each in drawn] for code in (ELM, CASTLE, DALE))
        # Elm's 0 of 10 leaves between 10 less 3.7 and 10; Castle's 15 of 20 has more room.
        assert min(elm) > 5
        assert max(elm) <= 10
        assert np.std(castle) > np.std(elm)
        assert 0 <= min(castle) < 5 < max(castle) <= 20
        assert len({round(value, 6) for value in dale}) > 10
        assert drawn[0]["label"] == "Need drawn again, 1 of 40"

    def test_of_a_theme_the_draws_are_its_share(self, board: Engine) -> None:
        whole, part = (of_kind(asked(board, theme=t), DRAWN) for t in ("", "loneliness"))
        for mine, theirs in zip(part, whole, strict=True):
            assert mine["need"][ELM] == pytest.approx(theirs["need"][ELM] * 55 / 75)

    def test_as_chosen_is_the_plan_of_the_page(self, board: Engine) -> None:
        payload = asked(board, reach="1", kinds="ward", sites="1")
        (as_chosen,) = site_plans({**payload, "cases": payload["cases"][:1]}, lambda *_: None)[
            "cases"
        ]
        assert (as_chosen["sites"], as_chosen["reached"]) == ([ELM], 10)


# In a process of its own.


@pytest.fixture
def nothing_left() -> Iterator[None]:
    yield
    for key in list(long_work._works):
        long_work.cancel(key)
    long_work._works.clear()


def until(key: str, holds: Callable[[long_work.Status], bool]) -> long_work.Status:
    for _ in range(60 * 50):
        found = state(key)
        if holds(found):
            return found
        time.sleep(0.02)
    pytest.fail(f"waited in vain: {found}")


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_left")
class TestProcess:
    def test_to_its_end(self) -> None:
        cases = [{"label": str(n), "kind": MONEY, "sites_wanted": n} for n in (1, 2)]
        payload = {"problem": as_payload(PLAN.problem), "cases": cases}
        key = key_of(payload)
        assert state(key).state == "none"
        begin(payload)
        assert state(key).state == "running"
        found = until(key, lambda s: s.state != "running")
        assert (found.state, found.message) == ("done", "")
        assert [each["sites"] for each in found.result["cases"]] == [[WEST], [WEST, EAST]]
        assert isinstance(sureness(PLAN, found.result["cases"]), Sureness)

    def test_progress_and_stopping(self) -> None:
        """Enough cases that it is never done before it is stopped."""
        cases = [{"label": f"case {n}", "kind": DRAWN} for n in range(5000)]
        payload = {"problem": as_payload(PLAN.problem), "cases": cases}
        key = key_of(payload)
        begin(payload)
        found = until(key, lambda s: s.done > 0)
        assert found.of == 5000
        assert found.words == f"case {found.done}"
        long_work.cancel(key)
        assert state(key).state == "cancelled"
        # It can be asked for again.
        begin(payload)
        assert state(key).state == "running"

    def test_a_problem_that_cannot_be_read(self) -> None:
        payload: dict[str, Any] = {"problem": {}, "cases": []}
        begin(payload)
        found = until(key_of(payload), lambda s: s.state != "running")
        assert found.state == "failed"
        assert "give the error number" in found.message
