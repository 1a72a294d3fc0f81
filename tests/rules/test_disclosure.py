"""The gate: what is hidden, what is rounded, and that nothing behind it shows through."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.disclosure import (
    PROFILES,
    Released,
    added_up,
    added_up_by,
    disclose,
    hidden_flag,
    release,
    rounding,
)

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
NHS = PROFILES["nhs"]


def counts(*values: int | None) -> pd.Series:
    return pd.Series(values, dtype="Int64", name="people")


def shown(value: int | None, profile: str = "nhs") -> int | str | None:
    """One count as a reader sees it."""
    numbers, hidden = disclose(counts(value), PROFILES[profile])
    if hidden[0]:
        assert pd.isna(numbers[0])
        return "*"
    return None if pd.isna(numbers[0]) else int(numbers[0])


@pytest.mark.parametrize(
    ("profile", "true", "expected"),
    [
        ("nhs", 0, 0),
        ("nhs", 1, "*"),
        ("nhs", 7, "*"),
        ("nhs", 8, 10),
        ("nhs", 12, 10),
        ("nhs", 13, 15),
        ("nhs", 17, 15),
        ("nhs", 18, 20),
        ("nhs", 1_000_002, 1_000_000),
        ("nhs", 1_000_003, 1_000_005),
        ("opensafely", 0, "*"),
        ("opensafely", 1, "*"),
        ("opensafely", 7, "*"),
        ("opensafely", 8, 10),
        ("opensafely", 12, 10),
        ("opensafely", 13, 15),
        ("lt6", 0, 0),
        ("lt6", 1, "*"),
        ("lt6", 5, "*"),
        ("lt6", 6, 6),
        ("lt6", 7, 7),
        ("lt6", 8, 8),
        ("lt6", 12, 12),
        ("nhs", None, None),
        ("opensafely", None, None),
        ("lt6", None, None),
    ],
)
def test_both_sides_of_each_line(profile: str, true: int, expected: int | str | None) -> None:
    assert shown(true, profile) == expected


def test_missing_is_not_hidden_and_hidden_is_not_missing() -> None:
    numbers, hidden = disclose(counts(None, 3, 0, 40), NHS)
    assert hidden.tolist() == [False, True, False, False]
    assert numbers.isna().tolist() == [True, True, False, False]
    assert hidden.dtype == bool
    assert numbers.dtype == "Int64"


@pytest.mark.parametrize("bad", [-5, -3.6, 4.2, 6.999999])
def test_what_is_no_count_of_people_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="people"):
        disclose(pd.Series([10.0, bad], name="people"), NHS)
    with pytest.raises(ValueError, match="people"):
        release(pd.DataFrame({"people": [bad]}), NHS, people=["people"])


def test_whole_numbers_held_as_floats_are_counts() -> None:
    numbers, hidden = disclose(pd.Series([3.0, 8.0, None], name="people"), NHS)
    assert hidden.tolist() == [True, False, False]
    assert numbers[1] == 10


def test_an_empty_column_keeps_its_types() -> None:
    numbers, hidden = disclose(counts(), NHS)
    assert (len(numbers), numbers.dtype, hidden.dtype) == (0, "Int64", bool)


whole = st.lists(st.none() | st.integers(0, 40) | st.integers(0, 10**7), max_size=20)


@given(whole, st.sampled_from(sorted(PROFILES)))
def test_what_is_shown_is_safe(values: list[int | None], name: str) -> None:
    profile = PROFILES[name]
    numbers, hidden = disclose(counts(*values), profile)
    for true, number, is_hidden in zip(values, numbers, hidden, strict=True):
        in_range = true is not None and profile.hide_from <= true <= profile.hide_to
        assert is_hidden == in_range
        assert pd.isna(number) == (true is None or in_range)
        if not pd.isna(number):
            assert number % profile.round_to == 0
            assert not 1 <= number <= profile.hide_to
            assert abs(number - true) * 2 <= profile.round_to
            assert (number == 0) == (true == 0)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_nhs_shows_multiples_of_five_and_never_one_to_seven(values: list[int]) -> None:
    numbers, _ = disclose(counts(*values), NHS)
    assert all(number % 5 == 0 and not 1 <= number <= 7 for number in numbers.dropna())


def same_class(value: int) -> st.SearchStrategy[int]:
    """Another true count that shows the same."""
    if value == 0:
        return st.just(0)
    if value <= 7:
        return st.integers(1, 7)
    middle = (value + 2) // 5 * 5
    return st.integers(max(8, middle - 2), middle + 2)


def rates(disclosed: pd.DataFrame) -> pd.DataFrame:
    """Everything a page might derive: a rate, words, a rank and an order."""
    return disclosed.assign(
        rate=disclosed["referrals"] / disclosed["adults"] * 1000,
        words=disclosed["referrals"].astype("string").fillna("no number"),
        place=disclosed["referrals"].rank(),
        share=disclosed["referrals"] / disclosed["referrals"].sum(),
    ).sort_values("referrals")


@given(st.data())
def test_what_is_released_depends_on_the_disclosed_numbers_only(data: st.DataObject) -> None:
    """Other true counts of the same rounding class: every cell and the order stay the same."""
    first = data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=8))
    second = [data.draw(same_class(value)) for value in first]
    wards = [f"W{n}" for n in range(len(first))]

    def released(values: list[int]) -> pd.DataFrame:
        frame = pd.DataFrame({"ward": wards, "adults": 1000, "referrals": counts(*values)})
        return release(frame, NHS, people=["referrals"], derive=rates).frame

    pd.testing.assert_frame_equal(released(first), released(second))


def test_the_frame_that_came_in_is_left_alone() -> None:
    frame = pd.DataFrame({"referrals": counts(3, 41), "places": [3, 41]})
    found = release(frame, NHS, people=["referrals"])
    assert frame["referrals"].tolist() == [3, 41]
    assert list(frame.columns) == ["referrals", "places"]
    # Counts of things are not people.
    assert found.frame["places"].tolist() == [3, 41]
    assert found.frame[hidden_flag("referrals")].tolist() == [True, False]
    assert (found.people, found.profile) == (("referrals",), NHS)


def test_each_column_of_people_is_disclosed_on_its_own() -> None:
    frame = pd.DataFrame({"referred": counts(40, 8), "declined": counts(3, 0)})
    found = release(frame, NHS, people=["referred", "declined"]).frame
    assert found["referred"].tolist() == [40, 10]
    assert found["referred_hidden"].tolist() == [False, False]
    assert found["declined_hidden"].tolist() == [True, False]


def test_rows_of_a_release_are_a_release() -> None:
    found = release(pd.DataFrame({"n": counts(3, 40)}), NHS, people=["n"])
    kept = found.rows(pd.Series([False, True]))
    assert isinstance(kept, Released)
    assert kept.frame["n"].tolist() == [40]
    assert (kept.people, kept.profile) == (found.people, found.profile)


def test_profiles_say_what_they_do() -> None:
    assert set(PROFILES) == {"nhs", "opensafely", "lt6"}
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert f"{profile.hide_from} to {profile.hide_to}" in profile.words


@pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
def test_worked_cases() -> None:
    cases = json.loads((VECTORS / "disclosure_control.json").read_text(encoding="utf-8"))
    pairs = [(case["true"], case["star"]) for case in cases["unit_rounding"]]
    pairs += [(case["value"], case["star"]) for case in cases["published_unit_star"]]
    assert len(pairs) > 40
    for true, star in pairs:
        assert str(shown(true)) == star
    for bad in cases["must_raise"]:
        if isinstance(bad, int | float):
            with pytest.raises(ValueError, match="people"):
                disclose(pd.Series([bad], name="people"), NHS)


def together(*values: int | None, profile: str = "nhs") -> tuple[int | None, bool]:
    """What is said of counts together."""
    frame = pd.DataFrame({"people": counts(*values)})
    return added_up(release(frame, PROFILES[profile], people=["people"]), "people")


def test_counts_are_added_up_from_what_is_shown() -> None:
    # 12 is shown as 10 and 23 as 25; a hidden 1 to 7 counts as 4, and 39 becomes 40.
    assert together(12, 23) == (35, False)
    assert together(12, 23, 3) == (40, False)
    assert together(12, 23, 0) == (35, False)
    assert together(12, None) == (10, False)
    # Exact counts stay exact, until one of them is hidden.
    assert together(12, 23, profile="lt6") == (35, False)
    assert together(12, 22, 3, profile="lt6") == (35, False)


def test_of_hidden_counts_alone_nothing_is_said() -> None:
    assert together(3) == together(3, 5) == together(3, None) == (None, True)
    assert together() == together(None) == (None, False)
    # Nor does a 0 beside one say more: 4 becomes 5, which is as small as what is hidden.
    assert together(3, 0) == together(3, 0, None) == (None, True)
    assert together(3, 0, profile="lt6") == (None, True)
    assert together(3, 3, 0) == (10, False)
    assert together(0, 0) == (0, False)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 30))), max_size=12
    ),
    st.sampled_from(sorted(PROFILES)),
)
def test_sums_by_group_are_those_of_each_group(
    rows: list[tuple[str, int | None]], profile: str
) -> None:
    frame = pd.DataFrame(rows, columns=["group", "people"]).astype({"people": "Int64"})
    released = release(frame, PROFILES[profile], people=["people"])
    sums, hidden = added_up_by(released, "people", frame["group"])
    assert set(sums.index) == set(frame["group"])
    for group in sums.index:
        mine = [value for name, value in rows if name == group]
        expected = together(*mine, profile=profile)
        found = None if pd.isna(sums[group]) else int(sums[group])
        assert (found, bool(hidden[group])) == expected


@given(
    st.lists(st.integers(0, 60), max_size=6),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.data(),
    st.sampled_from(sorted(PROFILES)),
)
def test_a_sum_is_the_same_whatever_is_hidden(
    shown_counts: list[int], hidden: list[int], data: st.DataObject, profile: str
) -> None:
    others = [data.draw(st.integers(1, 5)) for _ in hidden]
    assert together(*shown_counts, *hidden, profile=profile) == together(
        *shown_counts, *others, profile=profile
    )


def test_a_profile_that_does_not_round_is_rounded_by_the_national_one() -> None:
    assert [rounding(PROFILES[name]).name for name in ("nhs", "opensafely", "lt6")] == [
        "nhs", "opensafely", "nhs"
    ]  # fmt: skip
