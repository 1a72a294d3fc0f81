"""Who leads a locality on a day, and when supervision is due: both sides of each line."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.leads import DUE_SOON, Supervision, judge_supervision, leads_at

DAY = date(2026, 6, 30)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
SIX_WEEKS = timedelta(weeks=6)
LOCALITIES = pd.DataFrame({"lad_code": ["E1", "E2", "E3"], "lad_name": ["North", "East", "West"]})
Spell = tuple[str, str, str | None, date | None, date | None]


def spells(*rows: Spell) -> pd.DataFrame:
    """As the query gives them: missing dates are `None` among dates."""
    columns = ["lad_code", "post_name", "profession", "valid_from", "valid_until"]
    types = dict.fromkeys(columns[:3], "str") | dict.fromkeys(columns[3:], "object")
    return pd.DataFrame(rows, columns=columns).astype(types)


def leads(*rows: Spell) -> list[tuple[Any, ...]]:
    found = leads_at(LOCALITIES, spells(*rows), DAY)
    assert list(found.columns) == [
        "lad_code", "lad_name", "post_name", "profession", "valid_from", "last_lead",
    ]  # fmt: skip
    kept = found[["lad_name", "post_name", "valid_from", "last_lead"]].astype(object)
    return [tuple(None if pd.isna(v) else v for v in row) for row in kept.values.tolist()]


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (None, None, True),
        (DAY, DAY, True),
        (BEFORE, None, True),
        (AFTER, None, False),
        (None, BEFORE, False),
        (None, AFTER, True),
        (AFTER, AFTER, False),
    ],
)
def test_a_lead_holds_on_its_first_and_its_last_day(
    since: date | None, until: date | None, holds: bool
) -> None:
    found = {row[0]: row[1] for row in leads(("E1", "Head", None, since, until))}
    assert found == {"North": "Head" if holds else None, "East": None, "West": None}


def test_localities_without_one_come_first_by_name() -> None:
    assert leads(
        ("E3", "Nurse", None, None, None),
        ("E2", "Head", None, DAY, None),
        ("E2", "Deputy", None, BEFORE, None),
    ) == [
        ("North", None, None, ""),
        # Two lead it at once: both, by name.
        ("East", "Deputy", BEFORE, ""),
        ("East", "Head", DAY, ""),
        ("West", "Nurse", None, ""),
    ]


def test_who_led_it_last_and_until_when() -> None:
    """The latest that has ended; one that is to come led nobody, and where there is a lead it says
    nothing."""
    march, may = date(2026, 3, 31), date(2026, 5, 1)
    assert leads(
        ("E1", "First", None, None, march),
        ("E1", "Second", None, None, may),
        ("E1", "Third", None, AFTER, None),
        ("E2", "Fourth", None, None, march),
        ("E2", "Fifth", None, may, None),
    ) == [
        ("North", None, None, "Second, until 1 May 2026"),
        ("West", None, None, ""),
        ("East", "Fifth", may, ""),
    ]


def test_without_a_return_every_locality_has_none() -> None:
    assert leads() == [(name, None, None, "") for name in ("East", "North", "West")]


def test_a_lead_of_another_board_is_nobodys() -> None:
    assert [row[1] for row in leads(("E9", "Head", None, None, None))] == [None] * 3


def test_without_a_locality_there_is_no_row() -> None:
    assert leads_at(LOCALITIES[:0], spells(("E1", "Head", None, None, None)), DAY).empty


days = st.none() | st.dates(DAY - timedelta(days=9), DAY + timedelta(days=9))


@given(st.lists(st.tuples(st.sampled_from(["E1", "E2"]), days, days), max_size=6))
def test_every_locality_stands_there_and_every_lead_once(
    told: list[tuple[str, date | None, date | None]],
) -> None:
    found = leads(
        *((code, f"P{n}", None, since, until) for n, (code, since, until) in enumerate(told))
    )
    now = {
        f"P{n}"
        for n, (_, since, until) in enumerate(told)
        if (since or DAY) <= DAY <= (until or DAY)
    }
    assert {row[0] for row in found} == {"North", "East", "West"}
    assert sorted(row[1] for row in found if row[1]) == sorted(now)
    has_lead = [row[1] is not None for row in found]
    assert has_lead == sorted(has_lead)


# Supervision.


def posts(*last: date | None) -> pd.DataFrame:
    """Posts P0, P1, ... by the day of their last supervision."""
    frame = pd.DataFrame({"post_id": [f"P{n}" for n in range(len(last))]})
    frame["supervised_by"] = "GP"
    return frame.assign(last_supervision_on=pd.Series(list(last), dtype=object))


@pytest.mark.parametrize(
    ("due", "state"),
    [
        (BEFORE, Supervision.OVERDUE),
        (DAY, Supervision.DUE),
        (DAY + DUE_SOON, Supervision.DUE),
        (DAY + DUE_SOON + timedelta(days=1), Supervision.IN_TIME),
    ],
)
def test_when_it_is_due(due: date, state: Supervision) -> None:
    found = judge_supervision(posts(due - SIX_WEEKS), DAY, SIX_WEEKS).iloc[0]
    assert (found["due_on"], found["state"]) == (due, state)


@pytest.mark.parametrize(
    ("last", "state"),
    [(None, Supervision.NEVER), (DAY, Supervision.IN_TIME), (AFTER, Supervision.NEVER)],
)
def test_one_after_the_day_is_not_known_on_it(last: date | None, state: Supervision) -> None:
    found = judge_supervision(posts(last), DAY, SIX_WEEKS).iloc[0]
    assert found["state"] == state
    known = state is not Supervision.NEVER
    told = [None if pd.isna(each) else each for each in found[["last_supervision_on", "due_on"]]]
    assert told == ([last, DAY + SIX_WEEKS] if known else [None, None])


def test_what_needs_somebody_first_stands_first() -> None:
    found = judge_supervision(
        posts(DAY, None, DAY - timedelta(days=50), DAY - timedelta(days=100),
              DAY - timedelta(days=40), DAY - timedelta(days=50)),
        DAY,
        SIX_WEEKS,
    )  # fmt: skip
    assert found[["post_id", "state"]].values.tolist() == [
        ["P3", "overdue"],
        ["P2", "overdue"],
        ["P5", "overdue"],
        ["P1", "no supervision told"],
        ["P4", "due within 14 days"],
        ["P0", "in time"],
    ]
    assert found["supervised_by"].tolist() == ["GP"] * 6


def test_words_of_the_rule_are_those_of_its_line() -> None:
    assert Supervision.DUE.value == f"due within {DUE_SOON.days} days"


def test_no_posts() -> None:
    found = judge_supervision(posts(), DAY, SIX_WEEKS)
    assert found.empty
    assert {"due_on", "state"} <= set(found.columns)
