"""Whom a plan reaches by deprivation: against sums by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dashboard import plan_told as told
from dashboard.plan_equity import PlanEquity, plan_equity
from tests.test_site_plan import (
    ASH,
    BIRCH,
    CEDAR,
    DOGWOOD,
    FIR,
    GEAN,
    SITES,
    need_by_hand,
    plan_of,
    states,
)

NO_PLAN: Any = {"goal": "nearest", "sites": "4"}


def fifths(found: PlanEquity, *columns: str) -> list[tuple[Any, ...]]:
    rows = found.fifths[list(columns)].astype(object)
    return list(rows.where(rows.notna(), None).itertuples(index=False, name=None))


def test_reach_before_and_after() -> None:
    """Ash and Birch (fifth 1) and Cedar (3) are reached; Dogwood (5) was there before. Nobody knows
    of Fir (4), so Gean alone is that fifth."""
    found = plan_equity(plan_of())
    assert fifths(found, "fifth", "people", "reach_before", "reach_after") == [
        (1, 300, 0, 1), (2, 500, 0, 0), (3, 300, 0, 1), (4, 700, 0, 0), (5, 400, 1, 1),
    ]  # fmt: skip
    assert found.left_out == 1


def test_link_workers_go_where_the_need_is() -> None:
    """East's FTE for Ash and Birch is all fifth 1's, West's all Cedar's: 1 for 300 people is 33.3 for
    10,000."""
    found = plan_equity(plan_of())
    assert fifths(found, "fte_before") == [
        (0,), (20,), (pytest.approx(0.5 / 300 * 10_000),), (0,), (25,)
    ]  # fmt: skip
    assert fifths(found, "fte_after") == [
        (pytest.approx(1 / 300 * 10_000),), (20,), (50,), (0,), (25,)
    ]  # fmt: skip


@pytest.mark.parametrize("fte", ["0", "0.5", "1", "2"])
def test_as_many_come_as_the_sites_bring(fte: str) -> None:
    """Also where the wards of one site are of two fifths: East's then by 10 and 20 of their need."""
    plan = plan_of(site_fte=fte, need=need_by_hand(imd_fifth={BIRCH: 3}))
    found = plan_equity(plan)
    frame = plan.wards.frame
    people = frame[frame["ward_code"] != FIR].groupby("imd_fifth")["population"].sum()
    added = (found.fifths["fte_after"] - found.fifths["fte_before"]) / 10_000
    added = added * people.to_numpy(float)
    assert added.sum() == pytest.approx(2 * float(fte))
    assert added.tolist() == pytest.approx(
        [float(fte) / 3, 0, float(fte) * 5 / 3, 0, 0]
    )  # fmt: skip


def test_the_slope_by_hand() -> None:
    """Weighted least squares on midpoints of cumulative shares: shares 3, 5, 3, 7 and 4 of 22."""
    found = plan_equity(plan_of())
    people, middles, below = [300, 500, 300, 700, 400], [], 0.0
    for number in people:
        middles.append(1 - (below + number / 2) / 2200)
        below += number
    for slope, rates in (
        (found.reach_before, [0, 0, 0, 0, 1]),
        (found.reach_after, [1, 0, 1, 0, 1]),
    ):
        assert slope is not None
        mean = sum(n * x for n, x in zip(people, middles, strict=True)) / 2200
        height = sum(n * y for n, y in zip(people, rates, strict=True)) / 2200
        by = sum(
            n * (x - mean) * (y - height) for n, x, y in zip(people, middles, rates, strict=True)
        )
        over = sum(n * (x - mean) ** 2 for n, x in zip(people, middles, strict=True))
        assert slope.slope == pytest.approx(by / over)
        assert (slope.lower, slope.upper) == (None, None)


def test_a_fifth_without_anybody_has_no_slope() -> None:
    found = plan_equity(plan_of(codes={ASH, BIRCH, CEDAR, DOGWOOD}))
    assert fifths(found, "fifth", "people", "reach_after") == [
        (1, 300, 1), (2, None, None), (3, 300, 1), (4, None, None), (5, 400, 1)
    ]  # fmt: skip
    assert (found.reach_before, found.reach_after, found.fte_before, found.fte_after) == (None,) * 4
    assert told.equity_finding(found) == [
        "A slope over deprivation needs people in each of the five fifths."
    ]
    rows = told.equity_table(found)[1]
    assert rows[1] == ("2", "–", "–", "–", "–", "–")
    assert rows[-1][2:] == ("–", "–", "–", "–")


def test_what_is_not_known_is_left_out_and_not_nobody() -> None:
    """Of Gean no population is known, of Cedar no link worker, of Dogwood no fifth."""
    need = need_by_hand(
        people={GEAN: None}, population={GEAN: None}, fte={CEDAR: None}, imd_fifth={DOGWOOD: None}
    )
    found = plan_equity(plan_of(need=need))
    assert found.left_out == 3
    assert fifths(found, "fifth", "people", "fte_after") == [
        (1, 300, pytest.approx(1 / 300 * 10_000)), (2, 500, 20), (3, 300, None), (4, None, None),
        (5, None, None),
    ]  # fmt: skip
    notes = told.equity_notes(plan_of(need=need), found)
    assert notes[1] == "3 wards left out: need, people or deprivation not known."


def test_every_ward_counted_and_its_provision_was_there_before() -> None:
    found = plan_equity(plan_of(whose="every", sites="3"))
    assert fifths(found, "reach_before") == [(0,), (0,), (0,), (0,), (1,)]
    assert fifths(found, "reach_after") == [(1,), (0,), (1,), (0,), (1,)]


@pytest.mark.parametrize(("room", "share"), [(30.0, 1), (25.0, 25 / 30), (1.0, 1 / 30)])
def test_a_ward_without_room_for_all_counts_for_the_share_met(room: float, share: float) -> None:
    """Cedar (fifth 3) goes to West; Ash and Birch have room at East."""
    halls = SITES.assign(capacity=pd.Series([None, room, None], dtype="float64"))
    found = plan_equity(plan_of(halls=halls))
    assert fifths(found, "reach_before", "reach_after") == [
        (0, 1), (0, 0), (0, pytest.approx(share)), (0, 0), (1, 1)
    ]  # fmt: skip


def test_a_share_is_of_the_people_of_the_ward() -> None:
    """Birch's 200 are met for 2 of their 20, Ash's 100 all: 120 of the 300 of fifth 1."""
    halls = SITES.assign(capacity=pd.Series([12, 30, None], dtype="float64"))
    found = plan_equity(plan_of(halls=halls, need=need_by_hand(need={CEDAR: 30.0})))
    assert states(plan_of(halls=halls))[BIRCH] == "partly reached"
    assert fifths(found, "reach_after")[0] == (pytest.approx(120 / 300),)


def test_no_site_changes_nothing() -> None:
    found = plan_equity(plan_of(**NO_PLAN))
    assert found.fifths["reach_before"].equals(found.fifths["reach_after"])
    assert found.fifths["fte_before"].equals(found.fifths["fte_after"])
    assert plan_equity(plan_of(codes=())).fifths["people"].isna().all()


def test_in_words() -> None:
    found = plan_equity(plan_of())
    assert told.equity_finding(found)[0].startswith(
        "From the least to the most deprived end, the share of people within reach differs by "
    )
    assert told.equity_finding(found)[0].endswith(": the ends come closer together.")
    rows = told.equity_table(found)[1]
    assert rows[0] == ("1, most deprived", "300", "0%", "100%", "0.00", "33.33")
    assert rows[4] == ("5, least deprived", "400", "100%", "100%", "25.00", "25.00")
    same = plan_equity(plan_of(**NO_PLAN))
    assert told.equity_finding(same)[0].endswith(": the ends come no closer together.")
    assert told.equity_notes(plan_of(site_fte="0.5"), found)[-1].startswith(
        "Each site brings 0.5 FTE"
    )
    assert pd.notna(found.fifths.drop(columns="fifth").to_numpy()).all()
