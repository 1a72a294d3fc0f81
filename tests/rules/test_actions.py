"""What may be written down, and what is due: both sides of every line."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules import actions as rules
from dashboard.rules.actions import Due, broken_rules, due, tidy
from queries import tables

TODAY = date(2026, 6, 30)
# An example of the NHS's own, and one whose check digit is wrong.
NHS_NUMBER, NO_NHS_NUMBER = "943 476 5919", "943 476 5918"
GOOD: dict[str, Any] = {
    "kind": "action",
    "words": "Call the provider",
    "owner": "Ann",
    "due_on": TODAY,
    "state": "open",
    "pinned_kind": "ward",
    "pinned_code": "E05900001",
    "pinned_on": TODAY,
}


def broken(**changed: Any) -> list[str]:
    """The fields that are refused when these are otherwise."""
    return [field for field, _ in broken_rules(**GOOD | changed)]


def test_the_words_are_those_of_the_table() -> None:
    assert tuple(rules.KINDS) == tables.ACTION_KINDS
    assert tuple(rules.STATES) == tables.ACTION_STATES
    assert tuple(rules.PINNED_KINDS) == tables.PINNED_KINDS


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({}, []),
        ({"pinned_kind": None, "pinned_code": None, "pinned_on": None}, []),
        ({"kind": "wish"}, ["kind"]),
        ({"kind": ""}, ["kind"]),
        ({"state": "gone"}, ["state"]),
        ({"state": "dropped"}, []),
        ({"words": ""}, ["words"]),
        ({"words": " \n"}, ["words"]),
        ({"words": "x" * 500}, []),
        ({"words": "x" * 501}, ["words"]),
        ({"owner": "x" * 100}, []),
        ({"owner": "x" * 101}, ["owner"]),
        ({"owner": None}, ["owner"]),
        ({"owner": " "}, ["owner"]),
        ({"due_on": None}, ["due_on"]),
        ({"owner": None, "due_on": None, "kind": "decision"}, []),
        ({"owner": None, "due_on": None, "kind": "note"}, []),
        ({"due_on": date(2015, 1, 1)}, []),
        ({"due_on": date(2014, 12, 31)}, ["due_on"]),
        ({"due_on": date(2100, 12, 31)}, []),
        ({"due_on": date(2101, 1, 1)}, ["due_on"]),
        ({"pinned_on": date(2101, 1, 1)}, ["pinned_on"]),
        ({"pinned_kind": None}, ["pinned_code", "pinned_on"]),
        ({"pinned_code": None}, ["pinned_code"]),
        ({"pinned_kind": "person"}, ["pinned_kind"]),
        ({"pinned_kind": None, "pinned_code": None}, ["pinned_on"]),
        ({"words": f"Call {NO_NHS_NUMBER}"}, []),
        ({"words": f"Call {NHS_NUMBER}"}, ["words"]),
        ({"words": "Call 9434765919."}, ["words"]),
        ({"owner": f"Ann {NHS_NUMBER}"}, ["owner"]),
        ({"pinned_code": NHS_NUMBER}, ["pinned_code"]),
        ({"words": "", "owner": None, "due_on": None}, ["words", "owner", "due_on"]),
    ],
)
def test_what_may_be_written_down(changed: dict[str, Any], fields: list[str]) -> None:
    assert broken(**changed) == fields


def test_a_number_of_a_person_is_never_repeated() -> None:
    ((_, rule),) = broken_rules(**GOOD | {"words": f"Call {NHS_NUMBER}"})
    assert rule == rules.NO_PERSON
    assert "943" not in rule


@pytest.mark.parametrize(
    ("days", "stands"),
    [(-1, Due.OVERDUE), (0, Due.SOON), (7, Due.SOON), (8, Due.LATER), (-400, Due.OVERDUE)],
)
def test_an_open_action_is_due(days: int, stands: Due) -> None:
    assert due("action", "open", TODAY + timedelta(days), TODAY) == stands


@pytest.mark.parametrize(
    ("kind", "state", "due_on"),
    [
        ("action", "done", date(2026, 1, 1)),
        ("action", "dropped", date(2026, 1, 1)),
        ("decision", "open", date(2026, 1, 1)),
        ("note", "open", date(2026, 1, 1)),
        ("action", "open", None),
    ],
)
def test_nothing_else_is(kind: str, state: str, due_on: date | None) -> None:
    assert due(kind, state, due_on, TODAY) == Due.NEVER


def test_the_words_of_a_week_say_how_long_it_is() -> None:
    assert str(rules.DUE_SOON_DAYS) in Due.SOON


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  a  b ", "a  b"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\x00b\tc\x1b[31m", "a b c [31m"),
        ("\x00", ""),
        ("Bartholomäus – 慢", "Bartholomäus – 慢"),
    ],
)
def test_text_is_kept_tidy(text: str, kept: str) -> None:
    assert tidy(text) == kept


@given(st.text())
def test_tidy_text_is_left_alone(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert not set("\x00\r\t") & set(once)
