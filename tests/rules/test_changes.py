"""What is told as a change, what is held back, and in which order: both sides of each line."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import product
from math import log10
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules import changes as rules
from dashboard.rules.changes import (
    Change,
    Judged,
    Kind,
    corrections,
    in_order,
    return_changes,
    service_changes,
    signals,
    surprise,
    target_changes,
    ward_changes,
)
from dashboard.rules.control_chart import ControlChart, judge_series
from dashboard.rules.coverage import Status
from dashboard.this_week_words import FALSE_SIGNALS

NORTHAM, SOUTHAM = ("E07000901", "Northam"), ("E07000902", "Southam")


# Wards.


def wards(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Code, status, smoothed; then people and district, 1,000 in Northam where they are left out."""
    columns = ["ward_code", "status", "smoothed", "people", "lad_code", "lad_name"]
    filled = [(*row, *(1_000, *NORTHAM)[len(row) - 3 :]) for row in rows]
    frame = pd.DataFrame(filled, columns=columns).astype(
        {"ward_code": "str", "status": "str", "smoothed": "Float64", "people": "Int64",
         "lad_code": "str", "lad_name": "str"}
    )  # fmt: skip
    return frame.assign(ward_name="Ward " + frame["ward_code"])


# What lies between two sorts of status: gap, judged by take-up, hidden, unknown, no return.
SORTS = {
    "G": (Status.NO_PROVISION, Status.NO_LINK_WORKER, Status.NOTHING_TO_REFER_TO),
    "T": (Status.NOT_REACHED, Status.LOW, Status.AS_EXPECTED, Status.HIGH),
    "H": (Status.HIDDEN,),
    "U": (Status.UNKNOWN,),
    "N": (Status.NO_RETURN,),
}
KINDS = {
    "GG": Kind.OTHER_GAP, "GT": Kind.GAINED, "GH": Kind.GAINED, "GU": Kind.GAINED,
    "GN": Kind.UNJUDGED,
    "TG": Kind.LOST, "TT": Kind.TAKE_UP, "TH": Kind.TAKE_UP, "TU": Kind.UNJUDGED,
    "TN": Kind.UNJUDGED,
    "HG": Kind.LOST, "HT": Kind.TAKE_UP, "HU": Kind.UNJUDGED, "HN": Kind.UNJUDGED,
    "UG": Kind.LOST, "UT": Kind.JUDGED, "UH": Kind.JUDGED, "UN": Kind.UNJUDGED,
    "NG": Kind.JUDGED, "NT": Kind.JUDGED, "NH": Kind.JUDGED, "NU": Kind.JUDGED,
}  # fmt: skip


def test_every_status_has_a_sort() -> None:
    assert sorted(status for sort in SORTS.values() for status in sort) == sorted(Status)


@pytest.mark.parametrize("sorts", [a + b for a, b in product(SORTS, SORTS)])
def test_the_kind_of_every_pair_of_statuses(sorts: str) -> None:
    for was, now in product(SORTS[sorts[0]], SORTS[sorts[1]]):
        found = ward_changes(wards(("1", was, 80.0)), wards(("1", now, 120.0)))
        if was == now:
            assert found == []
            continue
        held_back = "the number is hidden" if sorts in ("TH", "HT") else ""
        (change,) = found
        assert change == Change(
            KINDS[sorts], "1", ("Ward 1",), was, now, 1_000, 0.0, *NORTHAM, held_back=held_back
        )  # fmt: skip


MOVED = "smoothed take-up moved by less than 10 in 100"


@pytest.mark.parametrize(
    ("was", "now", "held_back"),
    [
        (80.0, 90.0, ""),
        (80.0, 89.9, MOVED),
        (90.0, 80.0, ""),
        (89.9, 80.0, MOVED),
        # In floating point 128.2 less 118.2 is less than 10.
        (118.2, 128.2, ""),
        (80.0, None, "take-up cannot be smoothed"),
        (None, 80.0, "take-up cannot be smoothed"),
    ],
)
def test_how_far_take_up_moved(was: float | None, now: float | None, held_back: str) -> None:
    found = ward_changes(wards(("1", "Low take-up", was)), wards(("1", "As expected", now)))
    assert [(change.kind, change.held_back) for change in found] == [(Kind.TAKE_UP, held_back)]


def test_provision_is_told_however_little_take_up_moved() -> None:
    found = ward_changes(wards(("1", "Low take-up", 80.0)), wards(("1", "No provision", 80.0)))
    assert [(change.kind, change.held_back) for change in found] == [(Kind.LOST, "")]


def test_wards_of_a_district_that_changed_alike_are_one_change() -> None:
    before = wards(
        *((code, "As expected", 100.0) for code in "1234"),
        ("5", "As expected", 100.0, 500, *SOUTHAM),
        ("6", "Low take-up", 100.0),
    )
    now = wards(
        *((code, "No provision", 100.0) for code in "213"),
        ("4", "No link worker", 100.0),
        ("5", "No provision", 100.0, 500, *SOUTHAM),
        ("6", "No provision", 100.0),
    )
    found = ward_changes(before, now)
    # Four events of a kind among six wards: (4 + 1) / (6 + 1).
    rare = -log10(5 / 7)
    assert found == [
        Change(Kind.LOST, "", ("Ward 1", "Ward 2", "Ward 3"), "As expected", "No provision", 3_000,
               pytest.approx(rare), *NORTHAM),
        Change(Kind.LOST, "4", ("Ward 4",), "As expected", "No link worker", 1_000,
               pytest.approx(rare), *NORTHAM),
        Change(Kind.LOST, "5", ("Ward 5",), "As expected", "No provision", 500,
               pytest.approx(rare), *SOUTHAM),
        Change(Kind.LOST, "6", ("Ward 6",), "Low take-up", "No provision", 1_000,
               pytest.approx(rare), *NORTHAM),
    ]  # fmt: skip


def test_wards_held_back_are_told_apart_from_those_that_are_not() -> None:
    before = wards(("1", "Low take-up", 80.0), ("2", "Low take-up", 80.0))
    now = wards(("1", "As expected", 95.0), ("2", "As expected", 85.0))
    found = ward_changes(before, now)
    assert [(change.code, change.held_back) for change in found] == [("1", ""), ("2", MOVED)]


def test_wards_without_a_district_or_without_people() -> None:
    before = wards(("1", "As expected", 1.0), ("2", "As expected", 1.0))
    now = wards(
        ("1", "No provision", 1.0, None, None, None), ("2", "No provision", 1.0, 7, None, None)
    )
    (change,) = ward_changes(before, now)
    assert (change.names, change.people, change.place_code, change.place) == (
        ("Ward 1", "Ward 2"), 7, "", ""
    )  # fmt: skip


def test_new_wards_and_wards_that_went_are_not_compared() -> None:
    before = wards(("1", "As expected", 100.0), ("2", "As expected", 100.0))
    now = wards(("1", "As expected", 100.0), ("3", "No provision", 100.0))
    assert ward_changes(before, now) == []
    # And they are not among what was looked at: one event of one ward is as usual as can be.
    (change,) = ward_changes(before, wards(("2", "No provision", 1.0), ("3", "No provision", 1.0)))
    assert (change.code, change.surprise) == ("2", 0.0)


# Networks.


def networks(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["pcn_code", "fte", "aim_fte", "people"]
    frame = pd.DataFrame([(*row, 8_000)[:4] for row in rows], columns=columns)
    types = {"pcn_code": "str", "fte": "Float64", "aim_fte": "Float64", "people": "Int64"}
    return frame.astype(types).assign(pcn_name="Network " + frame["pcn_code"])


SMALL = "moved by less than 0.1 FTE"


@pytest.mark.parametrize(
    ("was", "now", "kind", "held_back"),
    [
        ((4.9, 5.0), (5.0, 5.0), Kind.TARGET_MET, ""),
        ((4.91, 5.0), (5.0, 5.0), Kind.TARGET_MET, SMALL),
        ((5.0, 5.0), (4.9, 5.0), Kind.TARGET_MISSED, ""),
        ((5.0, 5.0), (4.95, 5.0), Kind.TARGET_MISSED, SMALL),
        # The target moved, nobody came or went.
        ((5.0, 5.0), (5.0, 5.1), Kind.TARGET_MISSED, ""),
        ((5.0, 5.05), (5.0, 5.0), Kind.TARGET_MET, SMALL),
        # On the target is met; more of what was met is no news, nor is less of what was missed.
        ((5.0, 5.0), (9.0, 5.0), None, ""),
        ((4.9, 5.0), (1.0, 5.0), None, ""),
        # Nobody said what it aims at, or what it has.
        ((None, 5.0), (5.0, 5.0), None, ""),
        ((4.0, 5.0), (None, 5.0), None, ""),
        ((4.0, None), (5.0, 5.0), None, ""),
        ((4.0, 5.0), (5.0, None), None, ""),
    ],
)
def test_crossing_a_target(
    was: tuple[float | None, float | None],
    now: tuple[float | None, float | None],
    kind: Kind | None,
    held_back: str,
) -> None:
    found = target_changes(networks(("U1", *was)), networks(("U1", *now)))
    told = [] if kind is None else [(kind, held_back)]
    assert [(change.kind, change.held_back) for change in found] == told


def test_a_network_that_met_its_target_whole() -> None:
    before = networks(*((f"U{n}", 4.0, 5.0) for n in range(9)))
    now = networks(
        ("U0", 5.25, 5.0), *((f"U{n}", 4.0, 5.0, None) for n in range(1, 9)), ("new", 1, 2)
    )
    assert target_changes(before, now) == [
        Change(Kind.TARGET_MET, "U0", ("Network U0",), "4.0 of 5.0 FTE", "5.2 of 5.0 FTE", 8_000,
               pytest.approx(-log10(2 / 10)))
    ]  # fmt: skip
    crossed = networks(("U1", 5.25, 5.0, None))
    assert [change.people for change in target_changes(before, crossed)] == [0]


# Services.


def services(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {"service_key": "k", "is_full": False, "freshness": "under 6 months",
             "places_offered": 5, "ends_soon": ""}  # fmt: skip
    frame = pd.DataFrame([usual | row for row in rows]).astype(
        {"service_key": "str", "is_full": "bool", "freshness": "str", "places_offered": "Int64",
         "ends_soon": "str"}
    )  # fmt: skip
    return frame.assign(service_name="Garden", provider="Together")


@pytest.mark.parametrize(
    ("places", "held_back"),
    [(4, "fewer than 5 places"), (5, ""), (0, "fewer than 5 places"), (None, "")],
)
@pytest.mark.parametrize("is_full", [True, False])
def test_full_and_room_again(places: int | None, held_back: str, is_full: bool) -> None:
    free, full = (
        services({"places_offered": places}),
        services({"is_full": True, "places_offered": places}),
    )
    before, now = (free, full) if is_full else (full, free)
    kind = Kind.FULL if is_full else Kind.REOPENED
    words = ("had room", "full") if is_full else ("was full", "room")
    assert service_changes(before, now) == [
        Change(kind, "k", ("Garden (Together)",), *words, places or 0, 0.0, held_back=held_back)
    ]


def test_a_service_gone_stale() -> None:
    fresh, ageing, stale, never = (
        "under 6 months",
        "6 to 12 months",
        "over 12 months",
        "never confirmed",
    )
    told = {
        (was, now): [change.kind for change in found]
        for was, now in product((fresh, ageing, stale, never), repeat=2)
        if (found := service_changes(services({"freshness": was}), services({"freshness": now})))
    }
    assert told == {
        pair: [Kind.STALE] for pair in product((fresh, ageing), (stale, never))
    }  # fmt: skip
    (change,) = service_changes(services({"freshness": ageing}), services({"freshness": stale}))
    # Of few places too: it is gone for everybody.
    few = services({"freshness": stale, "places_offered": 1})
    assert (change.was, change.now, change.held_back) == (ageing, stale, "")
    assert [c.held_back for c in service_changes(services({}), few)] == [""]


def test_funding_that_comes_within_sight_of_its_end() -> None:
    none, ends = services({}), services({"ends_soon": "ends on 30 June 2026"})
    assert service_changes(none, ends) == [
        Change(Kind.FUNDING, "k", ("Garden (Together)",), "", "ends on 30 June 2026", 5, 0.0)
    ]
    later = services({"ends_soon": "ends on 31 July 2026"})
    for before, now in ((none, none), (ends, ends), (ends, none), (ends, later)):
        assert service_changes(before, now) == []


def test_one_service_may_change_in_three_ways_and_a_new_one_in_none() -> None:
    before = services({}, *({"service_key": f"other {n}"} for n in range(7)))
    everything = {
        "is_full": True,
        "freshness": "over 12 months",
        "ends_soon": "ends on 1 July 2026",
    }
    now = services(everything, everything | {"service_key": "new"},
                   *({"service_key": f"other {n}"} for n in range(7)))  # fmt: skip
    found = service_changes(before, now)
    assert [(change.kind, change.code) for change in found] == [
        (Kind.FULL, "k"), (Kind.STALE, "k"), (Kind.FUNDING, "k")
    ]  # fmt: skip
    # One of its kind among eight: 2 of 9.
    assert [change.surprise for change in found] == [pytest.approx(-log10(2 / 9))] * 3


# Returns.

REFERRALS, WORKFORCE = ("referrals", "Referrals"), ("workforce", "Workforce")


def returns(*rows: tuple[str, str, str], dataset: tuple[str, str] = REFERRALS) -> pd.DataFrame:
    """Network, month, state."""
    frame = pd.DataFrame(rows, columns=["pcn_code", "month", "state"]).astype("str")
    named = frame.assign(
        dataset=dataset[0], title=dataset[1], pcn_name="Network " + frame["pcn_code"]
    )
    return named.assign(people=pd.Series(100, frame.index, dtype="Int64"))


STATES = ("received", "not due yet", "late", "missing", "none expected", "never loaded")


def test_every_pair_of_states_of_a_return() -> None:
    told = {
        (was, now): change.kind
        for was, now in product(STATES, repeat=2)
        for change in return_changes(
            returns(("U1", "May 2026", was)), returns(("U1", "May 2026", now))
        )
    }
    assert told == {
        **{(was, "received"): Kind.ARRIVED for was in STATES[1:]},
        ("not due yet", "late"): Kind.LATE,
        ("not due yet", "missing"): Kind.LATE,
    }


def test_a_return_that_comes_when_it_is_due_is_as_usual_as_can_be() -> None:
    others = [(f"V{n}", "May 2026", "received") for n in range(8)]
    found = {}
    for was in ("not due yet", "late"):
        before = returns(("U1", "May 2026", was), *others)
        (found[was],) = return_changes(before, returns(("U1", "May 2026", "received"), *others))
    assert found["not due yet"] == Change(
        Kind.ARRIVED, "U1", ("Network U1",), "not due yet", "received", 100, 0.0,
        detail="Referrals, May 2026",
    )  # fmt: skip
    assert found["late"] == replace(
        found["not due yet"], was="late", surprise=pytest.approx(-log10(2 / 10))
    )


def test_a_month_that_had_not_begun_was_not_due() -> None:
    before = returns(("U1", "May 2026", "received"))
    now = returns(("U1", "May 2026", "received"), ("U1", "June 2026", "received"),
                  ("U2", "June 2026", "late"), ("U3", "June 2026", "not due yet"))  # fmt: skip
    assert [
        (c.kind, c.code, c.was, c.now, c.surprise > 0) for c in return_changes(before, now)
    ] == [
        (Kind.ARRIVED, "U1", "not due yet", "received", False),
        (Kind.LATE, "U2", "not due yet", "late", True),
    ]


def test_networks_of_a_dataset_and_month_are_one_change() -> None:
    codes = ("U2", "U1", "U3")
    before = pd.concat(
        returns(*((code, month, "not due yet") for code in codes), dataset=dataset)
        for month in ("May 2026", "June 2026")
        for dataset in (REFERRALS, WORKFORCE)
    )
    now = before.assign(
        state=["received" if (row.dataset, row.month) in
               (("referrals", "May 2026"), ("workforce", "June 2026")) else "not due yet"
               for row in before.itertuples()]
    )  # fmt: skip
    found = return_changes(before, now)
    assert [(c.names, c.code, c.people, c.detail) for c in found] == [
        (("Network U1", "Network U2", "Network U3"), "", 300, "Referrals, May 2026"),
        (("Network U1", "Network U2", "Network U3"), "", 300, "Workforce, June 2026"),
    ]


def test_a_late_return_that_arrived_is_not_told_with_those_that_came_in_time() -> None:
    """What came late was waited for: it is told by itself, and not as if it had been due."""
    before = returns(("U1", "May 2026", "not due yet"), ("U2", "May 2026", "late"))
    now = returns(("U1", "May 2026", "received"), ("U2", "May 2026", "received"))
    found = return_changes(before, now)
    assert sorted((c.names, c.was, c.now) for c in found) == [
        (("Network U1",), "not due yet", "received"),
        (("Network U2",), "late", "received"),
    ]


# Corrections.


def corrected(
    was: float | None, now: float | None, decimals: int = 0, missing: str = "hidden"
) -> list[Change]:
    row = {"code": "U1", "name": "North PCN", "figure": "New referrals", "month": "March 2026",
           "was": was, "now": now, "file_name": "march.csv", "decimals": decimals,
           "missing": missing}  # fmt: skip
    frame = pd.DataFrame([row]).astype({"was": "Float64", "now": "Float64"})
    return corrections(frame)


def test_a_correction_says_what_it_was_and_what_it_is() -> None:
    assert corrected(1_410, 1_400) == [
        Change(Kind.CORRECTED, "U1", ("North PCN",), "1,410", "1,400", 1_410,
               # 10 of 1,410 is 0.27 of its spread.
               pytest.approx(-log10(0.79), abs=0.002),
               detail="New referrals, March 2026; file march.csv")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("was", "now", "decimals", "words", "held_back"),
    [
        (410, 400, 0, ("410", "400"), False),
        (400, 400, 0, ("400", "400"), True),
        (None, 400, 0, ("hidden", "400"), False),
        (400, None, 0, ("400", "hidden"), False),
        (None, None, 0, ("hidden", "hidden"), True),
        (0, 10, 0, ("0", "10"), False),
        (2.004, 2.001, 2, ("2.00", "2.00"), True),
        (2.004, 2.006, 2, ("2.00", "2.01"), False),
    ],
)
def test_corrections_as_shown(
    was: float | None, now: float | None, decimals: int, words: tuple[str, str], held_back: bool
) -> None:
    (change,) = corrected(was, now, decimals)
    assert (change.was, change.now) == words
    assert change.held_back == ("no difference is left after rounding" if held_back else "")


def test_a_network_missing_from_the_newer_file_has_no_return() -> None:
    (change,) = corrected(2.0, None, 2, "no return")
    assert (change.was, change.now, change.people) == ("2.00", "no return", 0)


def test_a_larger_correction_of_the_same_number_is_the_greater_surprise() -> None:
    found = [corrected(400, now)[0].surprise for now in (395, 380, 300, 0)]
    assert found == sorted(found)
    assert found[0] > 0
    # Twenty of a spread of twenty is one in 10**89.
    assert found[-1] == rules.MOST_SURPRISE
    # Nobody can say how far from a hidden number it is.
    assert corrected(None, 400)[0].surprise == 0.0


def test_no_corrections() -> None:
    assert corrections(pd.DataFrame(columns=["was", "now"])) == []


# Control charts.

CALM = (100.0, 104.0, 97.0, 101.0, 99.0, 103.0, 98.0, 100.0, 102.0, 96.0, 101.0, 99.0, 100.0)


def months(count: int) -> list[date]:
    return [date(2025 + place // 12, place % 12 + 1, 1) for place in range(count)]


def chart(values: Sequence[float], **more: Any) -> ControlChart:
    return judge_series(months(len(values)), list(values), improvement="neither", **more)


def judged(values: Sequence[float], new: int, **more: Any) -> Judged:
    """Of which so many points at the end are new."""
    new_from = [*months(len(values)), date(2099, 1, 1)][-1 - new]
    return Judged("code", "Referrals", chart(values, **more), new_from, 7, 1, "%")


def test_a_new_point_outside_the_limits() -> None:
    values = (*CALM, 150.0)
    (change,) = signals([judged(values, 1)])
    (limits,) = chart(values).limits
    assert limits.upper is not None
    sigmas = (150 - limits.mean) / ((limits.upper - limits.mean) / 3)
    assert change == Change(
        Kind.SIGNAL, "code", ("Referrals",), f"mean {limits.mean:.1f}%",
        "150.0% in February 2026, above the mean",
        7, change.surprise, detail="outside the limits",
    )  # fmt: skip
    # By a table of the normal distribution: beyond 3 sigma lie 0.27%, beyond 4 of them 0.0063%.
    assert sigmas > 3
    assert -log10(0.0027) < change.surprise
    assert (change.surprise < -log10(0.000063)) == (sigmas < 4)


def test_an_old_point_and_a_calm_one_are_no_news() -> None:
    assert signals([judged((*CALM, 150.0), 0)]) == []
    assert signals([judged(CALM, 1)]) == []
    assert signals([judged((*CALM, 150.0, 100.0), 1)]) == []


def test_a_calm_point_after_a_new_signal_does_not_hide_it() -> None:
    (change,) = signals([judged((*CALM, 150.0, 100.0), 2)])
    assert (change.now, change.held_back) == ("150.0% in February 2026, above the mean", "")


ABOVE = (85.0, 98.0, 87.0, 97.0, 86.0, 98.0, 90.0, 105.0, 118.0, 103.0, 117.0, 104.0, 116.0)
GOES_ON = "the same was there before, and goes on"


def test_what_goes_on_from_before_is_held_back() -> None:
    (first,) = signals([judged(ABOVE, 6)])
    assert (first.detail, first.held_back) == ("six or more in a row on one side of the mean", "")
    (again,) = signals([judged(ABOVE, 1)])
    assert (again.detail, again.held_back) == (first.detail, GOES_ON)


def test_another_rule_or_the_other_side_is_news() -> None:
    # The run goes on, and now a point is outside the limits as well.
    (change,) = signals([judged((*ABOVE, 140.0), 1)])
    assert (change.detail, change.held_back) == ("outside the limits", "")
    (change,) = signals([judged((*CALM, 150.0, 50.0), 1)])
    assert change.held_back == ""
    (change,) = signals([judged((*CALM, 150.0, 151.0), 1)])
    assert change.held_back == GOES_ON


def test_a_signal_is_weighed_by_its_rarest_rule() -> None:
    assert rules.CHANCE[rules.Rule.SHIFT] == pytest.approx(1 / 32)
    (change,) = signals([judged(ABOVE, 6)])
    assert change.surprise == pytest.approx(log10(32))


def test_a_series_judged_anew_from_a_date() -> None:
    values = (*CALM, *(value + 50 for value in CALM[:6]), 210.0)
    recalculated = months(len(values))[len(CALM)]
    (change,) = signals([judged(values, 1, recalculate_from=[recalculated])])
    (_, limits) = chart(values, recalculate_from=[recalculated]).limits
    assert change.was == f"mean {limits.mean:.1f}%"
    assert limits.mean > 150


def test_a_series_of_which_nobody_had_told_is_new_whole() -> None:
    of = judged((*CALM, 150.0), 0)
    (change,) = signals([replace(of, new_from=date.min)])
    assert (change.now, change.held_back) == ("150.0% in February 2026, above the mean", "")


def test_few_points_are_not_judged() -> None:
    assert signals([judged((*CALM[:10], 900.0), 1)]) == []


def newest_fires(rng: np.random.Generator, points: int) -> bool:
    values = rng.normal(100, 10, points).tolist()
    return bool(signals([judged(values, 1)]))


@pytest.mark.slow  # three thousand series
def test_so_many_newest_points_fire_by_chance_alone() -> None:
    rng, count = np.random.default_rng(20_260_630), 3_000
    share = sum(newest_fires(rng, 24) for _ in range(count)) / count
    error = (FALSE_SIGNALS * (1 - FALSE_SIGNALS) / count) ** 0.5
    assert abs(share - FALSE_SIGNALS) < 3 * error


# The order.


@given(st.floats(0, 1))
def test_surprise_lies_between_0_and_the_most(chance: float) -> None:
    assert 0 <= surprise(chance) <= rules.MOST_SURPRISE


@pytest.mark.parametrize(
    ("chance", "expected"), [(1, 0.0), (0.1, 1.0), (1e-6, 6.0), (1e-7, 6.0), (0, 6.0)]
)
def test_surprise_by_hand(chance: float, expected: float) -> None:
    assert surprise(chance) == pytest.approx(expected)


def plain(
    kind: Kind, surprise: float, people: int, name: str = "a", code: str = "", detail: str = ""
) -> Change:
    return Change(kind, code, (name,), "was", "now", people, surprise, detail=detail)


def test_rank_by_hand() -> None:
    assert plain(Kind.LOST, 2.0, 90).rank == pytest.approx(4.0)
    assert plain(Kind.LOST, 2.0, 0).rank == pytest.approx(2.0)
    assert plain(Kind.LOST, 0.0, 10**6).rank == 0.0


def test_most_unusual_of_most_people_first_then_by_kind_and_name() -> None:
    wanted = [
        plain(Kind.CORRECTED, 2.0, 990),  # 6
        plain(Kind.ARRIVED, 5.0, 0),  # 5
        plain(Kind.LOST, 1.0, 9_990),  # 4
        plain(Kind.LOST, 1.0, 9_990, "b"),
        plain(Kind.LOST, 1.0, 9_990, "b", code="2"),
        plain(Kind.GAINED, 2.0, 90),  # 4 as well, the later kind
        plain(Kind.ARRIVED, 0.0, 9_990),
    ]
    assert in_order(wanted[::-1]) == wanted


@st.composite
def some_changes(draw: st.DrawFn) -> list[Change]:
    some = st.builds(
        plain,
        st.sampled_from(Kind),
        st.sampled_from((0.0, 1.0, 2.0)),
        st.sampled_from((0, 90, 990)),
        st.sampled_from("ab"),
        st.sampled_from(("", "1")),
        st.sampled_from(("March", "May")),
    )
    return draw(st.lists(some, max_size=12))


@given(some_changes(), st.randoms())
def test_the_order_does_not_depend_on_the_order_before(
    found: list[Change], rng: random.Random
) -> None:
    shuffled = rng.sample(found, len(found))
    assert in_order(shuffled) == in_order(found)
    ranks = [change.rank for change in in_order(found)]
    assert ranks == sorted(ranks, reverse=True)


@given(st.data())
def test_the_changes_do_not_depend_on_the_order_of_rows(data: st.DataObject) -> None:
    codes = [f"{n}" for n in range(6)]
    states = st.sampled_from(list(Status))
    before, now = (
        wards(*((code, data.draw(states), 100.0, 1_000, *data.draw(st.sampled_from((NORTHAM, SOUTHAM))))
                for code in codes))
        for _ in range(2)
    )  # fmt: skip
    shuffled = now.loc[data.draw(st.permutations(list(now.index)))]
    assert in_order(ward_changes(before, shuffled)) == in_order(ward_changes(before, now))
    assert sum(len(change.names) for change in ward_changes(before, now)) == int(
        (before["status"] != now["status"]).sum()
    )


@given(st.data())
def test_returns_do_not_depend_on_the_order_of_rows(data: st.DataObject) -> None:
    months = ("April 2026", "May 2026")
    states = st.sampled_from(STATES)
    keys = [(code, month) for code in ("U1", "U2", "U3") for month in months]
    before, now = (returns(*((*key, data.draw(states)) for key in keys)) for _ in range(2))
    order = data.draw(st.permutations(list(now.index)))
    # The months of a network are told in the order in which they come.
    order = sorted(order, key=lambda row: months.index(now["month"][row]))
    shuffled = in_order(return_changes(before, now.loc[order]))
    assert shuffled == in_order(return_changes(before, now))


def test_a_board_compared_with_itself_has_not_changed() -> None:
    of = wards(*((f"{n}", status, None) for n, status in enumerate(Status)))
    assert ward_changes(of, of) == []
    assert target_changes(networks(("U1", 1.0, 2.0)), networks(("U1", 1.0, 2.0))) == []
    full = services({"is_full": True, "freshness": "never confirmed", "ends_soon": "soon"})
    assert service_changes(full, full) == []
    every = returns(*((f"U{n}", "May 2026", state) for n, state in enumerate(STATES)))
    assert return_changes(every, every) == []
