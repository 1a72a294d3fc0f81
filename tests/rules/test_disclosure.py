"""The gate: what is hidden, what is rounded, and that nothing behind it shows through."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.rules.attacker import LEAST_WIDTH, Key, Range, Relation, exposed, nested, worked_out
from dashboard.rules.disclosure import (
    PROFILES,
    Profile,
    Released,
    added_up,
    added_up_by,
    disclose,
    hidden_flag,
    protect,
    release,
    rounding,
    shown_range,
)

NHS, LT6, INTERNAL = PROFILES["nhs"], PROFILES["lt6"], PROFILES["internal"]
HIDING = sorted(name for name, profile in PROFILES.items() if profile.hides)


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
        ("internal", 0, 0),
        ("internal", 1, 1),
        ("internal", 12, 12),
        ("internal", None, None),
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
    assert set(PROFILES) == {"nhs", "opensafely", "lt6", "internal"}
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert profile.may_leave == profile.hides == (name != "internal")
        assert not profile.hides or f"{profile.hide_from} to {profile.hide_to}" in profile.words


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
    st.sampled_from(HIDING),
)
def test_a_sum_is_the_same_whatever_is_hidden(
    shown_counts: list[int], hidden: list[int], data: st.DataObject, profile: str
) -> None:
    others = [data.draw(st.integers(1, 5)) for _ in hidden]
    assert together(*shown_counts, *hidden, profile=profile) == together(
        *shown_counts, *others, profile=profile
    )


def test_a_profile_that_does_not_round_is_rounded_by_the_national_one() -> None:
    """Where nothing is hidden, nothing is given back."""
    assert {name: rounding(profile).name for name, profile in PROFILES.items()} == {
        "nhs": "nhs", "opensafely": "opensafely", "lt6": "nhs", "internal": "internal"
    }  # fmt: skip


def test_inside_everything_is_shown() -> None:
    assert together(3, 0, None, profile="internal") == (3, False)
    frame = pd.DataFrame({"n": [3, 4, 7]}, index=["GP", "self", "all"])
    sums = [Relation("all", ("GP", "self"))]
    assert release(frame, INTERNAL, people=["n"], sums=sums).frame["n"].tolist() == [3, 4, 7]
    with pytest.raises(ValueError, match="counts"):
        protect({"a": -1}, [], INTERNAL)


TOTAL = [Relation("all", ("GP", "self", "social care", "other"))]


def listed(
    gp: int | None, self: int | None, care: int | None, other: int | None
) -> dict[Key, int | None]:
    parts = {"GP": gp, "self": self, "social care": care, "other": other}
    return parts | {"all": sum(value for value in parts.values() if value is not None)}


@pytest.mark.parametrize(
    ("values", "profile", "hidden"),
    [
        # One is given back by an exact total, unless the smallest other is hidden too.
        ((3, 24, 12, 41), "lt6", {"GP", "social care"}),
        ((3, 24, 12, 41), "nhs", {"GP"}),
        # Two keep each other, if their sum leaves three values; 1 + 2 leaves two, 5 + 5 one.
        ((2, 2, 30, 41), "lt6", {"GP", "self"}),
        ((1, 2, 30, 41), "lt6", {"GP", "self", "social care"}),
        ((5, 5, 30, 41), "lt6", {"GP", "self", "social care"}),
        ((5, 3, 30, 41), "lt6", {"GP", "self"}),
        ((5, 4, 30, 41), "lt6", {"GP", "self", "social care"}),
        # A 0 is shown, and hides nobody: only the total can.
        ((3, 24, 0, 0), "lt6", {"GP", "self"}),
        ((3, 0, 0, 0), "lt6", {"GP", "all"}),
        ((3, None, None, 24), "lt6", {"GP", "other"}),
        # Rounded to 28 to 32 together, seven and seven are 6 or 7 each.
        ((7, 7, 0, 0), "nhs", {"GP", "self", "all"}),
        ((7, 5, 0, 0), "nhs", {"GP", "self"}),
        # 0 is hidden here, so a hidden one may be 0.
        ((3, 24, 0, 0), "opensafely", {"GP", "social care", "other"}),
        ((24, 24, 12, 41), "lt6", set()),
    ],
)
def test_as_few_as_possible_are_hidden_besides(
    values: tuple[int, int, int, int], profile: str, hidden: set[str]
) -> None:
    assert protect(listed(*values), TOTAL, PROFILES[profile]) == hidden


def test_a_hidden_total_of_many_parts_is_not_one_each() -> None:
    """Each of five is 1 at least: hidden up to 5 only, a total of them would say that each is 1."""
    parts = tuple("abcde")
    sums = [Relation("all", parts)]
    assert protect(dict.fromkeys(parts, 1) | {"all": 5}, sums, LT6) == {*parts, "all"}
    for total in (6, 7):
        some = dict.fromkeys(parts, 1) | {"a": total - 4, "all": total}
        assert protect(some, sums, LT6) == {*parts, "all"}
    assert protect(dict.fromkeys(parts, 1) | {"a": 4, "all": 8}, sums, LT6) == {*parts}


def test_what_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="add up"):
        protect(listed(3, 24, 12, 41) | {"all": 81}, TOTAL, NHS)
    with pytest.raises(ValueError, match="add up"):
        protect({"referred": 8, "accepted": 9}, nested("referred", "accepted"), NHS)
    # A missing part may make up for what is missing of the total, not for more than the total.
    assert protect(listed(3, None, 12, 41) | {"all": 81}, TOTAL, LT6) == {"GP"}
    with pytest.raises(ValueError, match="add up"):
        protect(listed(3, None, 12, 41) | {"all": 55}, TOTAL, LT6)
    assert protect(listed(3, 24, 12, 41) | {"all": None}, TOTAL, LT6) == {"GP"}


STEPS = ["referred", "accepted", "seen"]


def sources() -> pd.DataFrame:
    return pd.DataFrame(
        {"referred": [40, 30, 12, 82], "accepted": [31, 3, 12, 46], "seen": [30, 0, 11, 41]},
        index=pd.Index(["GP", "self", "social care", "all"], name="source"),
    )


def test_a_table_is_released_with_its_sums() -> None:
    found = release(
        sources(),
        LT6,
        people=STEPS,
        sums=[Relation("all", ("GP", "self", "social care"))],
        steps=nested(*STEPS),
        derive=lambda frame: frame.assign(share=frame["accepted"] / frame["referred"]),
    )
    frame = found.frame
    assert frame["referred"].tolist() == [40, 30, 12, 82]
    assert frame["seen"].tolist() == [30, 0, 11, 41]
    assert not frame["referred_hidden"].any()
    # The total less 31 and 12 would be 3. Of 12 referred and 11 seen 11 or 12 were accepted: hiding
    # that leaves two values. Of 40 and 30 it is 30 or more, which leaves 1 to 4.
    assert frame["accepted_hidden"].tolist() == [True, True, False, False]
    assert frame["accepted"].isna().tolist() == [True, True, False, False]
    # A rate of a hidden count is hidden with it.
    assert frame["share"].isna().tolist() == [True, True, False, False]
    alone = release(sources(), LT6, people=STEPS).frame
    assert alone["accepted_hidden"].tolist() == [False, True, False, False]


def test_the_order_of_a_table_does_not_change_what_is_hidden() -> None:
    """Else two pages, each with its order, would give back what each hides."""
    frame = pd.DataFrame({"n": [3, 12, 12, 12, 39]}, index=list("abcdt"))
    hidden = set()
    for order in ("abcdt", "tdcba", "cbtad"):
        sums = [Relation("t", tuple(label for label in order if label != "t"))]
        found = release(frame.loc[list(order)], LT6, people=["n"], sums=sums).frame["n_hidden"]
        hidden.add(frozenset(found[found].index))
    assert len(hidden) == 1


def test_rows_of_sums_have_one_label_each() -> None:
    frame = pd.DataFrame({"n": [3, 4, 7]}, index=["GP", "GP", "all"])
    with pytest.raises(ValueError, match="one row"):
        release(frame, NHS, people=["n"], sums=[Relation("all", ("GP",))])


Table = tuple[dict[Key, int], list[Relation]]
people_in_a_cell = st.one_of(st.integers(0, 3), st.integers(0, 9), st.integers(0, 40))


@st.composite
def lists(draw: st.DrawFn) -> Table:
    """A list with its total, and a sum of some of its parts."""
    values = draw(st.lists(people_in_a_cell, min_size=2, max_size=8))
    table: dict[Key, int] = dict(enumerate(values))
    some = draw(st.integers(1, len(values)))
    table |= {"all": sum(values), "some": sum(values[:some])}
    return table, [
        Relation("all", tuple(range(len(values)))), Relation("some", tuple(range(some)))
    ]  # fmt: skip


def with_totals(*rows: tuple[int, ...]) -> Table:
    """Rows of numbers, with the totals of rows and columns, and of all."""
    numbers, columns = range(len(rows)), range(len(rows[0]))
    table: dict[Key, int] = {(row, at): rows[row][at] for row in numbers for at in columns}
    relations = [Relation((row, "all"), tuple((row, at) for at in columns)) for row in numbers]
    relations += [
        Relation(("all", at), tuple((row, at) for row in numbers)) for at in (*columns, "all")
    ]
    for one in relations:
        table[one.total] = sum(table[part] for part in one.parts)
    return table, relations


@st.composite
def two_way(draw: st.DrawFn) -> Table:
    width = draw(st.integers(2, 4))
    row = st.tuples(*[people_in_a_cell] * width)
    return with_totals(*draw(st.lists(row, min_size=2, max_size=4)))


@st.composite
def pathways(draw: st.DrawFn) -> Table:
    """Groups by steps, each among those of the step before, with the total of each step."""
    rows, steps = range(draw(st.integers(1, 5))), range(draw(st.integers(1, 4)))
    table: dict[Key, int] = {}
    for row in rows:
        left = draw(people_in_a_cell)
        for step in steps:
            table[row, step] = left
            left = draw(st.integers(0, left))
    relations = [Relation(("all", step), tuple((row, step) for row in rows)) for step in steps]
    table |= {one.total: sum(table[part] for part in one.parts) for one in relations}
    for row in (*rows, "all"):
        relations += nested(*((row, step) for step in steps))
    return table, relations


def small_to(
    table: Mapping[Key, int], relations: list[Relation], profile: Profile
) -> dict[Key, int]:
    """Up to where each is small: a total of many that are not 0 is never very small."""
    least = {key: min(value, profile.hide_from) for key, value in table.items()}
    for _ in table:
        for one in relations:
            least[one.total] = max(least[one.total], sum(least[part] for part in one.parts))
            shown = [part for part in one.parts if table[part] or profile.hide_from == 0]
            if one.is_exact and len(shown) == 1:
                least[shown[0]] = max(least[shown[0]], least[one.total])
    return {key: max(profile.hide_to, value + LEAST_WIDTH - 1) for key, value in least.items()}


def known_of(
    table: Mapping[Key, int], relations: list[Relation], hidden: set[Key], profile: Profile
) -> dict[Key, Range]:
    """What somebody knows who can tell small ones from the others that are hidden."""
    most = small_to(table, relations, profile)
    known: dict[Key, Range] = {key: shown_range(value, profile) for key, value in table.items()}
    for key in hidden:
        known[key] = (profile.hide_from, most[key] if table[key] <= most[key] else None)
    return known


def check_protected(found: Table, profile: Profile) -> None:
    table, relations = found
    hidden = protect(table, relations, profile)
    most = small_to(table, relations, profile)
    small = {key for key, value in table.items() if profile.hide_from <= value <= most[key]}
    assert small <= hidden
    assert all(table[key] >= profile.hide_from for key in hidden)
    known = known_of(table, relations, hidden, profile)
    # Nor by who sees that all hidden ones look alike.
    for ends in (known, known | dict.fromkeys(hidden, (0, None))):
        for key, (low, high) in worked_out(ends, relations, of=hidden).items():
            assert high is None or high - low + 1 >= LEAST_WIDTH
            assert low <= table[key] <= (table[key] if high is None else high)
    # None is hidden for nothing.
    for key in hidden - small:
        fewer = known | {key: shown_range(table[key], profile)}
        assert exposed(fewer, relations, hidden - {key})


tables = st.one_of(lists(), two_way(), pathways())


@given(tables, st.sampled_from(HIDING))
def test_nothing_hidden_is_worked_out(found: Table, profile: str) -> None:
    check_protected(found, PROFILES[profile])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("profile", HIDING)
@settings(max_examples=1000)
@given(found=tables)
def test_nothing_hidden_is_worked_out_long(profile: str, found: Table) -> None:
    check_protected(found, PROFILES[profile])


@pytest.mark.parametrize(
    "rows",
    [
        # One hidden for another's sake, and later hidden for nothing.
        [(1, 2), (4, 2)],
        # Showing one again gives another away than the one it was hidden for.
        [(12, 5, 9), (4, 4, 12)],
    ],
)
def test_what_is_hidden_for_nothing_is_shown_again(rows: list[tuple[int, ...]]) -> None:
    check_protected(with_totals(*rows), LT6)


def test_totals_are_the_last_to_be_hidden() -> None:
    """Two totals would do here, and are fewer than three others."""
    table, relations = with_totals((3, 20, 9), (30, 14, 50), (11, 40, 8))
    relations = [one for one in relations if one.total != ("all", "all")]
    del table["all", "all"]
    assert protect(table, relations, LT6) == {(0, 0), (0, 2), (2, 0), (2, 2)}


def test_a_leak_is_found_wherever_it_is() -> None:
    """One shown that was hidden for the sake of another, whichever it is, gives it back."""
    table, relations = with_totals((3, 20, 9), (30, 14, 50), (11, 40, 8))
    hidden = protect(table, relations, LT6)
    assert hidden == {(0, 0), (0, 2), (2, 0), (2, 2)}
    for leak in hidden - {(0, 0)}:
        left = hidden - {leak}
        found = worked_out(known_of(table, relations, left, LT6), relations, of=left)
        assert found[0, 0] == (3, 3)
        assert exposed(known_of(table, relations, left, LT6), relations, left) == left
