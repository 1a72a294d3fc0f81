"""What newer files tell otherwise than those in force at a time, and when each return first came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, update

from queries import tables
from queries.corrections import corrected_fte, corrected_referrals, return_arrivals
from queries.history import undo
from queries.load import CleanLoad, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import AS_AT, BOARD, EAST, GORSE_PCN, NORTH, SOUTH

MONDAY, SINCE, THURSDAY, FRIDAY = (datetime(2026, 7, day, 12, tzinfo=UTC) for day in (6, 8, 9, 10))
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
ONE_BOARD, OTHERS = Scope(frozenset({BOARD})), Scope(frozenset({b.NEIGHBOUR}))

Counts = dict[tuple[str, date], int]
Ask = Callable[..., pd.DataFrame]


def referral_file(name: str, counts: Counts) -> CleanLoad:
    """Referrals of Abbey by network and month; of none a part without a row."""
    rows = pd.DataFrame(
        [
            (f"{month:%Y-%m} {pcn}", b.ABBEY, pcn, month, n)
            for (pcn, month), n in counts.items()
            if n
        ],
        columns=["part_key", "ward_code", "pcn_code", "month", "referrals"],
    )
    months = [month for _, month in counts]
    made = b.made_of(
        "referrals",
        [f"{month:%Y-%m} {pcn}" for pcn, month in counts],
        {"referral_fact": rows},
        starts=months,
        ends=map(b.month_end, months),
    )
    return replace(made, file_name=name)


def census_file(name: str, fte: dict[str, tuple[float, ...]], day: date = AS_AT) -> CleanLoad:
    """A census of the board: one worker for each number, of a network with none nobody."""
    workers = [(pcn, False, each, f"{pcn} {n}") for pcn, all_fte in fte.items()
               for n, each in enumerate(all_fte)]  # fmt: skip
    return replace(b.census(day, BOARD, dict.fromkeys(fte, 1), workers), file_name=name)


def load(engine: Engine, clean: CleanLoad, at: datetime) -> int:
    """Load a file, as if at that time."""
    number = save(engine, clean).load_id
    with engine.begin() as connection:
        row = update(tables.load).where(tables.load.c.id == number)
        connection.execute(row.values(loaded_at=at))
    return number


def take_back(engine: Engine, number: int, at: datetime) -> None:
    undo(engine, number, "Ann")
    with engine.begin() as connection:
        row = update(tables.load).where(tables.load.c.id == number)
        connection.execute(row.values(undone_at=at))


def plain(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Network, month, was, now, file."""
    rows = frame[["pcn_code", "month", "was", "now", "file_name"]].astype(object)
    return list(rows.where(rows.notna(), None).itertuples(index=False, name=None))


def referrals(engine: Engine, *, scope: Scope = EVERYTHING, board: str = BOARD,
              as_at: date = AS_AT, since: datetime = SINCE) -> list[tuple[Any, ...]]:  # fmt: skip
    return plain(corrected_referrals(engine, scope, board, as_at, since))


def fte(engine: Engine, *, scope: Scope = EVERYTHING, board: str = BOARD,
        as_at: date = AS_AT, since: datetime = SINCE) -> list[tuple[Any, ...]]:  # fmt: skip
    return plain(corrected_fte(engine, scope, board, as_at, since))


FIRST: Counts = {(NORTH, MARCH): 412, (NORTH, APRIL): 30, (SOUTH, MARCH): 20}


@pytest.fixture
def told(both_engines: Engine) -> Engine:
    """412 of North in March, told on Monday."""
    load(both_engines, b.practices(), MONDAY)
    load(both_engines, referral_file("first.csv", FIRST), MONDAY)
    return both_engines


def test_a_newer_file_tells_otherwise(told: Engine) -> None:
    """South's March is sent again as it was, and April of North is not sent again."""
    newer = {(NORTH, MARCH): 398, (SOUTH, MARCH): 20}
    load(told, referral_file("march again.csv", newer), FRIDAY)
    assert referrals(told) == [(NORTH, MARCH, 412.0, 398.0, "march again.csv")]
    (row,) = corrected_referrals(told, EVERYTHING, BOARD, AS_AT, SINCE).itertuples()
    assert row.loaded_at == FRIDAY
    assert row.loaded_at.tzinfo is not None
    # At the moment itself it was in force already; a moment before it was not.
    assert referrals(told, since=FRIDAY) == []
    assert len(referrals(told, since=FRIDAY.replace(hour=11))) == 1


def test_what_was_replaced_before_is_no_news(told: Engine) -> None:
    load(told, referral_file("again.csv", {(NORTH, MARCH): 398}), SINCE)
    assert referrals(told) == []


def test_replaced_twice(told: Engine) -> None:
    """From what was in force then to what is in force now: what was between them is not told."""
    load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), THURSDAY)
    load(told, referral_file("third.csv", {(NORTH, MARCH): 405}), FRIDAY)
    assert referrals(told) == [(NORTH, MARCH, 412.0, 405.0, "third.csv")]
    since_thursday = [(NORTH, MARCH, 398.0, 405.0, "third.csv")]
    assert referrals(told, since=THURSDAY) == since_thursday


def test_replaced_and_replaced_back(told: Engine) -> None:
    load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), THURSDAY)
    load(told, referral_file("third.csv", {(NORTH, MARCH): 412}), FRIDAY)
    assert referrals(told) == []


def test_a_correction_that_was_undone_since(told: Engine) -> None:
    """What was in force then is what was taken back; now the first file is in force again."""
    second = load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), MONDAY.replace(hour=14))
    take_back(told, second, FRIDAY)
    assert referrals(told) == [(NORTH, MARCH, 398.0, 412.0, "first.csv")]
    assert referrals(told, since=FRIDAY) == []


def test_a_correction_that_came_and_went_since(told: Engine) -> None:
    second = load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), THURSDAY)
    take_back(told, second, FRIDAY)
    assert referrals(told) == []


def test_undone_before_is_no_news(told: Engine) -> None:
    second = load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), MONDAY.replace(hour=14))
    take_back(told, second, SINCE)
    assert referrals(told) == []


def test_the_first_undone_after_the_second_replaced_it(told: Engine) -> None:
    """A load that nothing rests on any more is taken back: the correction stays one."""
    load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), THURSDAY)
    first = 2
    take_back(told, first, FRIDAY)
    assert (NORTH, MARCH, 412.0, 398.0, "second.csv") in referrals(told)


def test_a_load_in_the_middle_undone_after_the_next(told: Engine) -> None:
    second = load(told, referral_file("second.csv", {(NORTH, MARCH): 398}), MONDAY.replace(hour=14))
    load(told, referral_file("third.csv", {(NORTH, MARCH): 405}), THURSDAY)
    take_back(told, second, FRIDAY)
    assert referrals(told) == [(NORTH, MARCH, 398.0, 405.0, "third.csv")]


def test_new_months_are_no_correction(told: Engine) -> None:
    load(told, referral_file("april.csv", {(SOUTH, APRIL): 99, (EAST, MARCH): 5}), FRIDAY)
    assert referrals(told) == []


def test_a_month_in_which_the_newer_file_has_none(told: Engine) -> None:
    """The part is there and holds nobody: none was referred, which is known."""
    load(told, referral_file("none.csv", {(NORTH, MARCH): 0}), FRIDAY)
    assert referrals(told) == [(NORTH, MARCH, 412.0, 0.0, "none.csv")]


def test_a_month_in_which_the_older_file_had_none(told: Engine) -> None:
    load(told, referral_file("none.csv", {(EAST, APRIL): 0}), MONDAY)
    load(told, referral_file("some.csv", {(EAST, APRIL): 9}), FRIDAY)
    assert referrals(told) == [(EAST, APRIL, 0.0, 9.0, "some.csv")]


def test_several_by_month_and_network(told: Engine) -> None:
    newer = {(SOUTH, MARCH): 21, (NORTH, APRIL): 31, (NORTH, MARCH): 413}
    load(told, referral_file("all.csv", newer), FRIDAY)
    assert referrals(told) == [
        (NORTH, MARCH, 412.0, 413.0, "all.csv"),
        (SOUTH, MARCH, 20.0, 21.0, "all.csv"),
        (NORTH, APRIL, 30.0, 31.0, "all.csv"),
    ]


def test_other_boards_and_readers(told: Engine) -> None:
    load(told, referral_file("again.csv", {(NORTH, MARCH): 398}), FRIDAY)
    assert len(referrals(told, scope=ONE_BOARD)) == 1
    for found in (
        referrals(told, scope=OTHERS),
        referrals(told, scope=Scope(frozenset())),
        referrals(told, board=b.NEIGHBOUR),
        referrals(told, board=b.NEIGHBOUR, scope=OTHERS),
    ):
        assert found == []


def test_a_month_after_the_chosen_date_is_not_told(told: Engine) -> None:
    """The pages of 31 March know nothing of April; FTE of a later census is left out as well."""
    load(told, b.practices(date(2026, 3, 1)), MONDAY)
    load(told, referral_file("april again.csv", {(NORTH, APRIL): 35}), FRIDAY)
    assert [row[1] for row in referrals(told)] == [APRIL]
    assert referrals(told, as_at=date(2026, 3, 31)) == []


@pytest.mark.slow
def test_many_parts(any_engine: Engine) -> None:
    """More than one question can name."""
    load(any_engine, b.practices(), MONDAY)
    many = [(NORTH, date(1970 + n // 12, n % 12 + 1, 1)) for n in range(600)]
    load(any_engine, referral_file("first.csv", dict.fromkeys(many, 10)), MONDAY)
    load(any_engine, referral_file("second.csv", dict.fromkeys(many, 11)), FRIDAY)
    found = referrals(any_engine)
    assert found == [(*each, 10.0, 11.0, "second.csv") for each in many]


def test_nothing_loaded(any_engine: Engine) -> None:
    for ask in (corrected_referrals, corrected_fte):
        found = ask(any_engine, EVERYTHING, BOARD, AS_AT, SINCE)
        columns = ["pcn_code", "month", "was", "now", "file_name", "loaded_at"]
        assert (list(found.columns), len(found)) == (columns, 0)
    arrived = return_arrivals(any_engine, EVERYTHING, BOARD, AS_AT, MARCH)
    assert (set(arrived.columns), len(arrived)) == (
        {"dataset", "pcn_code", "month", "arrived_at"}, 0
    )  # fmt: skip


# FTE.


@pytest.fixture
def counted(both_engines: Engine) -> Engine:
    """A census of June: North 1.0 and 0.5, South nobody, East 2.0."""
    june = {NORTH: (1.0, 0.5), SOUTH: (), EAST: (2.0,)}
    load(both_engines, census_file("june.csv", june), MONDAY)
    return both_engines


JUNE_END = AS_AT


def test_fte_of_a_newer_census_file(counted: Engine) -> None:
    newer = {NORTH: (1.0, 0.75), SOUTH: (), EAST: (2.0,)}
    load(counted, census_file("june again.csv", newer), FRIDAY)
    assert fte(counted) == [(NORTH, JUNE_END, 1.5, 1.75, "june again.csv")]
    assert fte(counted, as_at=date(2026, 6, 29)) == []
    assert fte(counted, scope=OTHERS) == fte(counted, board=b.NEIGHBOUR) == []


def test_a_network_missing_from_a_newer_file_did_not_return(counted: Engine) -> None:
    """That is not 0: of South, which is named and has nobody, 0 is known."""
    load(counted, census_file("june again.csv", {NORTH: (1.0, 0.5), EAST: ()}), FRIDAY)
    assert fte(counted) == [
        (SOUTH, JUNE_END, 0.0, None, "june again.csv"),
        (EAST, JUNE_END, 2.0, 0.0, "june again.csv"),
    ]


def test_a_network_that_the_older_file_did_not_name(counted: Engine) -> None:
    newer = {NORTH: (1.0, 0.5), SOUTH: (), EAST: (2.0,), "U90004": (0.5,)}
    load(counted, census_file("june again.csv", newer), FRIDAY)
    assert fte(counted) == [("U90004", JUNE_END, None, 0.5, "june again.csv")]


def test_another_month_is_another_census(counted: Engine) -> None:
    may = census_file("may.csv", {NORTH: (9.0,)}, date(2026, 5, 31))
    load(counted, may, FRIDAY)
    assert fte(counted) == []


def test_a_census_of_the_neighbour(counted: Engine) -> None:
    for at, workers in ((MONDAY, 1.0), (FRIDAY, 2.0)):
        rows = [(GORSE_PCN, False, workers, "g")]
        load(counted, b.census(AS_AT, b.NEIGHBOUR, {GORSE_PCN: 1}, rows), at)
    assert fte(counted) == []
    assert [row[:4] for row in fte(counted, board=b.NEIGHBOUR)] == [(GORSE_PCN, AS_AT, 1.0, 2.0)]


# When returns came.


def arrivals(engine: Engine, *, scope: Scope = EVERYTHING, board: str = BOARD,
             as_at: date = AS_AT, first: date = MARCH) -> list[tuple[Any, ...]]:  # fmt: skip
    found = return_arrivals(engine, scope, board, as_at, first)
    names = ["dataset", "pcn_code", "month", "arrived_at"]
    return sorted(found[names].itertuples(index=False, name=None))


def test_when_each_return_first_came(told: Engine) -> None:
    load(told, referral_file("again.csv", {(NORTH, MARCH): 398, (EAST, MAY): 9}), FRIDAY)
    load(told, census_file("june.csv", {NORTH: (1.0,), SOUTH: ()}), THURSDAY)
    load(told, census_file("june again.csv", {NORTH: (2.0,), SOUTH: ()}), FRIDAY)
    expected = [
        ("referrals", NORTH, MARCH, MONDAY),
        ("referrals", NORTH, APRIL, MONDAY),
        ("referrals", SOUTH, MARCH, MONDAY),
        ("referrals", EAST, MAY, FRIDAY),
        ("workforce", NORTH, date(2026, 6, 1), THURSDAY),
        ("workforce", SOUTH, date(2026, 6, 1), THURSDAY),
    ]
    assert arrivals(told) == sorted(expected)
    assert arrivals(told, scope=ONE_BOARD) == sorted(expected)
    assert arrivals(told, first=APRIL) == sorted(row for row in expected if row[2] >= APRIL)
    assert [row[0] for row in arrivals(told, as_at=date(2026, 6, 29))] == ["referrals"] * 4
    assert arrivals(told, scope=OTHERS) == arrivals(told, board=b.NEIGHBOUR) == []


def test_a_return_that_was_taken_back_has_not_come(told: Engine) -> None:
    number = load(told, referral_file("may.csv", {(EAST, MAY): 9}), THURSDAY)
    take_back(told, number, FRIDAY)
    assert {row[1] for row in arrivals(told)} == {NORTH, SOUTH}
    load(told, referral_file("may 2.csv", {(EAST, MAY): 8}), FRIDAY)
    assert ("referrals", EAST, MAY, FRIDAY) in arrivals(told)


def test_a_network_that_the_newer_file_leaves_out_has_not_returned(counted: Engine) -> None:
    load(counted, census_file("june again.csv", {NORTH: (1.0,)}), FRIDAY)
    assert arrivals(counted) == [("workforce", NORTH, date(2026, 6, 1), MONDAY)]
