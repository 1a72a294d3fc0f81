"""What is lost when funding ends: by the day, by the month, by ward and need, and in money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.funding import ending, last_funded, losses_by_month, shared_out, worth

AS_AT = date(2026, 6, 30)
JULY, SEPTEMBER, MARCH = date(2026, 7, 31), date(2026, 9, 30), date(2027, 3, 31)


def services(
    ends: Mapping[str, date | None], offered: Mapping[str, int | None] | None = None
) -> pd.DataFrame:
    offered = offered or {}
    return pd.DataFrame(
        {
            "service_key": pd.Series(list(ends), dtype="str"),
            "service_name": pd.Series([key.title() for key in ends], dtype="str"),
            "funding_ends": pd.Series(list(ends.values()), dtype=object),
            "places_offered": pd.Series([offered.get(key) for key in ends], dtype="Int64"),
        }
    )


def serves(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["service_key", "ward_code"], dtype="str")


def themes(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["service_key", "theme"], dtype="str")


def wide(*keys: str) -> pd.DataFrame:
    return pd.DataFrame({"service_key": pd.Series(keys, dtype="str"), "way": "names the board"})


@pytest.mark.parametrize(
    ("day", "is_found"),
    [
        (None, False),
        (date(2026, 6, 29), False),
        (date(2026, 6, 30), True),
        (date(2026, 12, 30), True),
        (date(2026, 12, 31), False),
    ],
)
def test_both_sides_of_the_date_and_of_the_horizon(day: date | None, is_found: bool) -> None:
    found = ending(services({"walk": day}), AS_AT, 6)
    assert found["service_key"].tolist() == (["walk"] if is_found else [])


def test_the_horizon_at_the_end_of_a_month() -> None:
    ends = services({"in": date(2027, 2, 28), "out": date(2027, 3, 1)})
    assert ending(ends, date(2026, 8, 31), 6)["service_key"].tolist() == ["in"]


def test_first_ones_first_then_by_name_with_the_month() -> None:
    ends = services({"b": SEPTEMBER, "c": JULY, "a": SEPTEMBER, "never": None})
    found = ending(ends, AS_AT, 24)
    assert found[["service_key", "month"]].values.tolist() == [
        ["c", date(2026, 7, 1)],
        ["a", date(2026, 9, 1)],
        ["b", date(2026, 9, 1)],
    ]
    assert found.index.tolist() == [0, 1, 2]
    assert "month" not in ends.columns


def test_losses_add_up_month_by_month() -> None:
    """6 services in 4 wards: a ward that loses two is one ward, and who said nothing is told."""
    ends = services(
        {"a": JULY, "b": date(2026, 7, 1), "c": SEPTEMBER, "d": MARCH, "e": MARCH, "f": MARCH},
        {"a": 10, "b": None, "c": 0, "d": 5, "e": None, "f": 7},
    )
    serving = serves(
        ("a", "W1"), ("a", "W2"), ("b", "W2"), ("c", "W1"), ("c", "W3"), ("d", "W4"), ("other", "W5")
    )  # fmt: skip
    found = losses_by_month(ending(ends, AS_AT, 24), serving, wide(), 9)
    assert found.to_dict("records") == [
        {"month": date(2026, 7, 1), "ending": 2, "services": 2, "wards": 2, "places": 10,
         "places_unknown": 1},
        {"month": date(2026, 9, 1), "ending": 1, "services": 3, "wards": 3, "places": 10,
         "places_unknown": 1},
        {"month": date(2027, 3, 1), "ending": 3, "services": 6, "wards": 4, "places": 22,
         "places_unknown": 2},
    ]  # fmt: skip


def test_what_is_for_the_whole_board_is_lost_to_each_ward() -> None:
    ends = ending(services({"a": JULY, "b": SEPTEMBER}), AS_AT, 24)
    found = losses_by_month(ends, serves(("a", "W1")), wide("b"), 9)
    assert found["wards"].tolist() == [1, 9]


def test_nothing_ends_in_no_month() -> None:
    ends = ending(services({"a": None}), AS_AT, 24)
    found = losses_by_month(ends, serves(("a", "W1")), wide(), 9)
    assert found.empty
    assert list(found.columns) == [
        "month", "ending", "services", "wards", "places", "places_unknown"
    ]  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.dates(date(2026, 1, 1), date(2029, 1, 1)) | st.none()
    ),
    st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["W1", "W2", "W3"]))),
)
def test_losses_only_grow_and_end_with_all(
    ends: dict[str, date | None], pairs: set[tuple[str, str]]
) -> None:
    found = ending(services(ends, dict.fromkeys("abc", 2)), AS_AT, 24)
    by_month = losses_by_month(found, serves(*sorted(pairs)), wide(), 9)
    counts = ["services", "wards", "places", "places_unknown"]
    assert all(by_month[name].is_monotonic_increasing for name in (*counts, "month"))
    assert by_month["ending"].sum() == len(found)
    if len(found):
        lost = set(found["service_key"])
        last = by_month.iloc[-1]
        assert [last[name] for name in counts] == [
            len(lost),
            len({ward for key, ward in pairs if key in lost}),
            2 * len(lost & set("abc")),
            len(lost - set("abc")),
        ]


def left(
    ends: Mapping[str, date | None],
    serving: Sequence[tuple[str, str]],
    everywhere: Iterable[str],
    needs: Sequence[tuple[str, str]],
    wards: Sequence[str] = ("W1", "W2"),
) -> list[list[Any]]:
    found = last_funded(services(ends), serves(*serving), wide(*everywhere), themes(*needs), wards)
    return found[["ward_code", "theme", "ends"]].values.tolist()


FOOD = ("a", "food"), ("b", "food")


def test_the_day_after_which_nothing_is_left() -> None:
    # The last of two to end.
    assert left({"a": JULY, "b": MARCH}, [("a", "W1"), ("b", "W1")], [], FOOD) == [
        ["W1", "food", MARCH]
    ]
    # One that goes on keeps the cell.
    assert left({"a": JULY, "b": None}, [("a", "W1"), ("b", "W1")], [], FOOD) == []
    # Each ward and each need by itself.
    needs = [("a", "food"), ("a", "housing"), ("b", "food")]
    assert left({"a": JULY, "b": MARCH}, [("a", "W1"), ("b", "W1"), ("a", "W2")], [], needs) == [
        ["W1", "food", MARCH],
        ["W1", "housing", JULY],
        ["W2", "food", JULY],
        ["W2", "housing", JULY],
    ]


def test_one_for_the_whole_board_keeps_each_ward() -> None:
    assert left({"a": JULY, "b": None}, [("a", "W1")], ["b"], FOOD) == []
    assert left({"a": JULY, "b": SEPTEMBER}, [("a", "W1")], ["b"], FOOD) == [
        ["W1", "food", SEPTEMBER],
        ["W2", "food", SEPTEMBER],  # nothing of its own
    ]
    assert left({"a": SEPTEMBER, "b": JULY}, [("a", "W1")], ["b"], FOOD) == [
        ["W1", "food", SEPTEMBER],
        ["W2", "food", JULY],
    ]
    # It keeps nothing for another need.
    needs = [("a", "food"), ("b", "housing")]
    assert left({"a": JULY, "b": None}, [("a", "W1")], ["b"], needs) == [["W1", "food", JULY]]


def test_other_wards_and_services_that_do_not_count_are_not_there() -> None:
    assert left({"a": JULY}, [("a", "W9"), ("b", "W1")], ["b"], FOOD) == []
    assert left({"a": JULY}, [("a", "W1")], [], []) == []
    assert left({"a": JULY, "b": MARCH}, [("a", "W1")], ["b"], FOOD, ()) == []


def test_where_no_service_counts_nothing_is_left_to_lose() -> None:
    assert left({}, [("a", "W1")], ["b"], FOOD) == []
    assert left({}, [], [], []) == []


KEYS = st.sampled_from("abcd")
NEEDS = st.sampled_from(["food", "housing"])


@given(
    st.dictionaries(KEYS, st.sampled_from([JULY, SEPTEMBER, MARCH, None]), min_size=1),
    st.sets(st.tuples(KEYS, st.sampled_from(["W1", "W2", "W9"]))),
    st.sets(KEYS),
    st.sets(st.tuples(KEYS, NEEDS)),
)
def test_a_slower_way_says_the_same(
    ends: dict[str, date | None],
    serving: set[tuple[str, str]],
    everywhere: set[str],
    needs: set[tuple[str, str]],
) -> None:
    expected = []
    for ward in ("W1", "W2"):
        for theme in ("food", "housing"):
            there = [
                ends[key]
                for key in ends
                if (key, theme) in needs and (key in everywhere or (key, ward) in serving)
            ]
            days = [day for day in there if day is not None]
            if there and len(days) == len(there):
                expected.append([ward, theme, max(days)])
    assert left(ends, sorted(serving), sorted(everywhere), sorted(needs)) == expected


@pytest.mark.parametrize(
    ("offered", "cost", "pounds"),
    [(10, 20.0, 200.0), (0, 20.0, 0.0), (10, 0.0, 0.0), (None, 20.0, None), (10, None, None)],
)
def test_what_places_are_worth(
    offered: int | None, cost: float | None, pounds: float | None
) -> None:
    frame = pd.DataFrame({"places_offered": [offered], "cost_per_place": [cost]})
    (found,) = worth(frame.astype({"places_offered": "Int64", "cost_per_place": "Float64"}))
    assert (None if pd.isna(found) else found) == pounds


WARDS = pd.DataFrame(
    [
        ("W1", "D1", 1000), ("W2", "D1", 3000), ("W3", "D2", 4000), ("W4", "D2", None),
        ("W5", None, 9000),
    ],
    columns=["ward_code", "lad_code", "population"],
).astype({"population": "Int64"})  # fmt: skip


def shares(
    pounds: Mapping[str, float | None],
    serving: Sequence[tuple[str, str]],
    everywhere: Iterable[str] = (),
    wards: pd.DataFrame = WARDS,
) -> dict[str, float]:
    frame = pd.DataFrame(
        {
            "service_key": pd.Series(list(pounds), dtype="str"),
            "worth": pd.Series(list(pounds.values()), dtype="Float64"),
        }
    )
    found: Any = shared_out(frame, serves(*serving), wide(*everywhere), wards)
    return dict(found)


@pytest.mark.parametrize(
    ("pounds", "serving", "everywhere", "expected"),
    [
        # All in one district, then by how many live in each.
        ({"a": 100.0}, [("a", "W1")], [], {"D1": 100, "D2": 0}),
        ({"a": 100.0}, [("a", "W1"), ("a", "W3")], [], {"D1": 20, "D2": 80}),
        ({"a": 100.0}, [("a", "W2"), ("a", "W3")], [], {"D1": 300 / 7, "D2": 400 / 7}),
        # A ward whose people are not known, or that is in no district, takes no share.
        ({"a": 100.0}, [("a", "W1"), ("a", "W4"), ("a", "W5")], [], {"D1": 100, "D2": 0}),
        # The whole board: 4,000 of 8,000 in each district.
        ({"a": 100.0}, [], ["a"], {"D1": 50, "D2": 50}),
        # What is for the whole board and names a ward is shared out once.
        ({"a": 100.0}, [("a", "W1")], ["a"], {"D1": 50, "D2": 50}),
        # Not known is left out, and nobody else's is there.
        ({"a": 100.0, "b": None}, [("a", "W1"), ("b", "W1")], [], {"D1": 100, "D2": 0}),
        ({"a": 100.0}, [("a", "W1"), ("c", "W3")], ["d"], {"D1": 100, "D2": 0}),
        ({"a": 10.0, "b": 5.0}, [("a", "W1"), ("b", "W3")], [], {"D1": 10, "D2": 5}),
        ({}, [], [], {"D1": 0, "D2": 0}),
    ],
)
def test_pounds_by_district(
    pounds: dict[str, float | None],
    serving: list[tuple[str, str]],
    everywhere: list[str],
    expected: dict[str, float],
) -> None:
    assert shares(pounds, serving, everywhere) == pytest.approx(expected)


def test_where_nobody_says_what_a_place_costs_no_pounds_are_known() -> None:
    found = shares({"a": 100.0, "b": None}, [("a", "W1"), ("b", "W3")])
    assert found["D1"] == 100
    assert pd.isna(found["D2"])
    assert all(pd.isna(value) for value in shares({"a": None}, [], ["a"]).values())


def test_wards_without_a_population_give_no_district() -> None:
    bare = WARDS.assign(population=pd.array([None] * len(WARDS), "Int64"))
    assert shares({"a": 100.0}, [("a", "W1")], ["a"], bare) == {}


@given(
    st.dictionaries(KEYS, st.integers(0, 1000).map(float) | st.none()),
    st.sets(st.tuples(KEYS, st.sampled_from(["W1", "W2", "W3", "W4"]))),
    st.sets(KEYS),
    st.permutations(range(len(WARDS))),
)
def test_the_shares_add_up_to_what_all_is_worth(
    pounds: dict[str, float | None],
    serving: set[tuple[str, str]],
    everywhere: set[str],
    order: list[int],
) -> None:
    found = shares(pounds, sorted(serving), sorted(everywhere), WARDS.iloc[order])
    placed = {key for key, ward in serving if ward != "W4"} | everywhere
    total = sum(value or 0 for key, value in pounds.items() if key in placed)
    known = {name: value for name, value in found.items() if pd.notna(value)}
    assert sum(known.values()) == pytest.approx(total)
    again = shares(pounds, sorted(serving), sorted(everywhere))
    assert known == pytest.approx({n: value for n, value in again.items() if pd.notna(value)})
    assert known.keys() == {name for name, value in again.items() if pd.notna(value)}
