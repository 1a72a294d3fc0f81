"""Link workers by month: like for like, planned, joined and left; and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.rules.disclosure import Released
from dashboard.settings import settings
from dashboard.workforce_trend import (
    FteTrend,
    Trajectory,
    asked_trend,
    fte_trend,
    joined_and_left,
    trajectory,
)
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BROOK, DALE, EAST, NORTH, SOUTH, Post, Referrals

ALL = (NORTH, SOUTH, EAST)
APRIL, MAY, JUNE = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]


def plain(released: Released, *names: str) -> list[tuple[Any, ...]]:
    frame = released.frame[list(names)] if names else released.frame
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def trend(
    engine: Engine,
    months: int = 3,
    pcn_codes: Sequence[str] = ALL,
    as_at: date = b.AS_AT,
    scope: Scope = EVERYTHING,
) -> FteTrend:
    return fte_trend(engine, scope, b.BOARD, as_at, pcn_codes, months)


def by_month(found: FteTrend) -> list[tuple[Any, ...]]:
    return plain(found.months, "month", "fte", "pcns", "fte_alike")


def changes(found: FteTrend) -> list[Sequence[str]]:
    return [found.joined, found.left, found.moved, found.silent]


def test_all_that_returned_every_month(any_engine: Engine) -> None:
    b.Board(monthly={NORTH: (1.0, 2.0, 3.0), SOUTH: (0.0, 0.5, 0.5)}).save(any_engine)
    found = trend(any_engine)
    assert by_month(found) == [(APRIL, 1.0, 2, 1.0), (MAY, 2.5, 2, 2.5), (JUNE, 3.5, 2, 3.5)]
    # East never returned: nothing changed by it.
    assert (found.alike, found.is_whole, changes(found)) == ([NORTH, SOUTH], True, [[]] * 4)
    assert by_month(trend(any_engine, pcn_codes=(SOUTH,)))[-1] == (JUNE, 0.5, 1, 0.5)
    assert by_month(trend(any_engine, as_at=date(2026, 6, 29)))[1:] == [
        (APRIL, 1.0, 2, 1.0), (MAY, 2.5, 2, 2.5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("south", "fte", "pcns", "expected"),
    rest_is_slow(
        # Joined, left, missed a month; whoever did is not in what is like for like.
        ((None, 1.0, 1.0), [2.0, 3.0, 3.0], [1, 2, 2], ([SOUTH], [], [], [])),
        ((1.0, 1.0, None), [3.0, 3.0, 2.0], [2, 2, 1], ([], [SOUTH], [], [])),
        ((1.0, None, 1.0), [3.0, 2.0, 3.0], [2, 1, 2], ([], [], [], [SOUTH])),
        ((None, 1.0, None), [2.0, 3.0, 2.0], [1, 2, 1], ([SOUTH], [SOUTH], [], [])),
        # A return without a worker is a return.
        ((0.0, 1.0, 0.0), [2.0, 3.0, 2.0], [2, 2, 2], ([], [], [], [])),
        fast=2,
    ),
)
def test_one_that_came_or_went(
    sqlite_engine: Engine,
    south: tuple[float | None, ...],
    fte: list[float],
    pcns: list[int],
    expected: tuple[list[str], ...],
) -> None:
    b.Board(monthly={NORTH: (2.0, 2.0, 2.0), SOUTH: south}).save(sqlite_engine)
    found = trend(sqlite_engine)
    whole = expected == ([], [], [], [])
    alike = fte if whole else [2.0, 2.0, 2.0]
    months = list(zip([APRIL, MAY, JUNE], fte, pcns, alike, strict=True))
    assert by_month(found) == months
    assert changes(found) == list(expected)
    assert found.is_whole == whole
    assert found.alike == ([NORTH, SOUTH] if whole else [NORTH])


def test_a_month_that_nobody_returned_is_missing_and_nobodys_fault(sqlite_engine: Engine) -> None:
    b.Board(monthly={NORTH: (2.0, None, 2.0), SOUTH: (1.0, None, 1.0)}).save(sqlite_engine)
    found = trend(sqlite_engine, months=4)
    assert by_month(found) == [
        (date(2026, 3, 1), None, None, None),
        (APRIL, 3.0, 2, 3.0),
        (MAY, None, None, None),
        (JUNE, 3.0, 2, 3.0),
    ]
    assert (found.is_whole, changes(found)) == (True, [[]] * 4)


def test_one_that_came_from_another_board(any_engine: Engine) -> None:
    """South was the neighbour's in April: as returned it is new, like for like it was there."""
    b.Board(monthly={NORTH: (2.0, 2.0, 2.0), SOUTH: (None, 1.0, 1.0)}).save(any_engine)
    workers = [(SOUTH, False, 1.5, "person 1")]
    save(any_engine, b.census(date(2026, 4, 30), b.NEIGHBOUR, {SOUTH: 1}, workers))
    found = trend(any_engine)
    assert by_month(found) == [(APRIL, 2.0, 1, 3.5), (MAY, 3.0, 2, 3.0), (JUNE, 3.0, 2, 3.0)]
    assert changes(found) == [[], [], [SOUTH], []]
    assert (found.alike, found.is_whole) == ([NORTH, SOUTH], False)


def test_one_that_two_boards_returned_is_added_up(sqlite_engine: Engine) -> None:
    b.Board(monthly={NORTH: (2.0, 2.0)}).save(sqlite_engine)
    workers = [(NORTH, False, 0.5, "person 8")]
    save(sqlite_engine, b.census(b.AS_AT, b.NEIGHBOUR, {NORTH: 1}, workers))
    found = trend(sqlite_engine, months=2)
    assert by_month(found) == [(MAY, 2.0, 1, 2.0), (JUNE, 2.0, 1, 2.5)]
    assert changes(found) == [[], [], [NORTH], []]


def test_no_census_and_no_scope(sqlite_engine: Engine) -> None:
    b.Board(workforce=False).save(sqlite_engine)
    missing = [(month, None, None, None) for month in (APRIL, MAY, JUNE)]
    found = trend(sqlite_engine)
    assert (by_month(found), found.alike, changes(found)) == (missing, [], [[]] * 4)
    save(sqlite_engine, b.census(b.AS_AT, b.BOARD, {NORTH: 1}, []))
    assert by_month(trend(sqlite_engine, scope=Scope(frozenset({b.NEIGHBOUR})))) == missing
    assert by_month(trend(sqlite_engine, pcn_codes=())) == missing


# What is asked of them.

LONG = date(2025, 6, 1), date(2025, 7, 1), date(2025, 8, 1)
WINDOW_END = JUNE


def asked(
    engine: Engine, *pcn_codes: str, end: date | None = WINDOW_END, months: int = 13
) -> dict[date, tuple[int | None, int | None]]:
    found = asked_trend(engine, EVERYTHING, b.BOARD, b.AS_AT, pcn_codes, end, months)
    rows = plain(found, "month", "referrals", "open_referrals")
    return {month: (received, still) for month, received, still in rows}


# Of 20, 30 and 10 in July, one each ended in August.
MANY = b.Board(
    referrals=(
        *(Referrals(ABBEY, NORTH, (10, 0, 0, 0)) for _ in range(20)),
        *(Referrals(BROOK, SOUTH, (3, 0, 0, 0)) for _ in range(10)),
    ),
    before_window=0,
)


def test_months_by_hand(any_engine: Engine) -> None:
    """North: 20 in July, all ended in August, 180 in June. South: 10, ended, and 20."""
    MANY.save(any_engine)
    july, august = LONG[1:]
    north = asked(any_engine, NORTH)
    assert next(iter(north)) == LONG[0]
    assert len(north) == 13
    # Before the first return nobody knows; after it, a month without is none.
    assert north[LONG[0]] == (None, None)
    assert (north[july], north[august], north[date(2025, 9, 1)]) == ((20, 20), (0, 0), (0, 0))
    assert (north[MAY], north[JUNE]) == ((0, 0), (180, 180))
    both = asked(any_engine, NORTH, SOUTH, EAST)
    assert (both[july], both[august], both[JUNE]) == ((30, 30), (0, 0), (200, 200))
    # What was open before the months shown is open in them.
    last = asked(any_engine, NORTH, end=july, months=1)
    assert last == {july: (20, 20)}
    assert asked(any_engine, NORTH, end=JUNE, months=1) == {JUNE: (180, 180)}
    assert asked(any_engine, NORTH, end=MAY, months=1) == {MAY: (0, 0)}


@pytest.mark.slow
def test_a_sum_begins_when_all_of_them_have_begun(sqlite_engine: Engine) -> None:
    """North tells from June 2025, South from July: of June only North's month is known."""
    MANY.but(before_window=20).save(sqlite_engine)
    june, july = LONG[:2]
    assert asked(sqlite_engine, NORTH)[june][0] == 20
    assert asked(sqlite_engine, NORTH, SOUTH)[june] == (None, None)
    assert asked(sqlite_engine, NORTH, SOUTH)[july][0] == 30


def test_what_was_open_before_the_first_month_is_open_in_it(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine)
    # One came in June 2025, two in July, when the one ended: two are open, and hidden.
    found = asked_trend(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT, (NORTH,), LONG[1], 1)
    assert plain(found) == [(LONG[1], None, None, True, True)]


def test_months_without_a_window_or_a_return(sqlite_engine: Engine) -> None:
    MANY.save(sqlite_engine)
    assert asked(sqlite_engine, NORTH, end=None) == {}
    empty = asked_trend(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT, (NORTH,), None, 3)
    full = asked_trend(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT, (NORTH,), JUNE, 3)
    kept = ["referrals", "open_referrals"]
    assert empty.frame[kept].dtypes.tolist() == full.frame[kept].dtypes.tolist()
    assert empty.people == full.people == ("referrals", "open_referrals")
    assert set(asked(sqlite_engine, EAST).values()) == {(None, None)}
    assert set(asked(sqlite_engine).values()) == {(None, None)}


def few(engine: Engine, *pcn_codes: str) -> list[tuple[Any, ...]]:
    found = asked_trend(engine, EVERYTHING, b.BOARD, b.AS_AT, pcn_codes, JUNE, 1)
    return plain(found, "referrals", "referrals_hidden", "open_referrals", "open_referrals_hidden")


@pytest.mark.parametrize(
    ("profile", "three", "forty_three", "six"),
    rest_is_slow(
        ("nhs", (None, True), (45, False), (None, True)),
        ("opensafely", (None, True), (45, False), (None, True)),
        # Months are rounded even where the year is not: beside it they give one month back.
        ("lt6", (None, True), (45, False), (None, True)),
    ),
)
def test_few_are_hidden_in_a_month(
    sqlite_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
    three: tuple[int | None, bool],
    forty_three: tuple[int | None, bool],
    six: tuple[int | None, bool],
) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()
    north, south = Referrals(ABBEY, NORTH, (44, 0, 0, 0)), Referrals(DALE, SOUTH, (4, 0, 0, 0))
    board = b.Board(referrals=(north, south), before_window=0)
    board.save(sqlite_engine)
    assert few(sqlite_engine, NORTH) == [forty_three * 2]
    assert few(sqlite_engine, SOUTH) == [three * 2]
    # Added up from what is shown: 45 and the middle of the hidden range, whatever it hides.
    assert few(sqlite_engine, NORTH, SOUTH) == [(50, False, 50, False)]
    south = Referrals(DALE, SOUTH, (7, 0, 0, 0))
    save(sqlite_engine, board.but(referrals=(north, south)).referral_return())
    assert few(sqlite_engine, SOUTH) == [six * 2]
    # Two networks of which one sent nothing are the other by itself: still not exact.
    assert few(sqlite_engine, SOUTH, EAST) == [(None, True, None, True)]


@pytest.mark.slow
def test_a_hidden_month_is_not_the_rest_of_the_year(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """45 in the year, 42 of them in June, none in ten months: July's star is a 3."""
    from dashboard.workforce import pcn_workforce

    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", "lt6")
    settings.cache_clear()
    sent = tuple(Referrals(ABBEY, NORTH, (15, 0, 0, 0)) for _ in range(3))
    b.Board(referrals=sent, before_window=0).save(sqlite_engine)
    found = asked_trend(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT, (NORTH,), JUNE, 12)
    assert int(found.frame["referrals_hidden"].sum()) == 1
    rows = pcn_workforce(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT).pcns.frame
    year = rows.set_index("pcn_code").loc[NORTH, "referrals_12_months"]
    assert (year, found.frame["referrals"].sum()) == (45, 40)


# Planned against actual.


def path(
    engine: Engine,
    alike: Sequence[str] = (NORTH, SOUTH),
    targets: Mapping[str, float] | None = None,
    months: int = 2,
) -> Trajectory:
    return trajectory(engine, EVERYTHING, b.BOARD, b.AS_AT, alike, targets or {}, months)


MONTHLY = {NORTH: (1.0, 2.0, 4.0), SOUTH: (0.0, 0.0, 0.5), EAST: (9.0, 9.0, 9.0)}
JULY = date(2026, 7, 1)


def test_the_plans_of_those_that_returned_every_month(any_engine: Engine) -> None:
    b.Board(monthly=MONTHLY).save(any_engine)
    found = path(any_engine, months=3)
    # South plans nothing for July, so what both plan for it is not known.
    assert plain(found.months) == [
        (APRIL, 1.0, None), (MAY, 2.0, None), (JUNE, 4.5, 4.0)
    ]  # fmt: skip
    # Their last plans: 5.0 for North, 1.0 for South.
    assert (found.pcn_codes, found.basis, found.aim_fte) == ([NORTH, SOUTH], "plan", 6.0)
    alone = path(any_engine, (NORTH,))
    assert plain(alone.months) == [(MAY, 2.0, None), (JUNE, 4.0, 3.0), (JULY, None, 5.0)]
    assert (alone.pcn_codes, alone.aim_fte) == ([NORTH], 5.0)
    # Of three, the two with a plan; a target says more than a plan.
    mixed = path(any_engine, (NORTH, SOUTH, EAST), {NORTH: 7.0, EAST: 10.0})
    assert (mixed.pcn_codes, mixed.basis, mixed.aim_fte) == ([NORTH, SOUTH], "plan", 8.0)
    assert plain(mixed.months)[-1] == (JUNE, 4.5, 4.0)


def test_targets_where_nobody_has_a_plan(sqlite_engine: Engine) -> None:
    b.Board(monthly=MONTHLY, plans=()).save(sqlite_engine)
    found = path(sqlite_engine, (NORTH, SOUTH), {SOUTH: 1.5, EAST: 10.0})
    assert (found.pcn_codes, found.basis, found.aim_fte) == ([SOUTH], "target", 1.5)
    assert plain(found.months) == [(MAY, 0.0, None), (JUNE, 0.5, None)]


def test_neither_plan_nor_target(sqlite_engine: Engine) -> None:
    b.Board(monthly=MONTHLY, plans=()).save(sqlite_engine)
    for targets in ({}, {EAST: 10.0}):
        found = path(sqlite_engine, (NORTH, SOUTH), targets)
        assert (found.pcn_codes, found.basis, found.aim_fte) == ([NORTH, SOUTH], "", None)
        assert plain(found.months) == [(MAY, 2.0, None), (JUNE, 4.5, None)]
    nobody = path(sqlite_engine, ())
    assert (nobody.pcn_codes, nobody.basis, nobody.aim_fte) == ([], "", None)
    assert plain(nobody.months) == []


def test_a_plan_without_a_census(sqlite_engine: Engine) -> None:
    b.Board(workforce=False).save(sqlite_engine)
    found = path(sqlite_engine, (NORTH,))
    assert plain(found.months) == [(JUNE, None, 3.0), (JULY, None, 5.0)]


# Joined and left.


def moves(
    engine: Engine, *pcn_codes: str, months: int = 3, as_at: date = b.AS_AT
) -> tuple[list[tuple[Any, ...]], str]:
    found, source = joined_and_left(engine, EVERYTHING, b.BOARD, as_at, pcn_codes, months)
    return plain(found, "month", "joined", "left"), source


def test_moves_from_posts(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    found, source = moves(any_engine, *ALL, months=6)
    # P1 was filled on 1 January, P5 left on its last day; P2 left in February.
    assert (found[0], found[1]) == ((date(2026, 1, 1), 1, 1), (date(2026, 2, 1), 0, 1))
    assert [row[1:] for row in found[2:]] == [(0, 0)] * 4
    assert source == "posts"


def test_moves_from_people_where_no_posts_were_returned(any_engine: Engine) -> None:
    b.Board(workforce=False, posts=()).save(any_engine)
    for month, north, south in ((4, "ab", "c"), (5, "ab", "bd"), (6, "a", "bde")):
        day = b.month_end(date(2026, month, 1))
        workers = [(NORTH, False, 1.0, who) for who in north]
        workers += [(SOUTH, False, 1.0, who) for who in south]
        workers += [(NORTH, True, 9.0, None)]
        save(any_engine, b.census(day, b.BOARD, {NORTH: 1, SOUTH: 1}, workers))
    # One who works in two networks, or goes from one to the other, is no move of both together.
    assert moves(any_engine, NORTH, SOUTH) == (
        [(APRIL, None, None), (MAY, 1, 1), (JUNE, 1, 0)], "people"
    )  # fmt: skip
    assert moves(any_engine, NORTH) == (
        [(APRIL, None, None), (MAY, 0, 0), (JUNE, 0, 1)], "people"
    )  # fmt: skip
    # East told nothing, and posts without a date tell nothing either.
    silent = [(month, None, None) for month in (APRIL, MAY, JUNE)]
    assert moves(any_engine, EAST) == (silent, "")
    save(any_engine, b.posts([Post("P1", NORTH, "filled", 1.0)]))
    assert moves(any_engine, NORTH)[1] == "people"


def test_moves_of_nobody(sqlite_engine: Engine) -> None:
    b.Board(workforce=False, posts=()).save(sqlite_engine)
    silent = [(month, None, None) for month in (APRIL, MAY, JUNE)]
    assert moves(sqlite_engine, *ALL) == (silent, "")


def test_moves_of_posts_at_a_date_in_the_past(sqlite_engine: Engine) -> None:
    spells = (
        Post("P1", NORTH, "filled", 1.0, date(2026, 6, 10)),
        Post("P2", NORTH, "filled", 1.0, date(2026, 5, 10), date(2026, 5, 31)),
    )
    b.Board(posts=spells).save(sqlite_engine)
    # Of April, before the first date in the return, nothing is told: that is not nobody.
    told = [(APRIL, None, None), (MAY, 1, 1), (JUNE, 1, 0)]
    assert moves(sqlite_engine, NORTH) == (told, "posts")
    may = moves(sqlite_engine, NORTH, months=1, as_at=date(2026, 6, 9))
    assert may == ([(JUNE, 0, 0)], "posts")


def test_a_post_filled_again_the_next_day_is_no_move_on_the_last_day_either(
    sqlite_engine: Engine,
) -> None:
    spells = (
        Post("P1", NORTH, "filled", 1.0, date(2026, 1, 1), b.AS_AT),
        Post("P1", NORTH, "filled", 0.5, JULY),
    )
    b.Board(posts=spells).save(sqlite_engine)
    assert moves(sqlite_engine, NORTH, months=1, as_at=JULY) == ([(JULY, 0, 0)], "posts")
    assert moves(sqlite_engine, NORTH, months=1) == ([(JUNE, 0, 0)], "posts")


def test_who_is_to_leave_later_in_the_month_has_not_left(sqlite_engine: Engine) -> None:
    spells = (Post("P1", NORTH, "filled", 1.0, date(2026, 1, 1), b.AS_AT),)
    b.Board(posts=spells).save(sqlite_engine)
    found = moves(sqlite_engine, NORTH, months=1, as_at=date(2026, 6, 15))
    assert found == ([(JUNE, 0, 0)], "posts")


def test_types(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine)
    found, _ = joined_and_left(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT, ALL, 2)
    assert found.frame[["joined", "left"]].dtypes.astype(str).tolist() == ["Int64", "Int64"]
    months = trend(sqlite_engine).months.frame
    assert months.dtypes.astype(str).tolist() == ["object", "Float64", "Int64", "Float64"]
    assert isinstance(months, pd.DataFrame)
