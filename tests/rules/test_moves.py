"""Who joined and who left: both sides of each line, and that nobody is told twice."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.moves import moves_of_people, moves_of_posts, posts_at
from dashboard.rules.take_up import month_end, months_before

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
MIDDLE = date(2026, 6, 15)
Spell = tuple[str, str, date | None, date | None]


def spells(*rows: Spell) -> pd.DataFrame:
    """As the query gives them: missing dates are `None` among dates."""
    frame = pd.DataFrame(rows, columns=["post_id", "status", "since", "until"])
    return frame.astype({"since": "object", "until": "object"})


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (None, None, True),
        (MIDDLE, MIDDLE, True),
        (MIDDLE + timedelta(days=1), None, False),
        (None, MIDDLE - timedelta(days=1), False),
        (None, MIDDLE, True),
        (MIDDLE, None, True),
    ],
)
@pytest.mark.parametrize("status", ["filled", "vacant", "recruiting", "ended"])
def test_a_spell_holds_on_its_first_and_its_last_day(
    status: str, since: date | None, until: date | None, holds: bool
) -> None:
    found = posts_at(spells(("P1", status, since, until)), MIDDLE)
    assert found["post_id"].tolist() == (["P1"] if holds and status != "ended" else [])


def test_of_the_spells_of_a_post_the_one_of_the_day_counts() -> None:
    rows = spells(
        ("P1", "filled", None, date(2026, 5, 31)),
        ("P1", "vacant", JUNE, date(2026, 6, 30)),
        ("P1", "filled", JULY, None),
        ("P2", "filled", None, None),
    )
    for day, statuses in ((date(2026, 5, 31), ["filled"]), (JUNE, ["vacant"]), (JULY, ["filled"])):
        assert posts_at(rows, day)["status"].tolist() == [*statuses, "filled"]
    assert len(posts_at(spells(), JUNE)) == 0


def days(*rows: Spell) -> list[tuple[date, int, int]]:
    return list(moves_of_posts(spells(*rows)).itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("rows", "moves"),
    [
        ([], []),
        ([("P1", "filled", None, None)], []),
        ([("P1", "filled", JUNE, None)], [(JUNE, 1, 0)]),
        ([("P1", "filled", None, MIDDLE)], [(MIDDLE, 0, 1)]),
        ([("P1", "filled", MIDDLE, MIDDLE)], [(MIDDLE, 1, 1)]),
        # Only posts that are filled have somebody who can come or go.
        ([("P1", s, JUNE, MIDDLE) for s in ("vacant", "recruiting", "ended")], []),
        # Two posts on one day are two.
        ([("P1", "filled", JUNE, None), ("P2", "filled", JUNE, None)], [(JUNE, 2, 0)]),
    ],
)
def test_moves_of_posts(rows: list[Spell], moves: list[tuple[date, int, int]]) -> None:
    assert days(*rows) == moves


def test_a_post_that_goes_on_to_be_filled_the_next_day_is_no_move() -> None:
    assert days(("P1", "filled", JUNE, MIDDLE), ("P1", "filled", date(2026, 6, 16), None)) == [
        (JUNE, 1, 0)
    ]
    # A day between is; and so is another post.
    assert days(("P1", "filled", JUNE, MIDDLE), ("P1", "filled", date(2026, 6, 17), None)) == [
        (JUNE, 1, 0), (MIDDLE, 0, 1), (date(2026, 6, 17), 1, 0)
    ]  # fmt: skip
    assert days(("P1", "filled", None, MIDDLE), ("P2", "filled", date(2026, 6, 16), None)) == [
        (MIDDLE, 0, 1), (date(2026, 6, 16), 1, 0)
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from(["filled", "vacant", "recruiting"])),
        min_size=1,
        max_size=8,
    )
)
def test_who_joined_less_who_left_is_who_is_there(history: list[tuple[int, str]]) -> None:
    """Spells of one post, one after the other, the last one open."""
    since, rows = date(2026, 1, 1), []
    for length, status in history:
        until = since + timedelta(days=length - 1)
        rows.append(("P1", status, since, until))
        since = until + timedelta(days=1)
    rows[-1] = (*rows[-1][:3], None)
    found = moves_of_posts(spells(*rows))
    assert found["joined"].sum() - found["left"].sum() == int(history[-1][1] == "filled")
    changes = sum(
        before != after and "filled" in (before, after)
        for (_, before), (_, after) in zip([(0, ""), *history], history, strict=False)
    )
    assert found[["joined", "left"]].to_numpy().sum() == changes


def people(*censuses: tuple[date, str]) -> pd.DataFrame:
    """One letter is one person."""
    rows = [(month_end(month), person) for month, letters in censuses for person in letters]
    return pd.DataFrame(rows, columns=["census", "person_id"])


def by_month(*censuses: tuple[date, str]) -> list[tuple[date, int | None, int | None]]:
    found = moves_of_people(people(*censuses))
    assert found[["joined", "left"]].dtypes.astype(str).tolist() == ["Int64", "Int64"]
    plain = found.astype(object).where(found.notna(), None)
    return list(plain.itertuples(index=False, name=None))


MAY_END, JUNE_END, JULY_END = date(2026, 5, 31), date(2026, 6, 30), date(2026, 7, 31)


def test_moves_of_people() -> None:
    months = (months_before(JUNE, 1), "abcd"), (JUNE, "abce"), (JULY, "abce")
    # Of the first month nobody knows who was there before.
    assert by_month(*months) == [(MAY_END, None, None), (JUNE_END, 1, 1), (JULY_END, 0, 0)]
    assert by_month(*months[::-1]) == by_month(*months)
    assert by_month() == []


def test_a_month_that_was_not_returned_hides_the_moves_after_it() -> None:
    found = by_month((months_before(JUNE, 1), "ab"), (JULY, "ac"))
    assert found == [(MAY_END, None, None), (JULY_END, None, None)]


@pytest.mark.parametrize(
    ("before", "now", "joined", "left"),
    [
        ("abcd", "abxy", 2, 2),  # half are kept: still the same identifiers
        ("abcd", "axyz", None, None),
        ("abcd", "wxyz", None, None),
        ("a", "ab", 1, 0),
        ("a", "b", None, None),
        ("abc", "ab", 0, 1),
        ("abc", "a", None, None),
    ],
)
def test_identifiers_given_anew_are_no_moves(
    before: str, now: str, joined: int | None, left: int | None
) -> None:
    found = by_month((JUNE, before), (JULY, now))
    assert found == [(JUNE_END, None, None), (JULY_END, joined, left)]


@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=2, max_size=6))
def test_the_moves_of_people_lead_from_one_month_to_the_next(sent: list[set[str]]) -> None:
    months = [(months_before(JULY, -n), "".join(sorted(who))) for n, who in enumerate(sent)]
    for (_, joined, left), (before, now) in zip(by_month(*months)[1:], pairwise(sent), strict=True):
        if joined is None or left is None:
            assert 2 * len(before & now) < len(before)
        else:
            assert len(before) + joined - left == len(now)
