"""Targets and plans set on the screen: what stands after, who set it, and the way back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import targets as module
from dashboard.targets import MOST_FTE, NotSetError, set_target
from queries import loads, posts
from queries.history import UndoError, undo
from queries.load import AlreadyLoadedError, LoadRecord
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.queries.test_save import contents
from tests.small_board import EAST, NORTH, SOUTH

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
FIRST, SECOND = b.TARGETS[0][1:], b.TARGETS[1][1:]
Target = tuple[float, date, date | None]


def give(
    engine: Engine,
    fte: float | None,
    start: date,
    end: date | None = None,
    *,
    pcn_code: str = NORTH,
    reason: str = "",
    user: str = "Ann",
) -> LoadRecord:
    return set_target(engine, EVERYTHING, b.BOARD, b.AS_AT, pcn_code, fte, start, end, reason, user)


APRIL = date(2026, 4, 1)


def set_plan(
    engine: Engine,
    pcn_code: str,
    planned: dict[date, float],
    user: str,
    april: date = APRIL,
    scope: Scope = EVERYTHING,
) -> LoadRecord:
    return module.set_plan(engine, scope, b.BOARD, b.AS_AT, pcn_code, april, planned, user)


def targets(engine: Engine, pcn_code: str = NORTH) -> list[Target]:
    found = posts.local_targets(engine, EVERYTHING, b.BOARD, b.AS_AT)
    mine = found[found["pcn_code"] == pcn_code]
    return plain(mine[["target_fte", "valid_from", "valid_until"]])


def plain(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def history(engine: Engine, pcn_code: str = NORTH) -> list[tuple[Any, ...]]:
    found = posts.target_history(engine, EVERYTHING, b.BOARD, b.AS_AT, pcn_code)
    columns = ["loaded_by", "target_fte", "valid_from", "valid_until", "reason", "is_in_force"]
    return plain(found[columns])


@pytest.mark.parametrize(
    ("fte", "start", "end", "after"),
    rest_is_slow(
        # After the last, which stays as it ended.
        (7.0, JULY, None, [FIRST, SECOND, (7.0, JULY, None)]),
        # Within it: it ends the day before.
        (7.0, JUNE, None, [FIRST, (5.0, SECOND[1], date(2026, 5, 31)), (7.0, JUNE, None)]),
        # On its first day: it is gone. What was before it ended by itself.
        (7.0, SECOND[1], JUNE, [FIRST, (7.0, SECOND[1], JUNE)]),
        # Before everything: nothing of what there was is left.
        (7.0, date(2025, 4, 1), None, [(7.0, date(2025, 4, 1), None)]),
        # For one day, and for as much as there may be.
        (50.0, JULY, JULY, [FIRST, SECOND, (50.0, JULY, JULY)]),
        (0.25, JULY, None, [FIRST, SECOND, (0.25, JULY, None)]),
        # Taken away from a day on.
        (None, JULY, None, [FIRST, SECOND]),
        (None, JUNE, None, [FIRST, (5.0, SECOND[1], date(2026, 5, 31))]),
        (None, date(2025, 4, 1), None, []),
        fast=4,
    ),
)
def test_what_stands_after(
    any_engine: Engine, fte: float | None, start: date, end: date | None, after: list[Target]
) -> None:
    b.Board().save(any_engine)
    others = targets(any_engine, SOUTH)
    record = give(any_engine, fte, start, end)
    assert targets(any_engine) == after
    assert targets(any_engine, SOUTH) == others == [b.TARGETS[2][1:]]
    assert (record.dataset, record.parts_added, record.parts_replaced) == ("targets", 1, 1)
    assert (record.rows_read, record.removed_demonstration) == (len(after), False)


def test_the_first_target_of_a_pcn(any_engine: Engine) -> None:
    b.Board(targets=()).save(any_engine)
    record = give(any_engine, 3, JUNE, pcn_code=EAST, reason="  agreed in May ")
    assert (record.parts_added, record.parts_replaced) == (1, 0)
    assert history(any_engine, EAST) == [("Ann", 3.0, JUNE, None, "agreed in May", True)]


def test_one_that_has_no_end_ends_the_day_before_the_next(any_engine: Engine) -> None:
    b.Board(targets=((NORTH, 2.0, date(2026, 1, 1), None),)).save(any_engine)
    give(any_engine, 3.0, JUNE)
    give(any_engine, 4.0, JULY)
    assert targets(any_engine) == [
        (2.0, date(2026, 1, 1), date(2026, 5, 31)),
        (3.0, JUNE, b.AS_AT),
        (4.0, JULY, None),
    ]


@pytest.mark.parametrize(
    ("fte", "start", "end", "why"),
    rest_is_slow(
        (0.0, JUNE, None, "found 0$"),
        (-1.0, JUNE, None, "found -1$"),
        (50.5, JUNE, None, f"above 0 and up to {MOST_FTE} FTE, found 50.5$"),
        (float("nan"), JUNE, None, "found nan$"),
        (1.0, JULY, b.AS_AT, "would end before it begins"),
        (None, JULY, b.AS_AT, "would end before it begins"),
        fast=2,
    ),
)
def test_what_is_refused_changes_nothing(
    sqlite_engine: Engine, fte: float | None, start: date, end: date | None, why: str
) -> None:
    b.Board().save(sqlite_engine)
    before = contents(sqlite_engine)
    with pytest.raises(NotSetError, match=why):
        give(sqlite_engine, fte, start, end)
    assert contents(sqlite_engine) == before


def test_the_same_again_is_no_change(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    give(any_engine, 7.0, JULY)
    before = contents(any_engine)
    with pytest.raises(AlreadyLoadedError):
        give(any_engine, 7.0, JULY)
    assert contents(any_engine) == before
    # After something else it may be set again.
    give(any_engine, 8.0, JULY)
    give(any_engine, 7.0, JULY)
    assert targets(any_engine)[-1] == (7.0, JULY, None)
    # The same target for another network is another.
    give(any_engine, 7.0, JULY, pcn_code=SOUTH)
    assert targets(any_engine, SOUTH)[-1] == (7.0, JULY, None)


def test_taken_away_twice_is_no_change(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    give(any_engine, None, date(2025, 4, 1))
    with pytest.raises(AlreadyLoadedError):
        give(any_engine, None, date(2025, 4, 1))
    assert targets(any_engine) == []
    assert [row[-1] for row in history(any_engine)] == [False, False]


def test_history_tells_the_newest_first_and_undo_brings_the_earlier_back(
    any_engine: Engine,
) -> None:
    b.Board(targets=()).save(any_engine)
    give(any_engine, 3.0, JUNE, reason="first")
    second = give(any_engine, 4.0, JUNE, reason="second", user="Bob")
    told = [
        ("Bob", 4.0, JUNE, None, "second", True),
        ("Ann", 3.0, JUNE, None, "first", False),
    ]
    assert history(any_engine) == told
    undone = undo(any_engine, second.load_id, "Cy")
    assert (undone.parts_withdrawn, undone.parts_restored) == (1, 1)
    assert undone.file_name == "set on the page Workforce"
    assert targets(any_engine) == [(3.0, JUNE, None)]
    assert history(any_engine) == [(*told[0][:-1], False), (*told[1][:-1], True)]
    # What was undone may be set again.
    give(any_engine, 4.0, JUNE, reason="second")
    assert targets(any_engine) == [(4.0, JUNE, None)]


def test_undo_of_a_removal_brings_the_targets_back(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    removal = give(any_engine, None, date(2025, 4, 1))
    undo(any_engine, removal.load_id, None)
    assert targets(any_engine) == [FIRST, SECOND]


def test_beside_the_demonstration_it_belongs_to_it(any_engine: Engine) -> None:
    """It makes no way for one target, and takes what was set with it when it goes."""
    b.Board().save(any_engine, is_demonstration=True)
    files = len(loads.sources(any_engine, EVERYTHING))
    record = give(any_engine, 7.0, JULY)
    set_plan(any_engine, EAST, {JULY: 1.0}, "Ann")
    assert not record.removed_demonstration
    assert loads.data_state(any_engine).is_demonstration
    assert len(loads.sources(any_engine, EVERYTHING)) == files + 2
    assert targets(any_engine)[-1] == (7.0, JULY, None)
    with pytest.raises(UndoError):
        undo(any_engine, record.load_id, "Ann")


# Plans.


def plans(engine: Engine, pcn_code: str = NORTH) -> list[tuple[date, float]]:
    found = posts.planned_fte(engine, EVERYTHING, b.BOARD, b.AS_AT)
    return plain(found[found["pcn_code"] == pcn_code][["month", "planned_fte"]])


def test_a_plan_replaces_that_of_its_year_only(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    march, april = date(2026, 3, 1), date(2026, 4, 1)
    set_plan(any_engine, NORTH, {march: 1.5}, "Ann", date(2025, 4, 1))
    assert plans(any_engine) == [(march, 1.5), (JUNE, 3.0), (JULY, 5.0)]
    record = set_plan(any_engine, NORTH, {april: 0.0, date(2027, 3, 1): 50.0}, "Ann")
    assert plans(any_engine) == [(march, 1.5), (april, 0.0), (date(2027, 3, 1), 50.0)]
    assert plans(any_engine, SOUTH) == [(JUNE, 1.0)]
    with pytest.raises(AlreadyLoadedError):
        set_plan(any_engine, NORTH, {april: 0.0, date(2027, 3, 1): 50.0}, "Ann")
    undo(any_engine, record.load_id, None)
    assert plans(any_engine) == [(march, 1.5), (JUNE, 3.0), (JULY, 5.0)]


def test_the_months_of_a_plan_are_not_what_the_data_speaks_of(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    set_plan(any_engine, NORTH, {date(2027, 3, 1): 2.0}, "Ann")
    assert loads.data_state(any_engine).newest_date == b.AS_AT
    sources = loads.sources(any_engine, EVERYTHING)
    mine = sources[sources["file_name"] == "set on the page Workforce"].iloc[0]
    assert (mine["period_start"], mine["period_end"]) == (date(2027, 3, 1), date(2027, 3, 31))


@pytest.mark.parametrize(
    ("planned", "why"),
    rest_is_slow(
        ({date(2026, 3, 1): 1.0, date(2026, 4, 1): 1.0}, "months of 2026-27"),
        ({date(2027, 4, 1): 1.0}, "months of 2026-27"),
        ({JUNE: -0.5}, f"from 0 to {MOST_FTE} FTE"),
        ({JUNE: 50.5}, f"from 0 to {MOST_FTE} FTE"),
        ({JUNE: float("nan")}, f"from 0 to {MOST_FTE} FTE"),
        fast=2,
    ),
)
def test_a_plan_that_is_refused_changes_nothing(
    sqlite_engine: Engine, planned: dict[date, float], why: str
) -> None:
    b.Board().save(sqlite_engine)
    before = contents(sqlite_engine)
    with pytest.raises(NotSetError, match=why):
        set_plan(sqlite_engine, NORTH, planned, "Ann")
    assert contents(sqlite_engine) == before


def test_an_empty_plan_takes_the_year_away(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    record = set_plan(any_engine, NORTH, {}, "Ann")
    assert plans(any_engine) == []
    assert (record.parts_added, record.parts_replaced) == (1, 1)
    undo(any_engine, record.load_id, None)
    assert plans(any_engine) == [(JUNE, 3.0), (JULY, 5.0)]


@pytest.mark.parametrize(
    ("pcn_code", "scope"),
    rest_is_slow(
        (NORTH, Scope(frozenset({b.NEIGHBOUR}))),
        (NORTH, Scope(frozenset())),
        (b.GORSE_PCN, EVERYTHING),
        ("U00000", EVERYTHING),
        fast=2,
    ),
)
def test_nobody_sets_anything_for_a_network_that_is_not_theirs(
    sqlite_engine: Engine, pcn_code: str, scope: Scope
) -> None:
    b.Board().save(sqlite_engine)
    before = contents(sqlite_engine)
    with pytest.raises(NotSetError, match="not found"):
        set_target(sqlite_engine, scope, b.BOARD, b.AS_AT, pcn_code, 2.0, JUNE, None, "", "Ann")
    with pytest.raises(NotSetError, match="not found"):
        set_plan(sqlite_engine, pcn_code, {JUNE: 1.0}, "Ann", scope=scope)
    assert contents(sqlite_engine) == before
