"""Entries as services: what is one, what is open, who is believed, and where there is room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.services import (
    DIRECTORY,
    RETURN,
    free_places,
    is_full,
    is_open,
    joined,
    service_keys,
)

AS_AT = date(2026, 6, 30)
Entry = tuple[str, str, str]
Match = tuple[str, str, str, bool]


def keys(entries: Sequence[Entry], matches: Sequence[Match] = ()) -> list[str]:
    columns = ["provider", "service_id", "other_service_id", "is_same"]
    said = pd.DataFrame(list(matches), columns=columns).astype({"is_same": "bool"})
    frame = pd.DataFrame(list(entries), columns=["dataset", "provider", "service_id"])
    return service_keys(frame, said).tolist()


@pytest.mark.parametrize(
    ("entries", "matches", "expected"),
    [
        # A provider's own, that no directory lists.
        ([(RETURN, "A", "1")], [], ["A / 1"]),
        # Two that number theirs alike are two.
        ([(RETURN, "A", "1"), (RETURN, "B", "1")], [], ["A / 1", "B / 1"]),
        # By id, whatever the directory calls the provider.
        ([(RETURN, "A CIC", "x"), (DIRECTORY, "A", "x")], [], ["x", "x"]),
        ([(DIRECTORY, "A", "x"), (RETURN, "A", "y")], [], ["x", "A / y"]),
        # By what somebody said.
        ([(RETURN, "A", "1"), (DIRECTORY, "A", "x")], [("A", "1", "x", True)], ["x", "x"]),
        # That they are not the same joins nothing.
        ([(RETURN, "A", "1"), (DIRECTORY, "A", "x")], [("A", "1", "x", False)], ["A / 1", "x"]),
        # A number that two providers use is no id of a directory; nor does the same number join,
        # when somebody said so.
        (
            [(RETURN, "A", "1"), (RETURN, "B", "1"), (DIRECTORY, "A", "1")],
            [("B", "1", "1", True)],
            ["A / 1", "1", "1"],
        ),
        ([(RETURN, "A", "1"), (DIRECTORY, "A", "1")], [("A", "1", "1", False)], ["A / 1", "1"]),
        # It was said of one provider, and of one number of its own.
        (
            [(RETURN, "A", "1"), (RETURN, "B", "1"), (RETURN, "A", "2"), (DIRECTORY, "A", "x")],
            [("A", "1", "x", True)],
            ["x", "B / 1", "A / 2", "x"],
        ),
        # Two of a provider, and two providers, may run what the directory lists once.
        (
            [(RETURN, "A", "1"), (RETURN, "B", "7"), (DIRECTORY, "A", "x")],
            [("A", "1", "x", True), ("B", "7", "x", True), ("B", "7", "y", False)],
            ["x", "x", "x"],
        ),
        # The same as one that no directory lists any more: its own again.
        ([(RETURN, "A", "1")], [("A", "1", "x", True)], ["A / 1"]),
        ([], [], []),
    ],
)
def test_what_is_one_service(
    entries: list[Entry], matches: list[Match], expected: list[str]
) -> None:
    assert keys(entries, matches) == expected
    assert keys(entries[::-1], matches[::-1]) == expected[::-1]


NAMES = st.sampled_from(["A", "B", "C"])
IDS = st.sampled_from(["1", "2", "x", "y"])


@given(
    st.lists(st.tuples(st.sampled_from([RETURN, DIRECTORY]), NAMES, IDS), max_size=8),
    st.lists(st.tuples(NAMES, IDS, IDS, st.just(False)), max_size=4),
)
def test_without_a_match_only_an_id_joins(entries: list[Entry], matches: list[Match]) -> None:
    found = keys(entries, matches)
    listed = {service_id for dataset, _, service_id in entries if dataset == DIRECTORY}
    who = {(provider, service_id) for dataset, provider, service_id in entries if dataset == RETURN}
    claims = Counter(service_id for _, service_id in who)
    for (dataset, provider, service_id), key in zip(entries, found, strict=True):
        is_denied = (provider, service_id, service_id, False) in matches
        is_one = service_id in listed and claims[service_id] == 1
        is_joined = dataset == DIRECTORY or (is_one and not is_denied)
        assert key == (service_id if is_joined else f"{provider} / {service_id}")


@pytest.mark.parametrize(
    ("closed_on", "closes_on", "expected"),
    [
        (None, None, True),
        (date(2026, 7, 1), None, True),
        (date(2026, 6, 30), None, False),  # the first day on which it is not
        (None, date(2026, 6, 30), True),  # the last day on which it is
        (None, date(2026, 6, 29), False),
        (date(2026, 7, 1), date(2026, 6, 29), False),
        (date(2026, 6, 30), date(2026, 7, 1), False),
    ],
)
def test_open_at_a_date(closed_on: date | None, closes_on: date | None, expected: bool) -> None:
    frame = pd.DataFrame(
        {"closed_on": [closed_on], "closes_on": [closes_on], "service_key": "a", "dataset": RETURN},
        dtype=object,
    )
    assert is_open(frame, AS_AT).tolist() == [expected]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        # What the provider says has closed is closed, though its directory lists it still.
        ([date(2026, 6, 29)], [False, False]),
        ([date(2026, 6, 30)], [True, True]),
        # It returned it twice, and one goes on.
        ([date(2026, 6, 29), None], [True, False, True]),
        ([], [True]),
    ],
)
def test_a_provider_is_believed_over_its_directory(
    returned: list[date | None], expected: list[bool]
) -> None:
    frame = pd.DataFrame(
        {
            "service_key": "a",
            "dataset": [DIRECTORY, *[RETURN] * len(returned)],
            "closed_on": None,
            "closes_on": [None, *returned],
        },
        dtype=object,
    )
    assert is_open(frame, AS_AT).tolist() == expected


def test_a_directory_that_closed_an_entry_leaves_the_providers_open() -> None:
    frame = pd.DataFrame(
        {
            "service_key": ["a", "a", "b"],
            "dataset": [DIRECTORY, RETURN, RETURN],
            "closed_on": [date(2026, 6, 1), None, None],
            "closes_on": None,
        },
        dtype=object,
    )
    assert is_open(frame, AS_AT).tolist() == [False, True, True]


def entry(key: str, dataset: str, **said: Any) -> dict[str, Any]:
    blank = {"service_name": None, "confirmed_on": None, "is_online": False, "places_offered": None}
    return {"service_key": key, "dataset": dataset} | blank | said


def join(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    frame = pd.DataFrame(list(entries)).astype(
        {"service_name": "str", "confirmed_on": "object", "places_offered": "Int64"}
    )
    found: Any = joined(frame).astype(object)
    records: list[dict[str, Any]] = found.where(found.notna(), None).to_dict("records")
    return records


MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
BOTH = "the provider's return and the directory"


def test_what_the_provider_says_wins_and_blanks_are_filled() -> None:
    listed = entry("x", DIRECTORY, service_name="Walks", confirmed_on=MAY, places_offered=99)
    returned = entry("x", RETURN, service_name="Hill walks", confirmed_on=JUNE)
    one = {
        "service_key": "x", "dataset": RETURN, "service_name": "Hill walks", "confirmed_on": JUNE,
        "is_online": False, "places_offered": 99, "said_by": BOTH,
    }  # fmt: skip
    assert join(listed, returned) == join(returned, listed) == [one]
    assert join(listed | {"service_name": "a"}, returned | {"service_name": None}) == [
        one | {"service_name": "a"}
    ]
    # 0 places is said, and not a blank.
    assert join(listed, returned | {"places_offered": 0}) == [one | {"places_offered": 0}]


@pytest.mark.parametrize(
    ("returned_on", "listed_on", "newest"),
    [(MAY, JUNE, JUNE), (JUNE, MAY, JUNE), (None, MAY, MAY), (MAY, None, MAY), (None, None, None)],
)
def test_confirmed_is_the_newest_that_either_says(
    returned_on: date | None, listed_on: date | None, newest: date | None
) -> None:
    (one,) = join(
        entry("x", RETURN, confirmed_on=returned_on), entry("x", DIRECTORY, confirmed_on=listed_on)
    )
    assert one["confirmed_on"] == newest


@pytest.mark.parametrize("returned", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_online_is_what_either_says(returned: bool, listed: bool) -> None:
    (one,) = join(entry("x", DIRECTORY, is_online=listed), entry("x", RETURN, is_online=returned))
    assert one["is_online"] is (returned or listed)


def test_each_service_once_and_who_speaks_of_it() -> None:
    found = join(
        entry("b", DIRECTORY),
        entry("a / 1", RETURN, is_online=True),
        entry("c", RETURN),
        entry("c", DIRECTORY),
        entry("d", DIRECTORY),
        entry("d", DIRECTORY),
    )
    assert {one["service_key"]: (one["said_by"], one["is_online"]) for one in found} == {
        "b": ("the directory", False),
        "a / 1": ("the provider's return", True),
        "c": (BOTH, False),
        "d": ("the directory", False),
    }
    assert len(found) == 4


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from([None, MAY, JUNE])),
        min_size=1,
        max_size=8,
    )
)
def test_joining_loses_no_service_and_no_word(said: list[tuple[str, bool, date | None]]) -> None:
    found = join(
        *(entry(key, RETURN, is_online=is_online, confirmed_on=day) for key, is_online, day in said)
    )
    assert {one["service_key"]: (one["is_online"], one["confirmed_on"]) for one in found} == {
        key: (
            any(is_online for other, is_online, _ in said if other == key),
            max((day for other, _, day in said if other == key and day), default=None),
        )
        for key, _, _ in said
    }
    assert len(found) == len({key for key, _, _ in said})


# state, offered, filled; whether it is full, and its free places
ROOM = [
    ("has capacity", 10, 4, False, 6),
    ("has capacity", 10, 10, False, 0),
    # More filled than offered is no place, and not fewer.
    ("has capacity", 10, 12, False, 0),
    ("has capacity", None, None, False, None),
    ("full", 10, 4, True, 0),
    ("full with waiting list", 10, 4, True, 0),
    ("full", 10, None, True, 0),
    ("full", None, 4, True, None),
    ("full", None, None, True, None),
    (None, 10, 9, False, 1),
    (None, 10, 10, True, 0),
    (None, 10, 11, True, 0),
    (None, 0, 0, True, 0),
    # Not said is never 0, and never full.
    (None, 10, None, False, None),
    (None, None, 10, False, None),
    (None, None, None, False, None),
    (None, 0, None, False, None),
]


@pytest.mark.parametrize(("state", "offered", "filled", "full", "free"), ROOM)
def test_where_there_is_room(
    state: str | None, offered: int | None, filled: int | None, full: bool, free: int | None
) -> None:
    frame = pd.DataFrame({"state": [state], "places_offered": [offered], "places_filled": [filled]})
    frame = frame.astype({"state": "str", "places_offered": "Int64", "places_filled": "Int64"})
    (found,) = free_places(frame)
    assert is_full(frame).tolist() == [full]
    assert (None if pd.isna(found) else found) == free
    assert free_places(frame).dtype == "Int64"
