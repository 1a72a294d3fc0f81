"""What can be worked out of hidden counts: against every table there is, and both sides of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.rules.attacker import (
    LEAST_WIDTH,
    Key,
    Range,
    Relation,
    bounds_alone,
    cheapest_cover,
    exposed,
    given_back,
    nested,
    worked_out,
)

LIST = [Relation("all", ("a", "b", "c"))]


def test_one_hidden_part_of_an_exact_total_is_given_back() -> None:
    known = {"a": (1, 7), "b": (24, 24), "c": (41, 41), "all": (68, 68)}
    assert worked_out(known, LIST) == {"a": (3, 3), "b": (24, 24), "c": (41, 41), "all": (68, 68)}
    assert worked_out(known, LIST, of=["a"]) == {"a": (3, 3)}
    assert exposed(known, LIST, ["a"]) == {"a"}


def test_two_hidden_parts_keep_each_other() -> None:
    known = {"a": (1, 7), "b": (0, None), "c": (41, 41), "all": (68, 68)}
    assert worked_out(known, LIST, of="ab") == {"a": (1, 7), "b": (20, 26)}
    assert exposed(known, LIST, "ab") == set()


def test_without_a_total_there_is_no_most() -> None:
    known: dict[Key, Range] = {"a": (1, 7), "b": (0, None), "c": (41, 41), "all": (0, None)}
    assert worked_out(known, LIST, of=["all", "b"]) == {"all": (42, None), "b": (0, None)}
    assert worked_out({"a": (1, 7)}, []) == {"a": (1, 7)}


@pytest.mark.parametrize(("total", "left"), [(2, 1), (3, 2), (4, 3), (12, 3), (13, 2), (14, 1)])
def test_both_sides_of_the_width(total: int, left: int) -> None:
    known = {"a": (1, 7), "b": (1, 7), "all": (total, total)}
    relations = [Relation("all", ("a", "b"))]
    low, high = worked_out(known, relations)["a"]
    assert high is not None
    assert high - low + 1 == left
    assert exposed(known, relations, "ab") == (set() if left >= LEAST_WIDTH else {"a", "b"})


def test_a_step_is_at_least_the_next() -> None:
    known: dict[Key, Range] = {"referred": (0, None), "accepted": (1, 7), "seen": (5, 5)}
    relations = nested("referred", "accepted", "seen")
    assert relations[0] == Relation("referred", ("accepted",), is_exact=False)
    found = worked_out(known, relations)
    assert found == {"referred": (5, None), "accepted": (5, 7), "seen": (5, 5)}
    assert exposed(known, relations, ["accepted"]) == set()
    assert exposed(known | {"seen": (6, 6)}, relations, ["accepted"]) == {"accepted"}


def test_rolling_sums_settle_a_month_only_together() -> None:
    """Each sum alone leaves a range; the circle of them leaves one number."""
    relations = [
        Relation("spring", ("april", "may", "june")),
        Relation("first", ("april", "may")),
        Relation("last", ("may", "june")),
    ]
    known: dict[Key, Range] = dict.fromkeys(("april", "may", "june"), (0, None))
    known |= {"spring": (26, 26), "first": (12, 12), "last": (17, 17)}
    assert worked_out(known, relations, of=["may"]) == {"may": (3, 3)}
    low, high = bounds_alone(known, relations)["may"]
    assert (low, high) != (3, 3)


def test_steps_that_leave_nobody_out_are_the_same() -> None:
    """7 of 7 referred were accepted, so each source's were, which no step says by itself."""
    relations = [
        Relation("referred", ("GP", "self")),
        Relation("accepted", ("GP accepted", "self accepted")),
        *nested("GP", "GP accepted"),
        *nested("self", "self accepted"),
        Relation("asked", ("GP", "self accepted")),
    ]
    parts = ("GP", "self", "GP accepted", "self accepted")
    known = dict.fromkeys(parts, (0, 7)) | dict.fromkeys(("referred", "accepted"), (7, 7))
    assert worked_out(known | {"asked": (0, 20)}, relations, of=["asked"]) == {"asked": (7, 7)}


def test_whole_numbers_say_more_than_fractions() -> None:
    """Half of an odd sum is no number of people: a + b, b + c and a + c are odd together."""
    relations = [Relation("x", ("a", "b")), Relation("y", ("b", "c")), Relation("z", ("a", "c"))]
    known = dict.fromkeys("abc", (0, 9)) | dict.fromkeys("xy", (3, 3)) | {"z": (2, 3)}
    assert worked_out(known, relations, of="abcz") == {
        "a": (1, 1), "b": (2, 2), "c": (1, 1), "z": (2, 2)
    }  # fmt: skip


@pytest.mark.parametrize(
    "known",
    [
        {"a": (1, 7), "b": (24, 24), "c": (41, 41), "all": (80, 80)},
        {"a": (1, 7), "b": (24, 24), "c": (41, 41), "all": (60, 60)},
    ],
)
def test_what_cannot_be_is_refused(known: Mapping[Key, Range]) -> None:
    with pytest.raises(ValueError, match="no counts fit"):
        worked_out(known, LIST)


def test_what_only_programs_find_impossible_is_refused() -> None:
    relations = [Relation("x", ("a", "b")), Relation("y", ("b", "c")), Relation("z", ("a", "c"))]
    known = dict.fromkeys("abc", (0, 9)) | dict.fromkeys("xyz", (3, 3))
    with pytest.raises(ValueError, match="no counts fit"):
        worked_out(known, relations)


def test_a_relation_has_each_count_once() -> None:
    with pytest.raises(ValueError, match="once"):
        worked_out({"a": (1, 7), "all": (0, 9)}, [Relation("all", ("a", "a"))])


def every_table(
    known: Mapping[Key, tuple[int, int]], relations: Sequence[Relation]
) -> dict[Key, Range] | None:
    """The slow way: all tables there are."""
    fitting = []
    for values in product(*(range(low, high + 1) for low, high in known.values())):
        table = dict(zip(known, values, strict=True))
        rests = [table[one.total] - sum(table[part] for part in one.parts) for one in relations]
        if all(
            rest == 0 or (rest > 0 and not one.is_exact)
            for rest, one in zip(rests, relations, strict=True)
        ):
            fitting.append(table)
    if not fitting:
        return None
    return {
        key: (min(table[key] for table in fitting), max(table[key] for table in fitting))
        for key in known
    }


@st.composite
def puzzles(draw: st.DrawFn) -> tuple[dict[Key, tuple[int, int]], list[Relation]]:
    """Up to six counts with any relations between them, circles too."""
    keys = "abcdef"[: draw(st.integers(2, 6))]
    ends = st.tuples(st.integers(0, 4), st.integers(0, 3)).map(lambda two: (two[0], sum(two)))
    known = {key: draw(ends) for key in keys}
    groups = st.lists(st.sampled_from(keys), min_size=2, max_size=4, unique=True)
    relations = st.builds(
        lambda group, is_exact: Relation(group[0], tuple(group[1:]), is_exact),
        groups,
        st.booleans(),
    )
    return known, draw(st.lists(relations, max_size=4))


def against_every_table(
    puzzle: tuple[dict[Key, tuple[int, int]], list[Relation]], least_width: int
) -> None:
    known, relations = puzzle
    expected = every_table(known, relations)
    if expected is None:
        with pytest.raises(ValueError, match="no counts fit"):
            worked_out(known, relations)
        return
    assert worked_out(known, relations) == expected
    narrow = {key for key, (low, high) in expected.items() if high - low + 1 < least_width}  # type: ignore[operator]
    assert exposed(known, relations, known, least_width) == narrow
    for key, (low, high) in bounds_alone(known, relations).items():
        assert high is not None
        assert low <= expected[key][0] <= expected[key][1] <= high  # type: ignore[operator]


@given(puzzles(), st.integers(1, 4))
def test_ranges_are_those_of_every_table_there_is(
    puzzle: tuple[dict[Key, tuple[int, int]], list[Relation]], least_width: int
) -> None:
    against_every_table(puzzle, least_width)


@pytest.mark.slow
@settings(max_examples=1000)
@given(puzzles(), st.integers(1, 4))
def test_ranges_are_those_of_every_table_there_is_long(
    puzzle: tuple[dict[Key, tuple[int, int]], list[Relation]], least_width: int
) -> None:
    against_every_table(puzzle, least_width)


def test_the_cheapest_cover_of_one_in_a_table_is_a_rectangle() -> None:
    """One in the row and one in the column give each other away; the fourth corner closes it."""
    rows = {"r": (3, 20, 9), "s": (30, 14, 50), "t": (11, 40, 8)}
    counts = {(row, column): value for row in rows for column, value in enumerate(rows[row])}
    relations = [Relation((row, "all"), tuple((row, at) for at in range(3))) for row in rows]
    relations += [Relation(("all", at), tuple((row, at) for row in rows)) for at in range(3)]
    counts |= {one.total: sum(counts[part] for part in one.parts) for one in relations}
    known: dict[Key, Range] = {key: (value, value) for key, value in counts.items()}
    known["r", 0] = (1, 7)
    # 11 + 9 + 8 people in three counts; no other three are as few, and totals are not to be hidden.
    totals = {one.total for one in relations}
    costs = {
        key: 1 + value / 1000 for key, value in counts.items() if key not in {*totals, ("r", 0)}
    }
    found = cheapest_cover(("r", 0), known, relations, costs, least=1)
    assert found == {("t", 0), ("r", 2), ("t", 2)}
    hidden = known | dict.fromkeys(found, (1, None))
    assert exposed(hidden, relations, {("r", 0), *found}) == set()


def test_what_hiding_cannot_help_is_refused() -> None:
    with pytest.raises(ValueError, match="whatever else"):
        cheapest_cover("a", {"a": (1, 7), "b": (1, 1)}, [Relation("a", ("b",))], {}, least=1)


@pytest.mark.parametrize(
    ("rate", "of", "decimals", "per", "counts"),
    [
        (2.5, 120, 1, 100, [3]),
        (50.0, 2, 0, 100, [1]),
        # 2.5% rounds up to 3, 3.5% to 4.
        (3.0, 200, 0, 100, [5, 6]),
        (0.0, 400, 0, 100, [0, 1]),
        (100.0, 400, 0, 100, [398, 399, 400]),
        # More contacts than people may be; a part is no more than the whole.
        (1500.0, 10, 0, 1000, [15]),
        (3.1, 95, 1, 100, []),
    ],
)
def test_counts_that_a_rate_gives_back(
    rate: float, of: int, decimals: int, per: int, counts: list[int]
) -> None:
    assert list(given_back(rate, of, decimals, per)) == counts


@given(st.integers(0, 300), st.integers(1, 300), st.integers(0, 2), st.sampled_from([100, 1000]))
def test_a_count_is_among_those_its_rate_gives_back(
    count: int, of: int, decimals: int, per: int
) -> None:
    scaled = count * per * 10**decimals
    rate = (2 * scaled + of) // (2 * of) / 10**decimals
    found = given_back(rate, of, decimals, per)
    assert count in found or (count > of and rate <= per)
    for other in found:
        assert (2 * other * per * 10**decimals + of) // (2 * of) / 10**decimals == rate
