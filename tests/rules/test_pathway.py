"""The steps of a referral: each rule by hand, dirty dates, and slow second versions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.rules.disclosure import PROFILES, disclose, hidden_flag
from dashboard.rules.endings import Ending
from dashboard.rules.pathway import (
    ENOUGH_PEOPLE,
    LEAST_WAITS,
    OVER_A_YEAR,
    REFERRED,
    STEP_TITLES,
    STEPS,
    DayQuantiles,
    contacted_by_day,
    day_quantiles,
    endings,
    judge_steps,
    step_facts,
)

DATES = (
    "offered_on", "declined_on", "accepted_on", "first_contact_on", "plan_agreed_on",
    "connected_on", "attended_on", "closed_on",
)  # fmt: skip
# The dates of the steps but the last, by step.
STEP_DATES = dict(
    zip(STEPS, ["accepted_on", "first_contact_on", *DATES[4:7], "closed_on"], strict=True)
)
DAY = date(2026, 3, 2)


def referrals(*rows: dict[str, Any]) -> pd.DataFrame:
    """Each row says the columns that are there: a date, or True for any day."""
    frame = pd.DataFrame(list(rows), columns=[*DATES, "closed_reason"], dtype=object)
    dates = frame[list(DATES)].map(lambda day: DAY if day is True else day)
    return dates.astype(object).assign(closed_reason=frame["closed_reason"].astype("str"))


def facts(**row: Any) -> dict[str, int]:
    """The counts of one referral that are not 0."""
    found = step_facts(referrals(row))
    return {str(name): int(found[name].iloc[0]) for name in found if found[name].iloc[0]}


def test_titles() -> None:
    assert tuple(STEP_TITLES) == (REFERRED, *STEPS)


def test_a_referral_step_by_step() -> None:
    assert facts() == {"referrals": 1, "accepted_open": 1}
    assert facts(accepted_on=True) == {
        "referrals": 1, "accepted": 1, "accepted_dated": 1, "contacted_open": 1,
    }  # fmt: skip
    whole = dict.fromkeys(STEP_DATES.values(), True)
    assert facts(offered_on=True, closed_reason="completed", **whole) == {
        "referrals": 1,
        "offered": 1,
        **dict.fromkeys(STEPS, 1),
        **{f"{step}_dated": 1 for step in STEPS},
    }


def test_the_columns_are_whole_numbers_in_order() -> None:
    found = step_facts(referrals({}, {}))
    assert list(found) == [
        "referrals", "offered", "declined",
        *(name for step in STEPS for name in (step, f"{step}_dated", f"{step}_open")),
    ]  # fmt: skip
    assert set(found.dtypes.astype(str)) == {"int64"}
    assert step_facts(referrals()).empty


def test_a_step_between_is_implied_by_a_later_one() -> None:
    assert facts(connected_on=True) == {
        "referrals": 1, "accepted": 1, "contacted": 1, "planned": 1, "connected": 1,
        "connected_dated": 1, "attended_open": 1,
    }  # fmt: skip
    # Completed, and no other date: all steps were reached, none but the last was recorded.
    assert facts(closed_on=True, closed_reason="completed") == {
        "referrals": 1, **dict.fromkeys(STEPS, 1), "completed_dated": 1,
    }  # fmt: skip


def test_dates_out_of_order_count_all_the_same() -> None:
    mixed = facts(
        accepted_on=date(2026, 5, 1), first_contact_on=date(2026, 4, 1), plan_agreed_on=True
    )
    assert mixed == facts(accepted_on=True, first_contact_on=True, plan_agreed_on=True)


def test_declined_and_contacted_later_both_stand() -> None:
    assert facts(declined_on=True, first_contact_on=True) == {
        "referrals": 1, "declined": 1, "accepted": 1, "contacted": 1, "contacted_dated": 1,
    }  # fmt: skip


def test_nobody_is_open_who_declined_or_was_closed() -> None:
    assert facts(declined_on=True) == {"referrals": 1, "declined": 1}
    assert facts(closed_on=True, closed_reason="moved away") == {"referrals": 1}
    # A reason without the day of closing ends nothing, completed or not.
    assert facts(closed_reason="moved away") == facts()
    assert facts(attended_on=True, closed_reason="completed") == facts(attended_on=True)


@pytest.mark.parametrize(
    ("row", "ending"),
    [
        ({}, None),
        ({"closed_reason": "moved away"}, None),
        ({"declined_on": True}, Ending.DECLINED),
        ({"declined_on": True, "closed_reason": "completed"}, Ending.DECLINED),
        ({"closed_on": True}, Ending.NOT_SAID),
        ({"closed_on": True, "closed_reason": "moved away"}, Ending.MOVED),
        ({"closed_on": True, "attended_on": True}, Ending.COMPLETED),
        ({"closed_on": True, "connected_on": True}, Ending.NOT_SAID),
        ({"closed_on": True, "attended_on": True, "closed_reason": "moved away"}, Ending.MOVED),
        ({"closed_on": True, "attended_on": True, "declined_on": True}, Ending.DECLINED),
        ({"closed_on": True, "declined_on": True, "closed_reason": "completed"}, Ending.COMPLETED),
        ({"closed_on": True, "closed_reason": "died"}, Ending.OTHER),
    ],
)
def test_endings_and_what_is_completed(row: dict[str, Any], ending: Ending | None) -> None:
    frame = referrals(row)
    found = endings(frame).iloc[0]
    assert (None if pd.isna(found) else found) == ending
    assert step_facts(frame)["completed"].tolist() == [int(ending is Ending.COMPLETED)]


days = st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 9))
reasons = st.sampled_from(["", "completed", "moved away", "declined support"])
rows = st.fixed_dictionaries({**dict.fromkeys(DATES, days), "closed_reason": reasons})


@given(st.lists(rows, max_size=12))
def test_everybody_who_reached_a_step_goes_on_is_open_or_has_ended(
    sent: list[dict[str, Any]],
) -> None:
    found = step_facts(referrals(*sent)).set_axis(range(len(sent)))
    before = found["referrals"]
    ended = endings(referrals(*sent)).notna().astype(int)
    for step in STEPS:
        assert (found[step] <= before).all()
        assert (found[f"{step}_dated"] <= found[step]).all()
        assert ((before - found[step]) * (1 - ended)).tolist() == found[f"{step}_open"].tolist()
        before = found[step]


def sums(**counts: int | None) -> pd.DataFrame:
    """One group: what is not said is 0."""
    names = ["referrals", *(f"{step}{end}" for step in STEPS for end in ("", "_dated", "_open"))]
    row = {"group": "PCN", **dict.fromkeys(names, 0), **counts}
    return pd.DataFrame([row]).astype({name: "Int64" for name in row if name != "group"})


def judged(frame: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    """By step: people, of, open, lost, share, state."""
    found = judge_steps(frame)
    assert found["step"].tolist() == [REFERRED, *STEPS] * len(frame)
    columns = ["people", "of", "open", "lost", "share", "state"]
    plain = found[columns].astype(object).where(found[columns].notna(), None)
    return dict(zip(found["step"], plain.itertuples(index=False, name=None), strict=True))


def test_steps_by_hand() -> None:
    found = judge_steps(
        sums(
            referrals=100, accepted=90, accepted_dated=90, accepted_open=4,
            contacted=60, contacted_dated=50, contacted_open=10,
        )
    )  # fmt: skip
    assert found.columns.tolist() == [
        "group", "step", "people", "people_hidden", "of", "open", "lost", "share", "lower",
        "upper", "state",
    ]  # fmt: skip
    assert set(found["group"]) == {"PCN"}
    # Of 96 who went on or ended 90 were accepted; of 80, 60 were contacted.
    accepted, contacted = found.iloc[1], found.iloc[2]
    assert accepted[["people", "of", "open", "lost"]].tolist() == [90, 100, 4, 6]
    assert accepted["share"] == 90 / 96
    assert contacted[["people", "of", "open", "lost", "share"]].tolist() == [60, 90, 10, 20, 0.75]
    # Wilson for 60 of 80: middle (60 + 1.9207) / 83.8415, reach from its formula.
    z2 = 1.959964**2
    reach = 1.959964 * math.sqrt(0.75 * 0.25 / 80 + z2 / (4 * 80**2)) / (1 + z2 / 80)
    middle = (0.75 + z2 / 160) / (1 + z2 / 80)
    assert contacted["lower"] == pytest.approx(middle - reach, rel=1e-6)
    assert contacted["upper"] == pytest.approx(middle + reach, rel=1e-6)
    assert found["people_hidden"].tolist() == [False] * 7


def test_a_step_without_dates_whose_next_has_some_is_not_recorded() -> None:
    """90 accepted, 40 have a plan, none a date of contact: 30 are open since they were accepted."""
    found = judged(
        sums(
            referrals=100, accepted=90, accepted_dated=90,
            contacted=40, contacted_dated=0, contacted_open=30,
            planned=40, planned_dated=40, planned_open=0,
            connected=10, connected_dated=10, connected_open=25,
        )
    )  # fmt: skip
    assert found["contacted"] == (None, None, None, None, None, "not recorded")
    assert found["planned"] == (40, 90, 30, 20, 40 / 60, "recorded")
    assert found["connected"] == (10, 40, 25, 5, 10 / 15, "recorded")
    assert found["attended"] == (0, 10, 0, 10, 0, "recorded")


def test_two_steps_running_that_are_not_recorded() -> None:
    found = judged(
        sums(
            referrals=100, accepted=50, accepted_open=30, contacted=50, planned=50,
            planned_dated=50, connected=0, connected_open=45,
        )
    )  # fmt: skip
    assert [found[step][-1] for step in STEPS] == [
        "not recorded", "not recorded", "recorded", "recorded", "recorded", "recorded",
    ]  # fmt: skip
    assert found["planned"] == (50, 100, 30, 20, 50 / 70, "recorded")
    assert found["connected"] == (0, 50, 45, 5, 0, "recorded")
    assert found["attended"] == (0, 0, 0, 0, None, "recorded")


def test_no_date_at_all_is_not_recorded_and_nobody_referred_is_nothing() -> None:
    found = judged(sums(referrals=3, accepted_open=3))
    assert found[REFERRED] == (3, None, None, None, None, "recorded")
    assert {found[step] for step in STEPS} == {(None, None, None, None, None, "not recorded")}
    nobody = judged(sums())
    assert {nobody[step] for step in STEPS} == {(0, 0, 0, 0, None, "recorded")}


@pytest.mark.parametrize(("ended", "state"), [(0, "not recorded"), (1, "recorded")])
def test_enough_who_went_on_or_ended_and_no_date(ended: int, state: str) -> None:
    """On one side of the line 30 ended after they were accepted, on the other 29."""
    accepted = 100
    still_open = accepted - ENOUGH_PEOPLE + ended
    frame = sums(referrals=100, accepted=100, accepted_dated=100, contacted_open=still_open)
    found = judged(frame)
    assert found["contacted"][-1] == state
    assert found["contacted"][0] == (None if state == "not recorded" else 0)
    # Those after it: of the last recorded step the same people are open, or nobody is left.
    assert found["planned"][-1] == state


def test_what_is_hidden_hides_what_rests_on_it() -> None:
    frame = pd.concat(
        [
            sums(referrals=100, accepted=90, accepted_dated=90, contacted=3, contacted_dated=3),
            sums(referrals=100, accepted=90, accepted_dated=90, accepted_open=2),
            sums(referrals=5, accepted=5, accepted_dated=5),
        ]
    ).assign(group=["small step", "few open", "few referred"])
    shown = {"group": frame["group"]}
    for name in frame.columns.drop("group"):
        shown[name], shown[hidden_flag(name)] = disclose(frame[name], PROFILES["nhs"])
    found = judge_steps(pd.DataFrame(shown)).set_index(["group", "step"])

    plain = found.astype(object).where(found.notna(), None)

    def row(group: str, step: str) -> list[Any]:
        names = ["people", "people_hidden", "of", "lost", "share", "state"]
        return [plain.at[(group, step), name] for name in names]

    assert row("small step", "accepted") == [90, False, 100, 10, 0.9, "recorded"]
    assert row("small step", "contacted") == [None, True, 90, None, None, "hidden"]
    # The step after a hidden one has nothing to be a share of.
    assert row("small step", "planned") == [0, False, None, None, None, "hidden"]
    assert row("few open", "accepted") == [90, False, 100, None, None, "hidden"]
    assert row("few referred", REFERRED) == [None, True, None, None, None, "hidden"]
    assert row("few referred", "accepted") == [None, True, None, None, None, "hidden"]
    hidden = found.loc[found["state"] == "hidden", ["lost", "share", "lower", "upper"]]
    assert hidden.isna().all(axis=None)


def test_rounding_can_leave_less_than_nobody_lost() -> None:
    """13 accepted, 8 contacted, 8 open are shown as 15, 10 and 10."""
    frame = sums(
        referrals=15, accepted=15, accepted_dated=15, contacted=10, contacted_dated=10,
        contacted_open=10,
    )  # fmt: skip
    assert judged(frame)["contacted"] == (10, 15, 10, 0, 1, "recorded")


def test_groups_keep_their_order_and_their_index_does_not_matter() -> None:
    one = sums(referrals=10, accepted=8, accepted_dated=8)
    frame = pd.concat([one.assign(group=name) for name in ("b", "a", "c")])
    found = judge_steps(frame)
    assert found["group"].tolist() == [name for name in "bac" for _ in range(7)]
    assert found.loc[found["step"] == "accepted", "people"].tolist() == [8, 8, 8]
    assert len(judge_steps(frame.iloc[:0])) == 0


@given(st.lists(rows, min_size=1, max_size=40))
def test_nobody_gets_lost_on_the_way(sent: list[dict[str, Any]]) -> None:
    """Lost at each recorded step, open at each, and completed: all who were referred."""
    found = judge_steps(step_facts(referrals(*sent)).sum().to_frame().T.assign(group="all"))
    recorded = found[(found["state"] == "recorded") & (found["step"] != REFERRED)]
    if len(recorded):
        last = recorded["people"].iloc[-1]
        assert recorded["lost"].sum() + recorded["open"].sum() + last == len(sent)
    assert (found["share"].dropna().between(0, 1)).all()


def by_day(waits_of: Iterable[int]) -> np.ndarray:
    return np.bincount(list(waits_of), minlength=OVER_A_YEAR + 1)


@pytest.mark.parametrize(
    ("days_waited", "found"),
    [
        ([], (None, None)),
        ([3] * (LEAST_WAITS - 1), (None, None)),
        ([3] * LEAST_WAITS, (3, 3)),
        # The lower median: five of ten by day 1. Nine of ten by day 2.
        ([1] * 5 + [2] * 4 + [9], (1, 2)),
        ([1] * 4 + [2] * 4 + [9] * 2, (2, 9)),
        ([0] * 18 + [7, OVER_A_YEAR], (0, 0)),
        ([0] * 17 + [365, OVER_A_YEAR, OVER_A_YEAR], (0, 365)),
        ([0] * 9 + [OVER_A_YEAR] * 11, (OVER_A_YEAR, OVER_A_YEAR)),
    ],
)
def test_quantiles(days_waited: list[int], found: tuple[int | None, int | None]) -> None:
    assert day_quantiles(by_day(days_waited)) == DayQuantiles(*found)


@given(st.lists(st.integers(0, OVER_A_YEAR), min_size=LEAST_WAITS, max_size=60))
def test_quantiles_are_those_of_the_people_in_a_row(days_waited: list[int]) -> None:
    ordered, n = sorted(days_waited), len(days_waited)
    median, p90 = day_quantiles(by_day(days_waited))
    assert (median, p90) == (ordered[-(-n // 2) - 1], ordered[-(-9 * n // 10) - 1])


def test_another_length_is_refused() -> None:
    for counts in ([1, 2, 3], np.zeros(OVER_A_YEAR), np.zeros((2, OVER_A_YEAR + 1))):
        with pytest.raises(ValueError, match="expected people by day in 367 places"):
            day_quantiles(counts)


def curve(
    contacted: Sequence[int], ended: Sequence[int] = (), still_open: Sequence[int] = ()
) -> pd.DataFrame:
    found = contacted_by_day(by_day(contacted), by_day(ended), by_day(still_open))
    assert found["day"].tolist() == list(range(OVER_A_YEAR))
    return found.set_index("day").astype(float)


def limits_of(found: pd.DataFrame, day: int) -> list[float | None]:
    limits = [found["lower"].tolist()[day], found["upper"].tolist()[day]]
    return [None if math.isnan(limit) else limit for limit in limits]


def test_without_open_ones_it_is_the_share_and_its_binomial_error() -> None:
    """Of 10, 2 are contacted on day 1 and 3 on day 4; 2 end on day 2, 3 are contacted too late."""
    found = curve([1] * 2 + [4] * 3 + [OVER_A_YEAR] * 3, [2] * 2)
    shares, at_risk = found["share"], found["at_risk"]
    assert shares[[0, 1, 2, 4, 365]].tolist() == pytest.approx([0, 0.2, 0.2, 0.5, 0.5])
    assert at_risk[[0, 1, 2, 3, 4, 5, 365]].tolist() == [10, 10, 8, 6, 6, 3, 3]
    assert limits_of(found, 0) == [None, None]
    for day, share in ((1, 0.2), (365, 0.5)):
        error = math.sqrt(share * (1 - share) / 10) / (share * -math.log(share))
        limits = [share ** math.exp(1.959964 * error), share ** math.exp(-1.959964 * error)]
        assert limits_of(found, day) == pytest.approx(limits, rel=1e-6)


def test_one_less_kaplan_meier_where_nobody_ends() -> None:
    """At risk on days 1, 2 and 5 are 6, 4 (one was open for a day) and 2; one is open for 7."""
    found = curve([1, 2, 2, 5], [], [1, 7])
    left = [1, 5 / 6, 5 / 6 * 2 / 4, 5 / 6 * 2 / 4 * 1 / 2]
    assert found.loc[[0, 1, 2, 5], "share"].tolist() == pytest.approx([1 - x for x in left])
    assert found.loc[[0, 1, 2, 3, 5, 7], "at_risk"].tolist() == [6, 6, 4, 2, 2, 1]
    # Greenwood on day 5: 1/(6x5) + 2/(4x2) + 1/(2x1), times what is left squared.
    share = 1 - left[3]
    variance = left[3] ** 2 * (1 / 30 + 2 / 8 + 1 / 2)
    error = math.sqrt(variance) / (share * -math.log(share))
    limits = [share ** math.exp(1.959964 * error), share ** math.exp(-1.959964 * error)]
    assert limits_of(found, 5) == pytest.approx(limits, rel=1e-6)
    # After day 7 nobody is left to tell.
    assert found.loc[7, "share"] == pytest.approx(share)
    assert found.loc[8:, ["share", "lower", "upper"]].isna().all(axis=None)


def test_who_ended_is_not_taken_out_as_if_still_open() -> None:
    """Of 4, one ends on day 1 and 3 are contacted on day 2: three quarters, not all."""
    assert curve([2] * 3, [1]).loc[365, "share"] == 0.75
    assert curve([2] * 3, [], [1]).loc[365, "share"] == 1
    assert limits_of(curve([2] * 3, [], [1]), 365) == [None, None]


def test_on_one_day_the_open_leave_last() -> None:
    assert curve([3], [], [3]).loc[3, "share"] == 0.5
    assert curve([3], [3]).loc[3, "share"] == 0.5


def test_nobody() -> None:
    found = curve([])
    assert found["share"].isna().all()
    assert found["at_risk"].sum() == 0


people = st.lists(
    st.tuples(st.sampled_from(["contacted", "ended", "open"]), st.sampled_from([*range(9), 366])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(people)
def test_the_same_as_a_slow_second_version(everybody: list[tuple[str, int]]) -> None:
    """Person by person, and the variance in the three sums of Marubini and Valsecchi."""
    found = curve(
        *(
            [day for kind, day in everybody if kind == name]
            for name in ("contacted", "ended", "open")
        )
    )
    shares, lowers, uppers = (found[name].tolist() for name in ("share", "lower", "upper"))
    survival, share = 1.0, 0.0
    steps: list[tuple[float, float, int, int, int]] = []
    for day in range(10):
        at_risk = sum(their >= day for _, their in everybody)
        if not at_risk:
            assert math.isnan(shares[day]) == (survival > 1e-12)
            continue
        contacts = everybody.count(("contacted", day))
        both = contacts + everybody.count(("ended", day))
        share += survival * contacts / at_risk
        steps.append((share, survival, contacts, both, at_risk))
        survival *= (at_risk - both) / at_risk
        assert shares[day] == pytest.approx(share, abs=1e-12)
        variance = sum(
            ((share - then) ** 2 * all_ / (n * (n - all_)) if all_ < n else 0)
            + left**2 * c * (n - c) / n**3
            - 2 * (share - then) * left * c / n**2
            for then, left, c, all_, n in steps
        )
        if 1e-9 < share < 1 - 1e-9 and variance > 1e-12:
            error = math.sqrt(variance) / (share * -math.log(share))
            limits = (share ** math.exp(z * error) for z in (1.9599639845, -1.9599639845))
            assert [lowers[day], uppers[day]] == pytest.approx(list(limits), rel=1e-6, abs=1e-12)
            assert lowers[day] <= share <= uppers[day]
