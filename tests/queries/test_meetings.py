"""Meetings: opened once, joined by the others, closed once, and kept from other boards."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine

from queries.frames import each_row
from queries.meetings import MeetingClosedError, close_meeting, meetings, open_meeting, seen_at
from queries.scope import EVERYTHING, Scope
from tests.small_board import AS_AT, BOARD, NEIGHBOUR

OURS, THEIRS = Scope(frozenset({BOARD})), Scope(frozenset({NEIGHBOUR}))
LATER = date(2026, 7, 7)
COLUMNS = ["id", "opened_at", "opened_by", "closed_at", "closed_by", "as_at", "address"]


def begin(engine: Engine, board: str = BOARD, who: str = "Ann", scope: Scope = EVERYTHING) -> int:
    return open_meeting(engine, scope, board, AS_AT, f"icb={board}", who)


def close(engine: Engine, number: int, who: str = "Ben", scope: Scope = EVERYTHING) -> None:
    close_meeting(engine, scope, number, LATER, "icb=QZ1&ward=1", f"seen by {who}", who)


def test_a_meeting_from_its_beginning_to_its_end(both_engines: Engine) -> None:
    number = begin(both_engines)
    (row,) = each_row(meetings(both_engines, EVERYTHING, BOARD))
    now = datetime.now(UTC)
    assert (row.id, row.opened_by, row.as_at, row.address) == (number, "Ann", AS_AT, "icb=QZ1")
    assert now - timedelta(minutes=5) < row.opened_at <= now
    assert pd.isna(row.closed_at)
    assert pd.isna(row.closed_by)
    assert seen_at(both_engines, EVERYTHING, number) is None
    close(both_engines, number)
    (row,) = each_row(meetings(both_engines, OURS, BOARD))
    assert (row.opened_by, row.closed_by, row.as_at) == ("Ann", "Ben", LATER)
    assert row.address == "icb=QZ1&ward=1"
    assert row.opened_at <= row.closed_at <= datetime.now(UTC)
    assert seen_at(both_engines, OURS, number) == "seen by Ben"


def test_who_comes_second_joins(both_engines: Engine) -> None:
    number = begin(both_engines)
    assert begin(both_engines, who="Cy") == number
    assert meetings(both_engines, EVERYTHING, BOARD)["opened_by"].tolist() == ["Ann"]
    # The neighbour's is another one; and after the end a new one begins.
    theirs = begin(both_engines, NEIGHBOUR)
    close(both_engines, number)
    assert len({number, theirs, begin(both_engines)}) == 3


def test_two_who_begin_at_once_are_in_one_meeting(both_engines: Engine) -> None:
    gate, numbers = threading.Barrier(4), []

    def come() -> None:
        gate.wait()
        numbers.append(begin(both_engines))

    people = [threading.Thread(target=come) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(numbers) == 4
    assert len(set(numbers)) == len(meetings(both_engines, EVERYTHING, BOARD)) == 1


def test_the_second_to_close_is_told_who_did(both_engines: Engine) -> None:
    number = begin(both_engines)
    close(both_engines, number)
    with pytest.raises(MeetingClosedError, match=r"^Ben closed the meeting already\.$"):
        close(both_engines, number, "Cy")
    assert seen_at(both_engines, EVERYTHING, number) == "seen by Ben"
    assert meetings(both_engines, EVERYTHING, BOARD)["closed_by"].tolist() == ["Ben"]


def test_the_newest_comes_first(any_engine: Engine) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(begin(any_engine))
        close(any_engine, numbers[-1])
    assert meetings(any_engine, EVERYTHING, BOARD)["id"].tolist() == numbers[::-1]


def test_another_boards_meeting_is_nobodys(any_engine: Engine) -> None:
    number = begin(any_engine)
    with pytest.raises(LookupError, match=f"there is no meeting {number}"):
        close(any_engine, number, scope=THEIRS)
    with pytest.raises(LookupError, match="there is no meeting 99"):
        close(any_engine, 99)
    assert pd.isna(meetings(any_engine, EVERYTHING, BOARD)["closed_at"].iloc[0])
    close(any_engine, number)
    assert seen_at(any_engine, THEIRS, number) is None
    assert seen_at(any_engine, EVERYTHING, 99) is None
    assert len(meetings(any_engine, THEIRS, BOARD)) == 0
    assert len(meetings(any_engine, EVERYTHING, NEIGHBOUR)) == 0
    with pytest.raises(LookupError, match="there is no board 'QZ1'"):
        begin(any_engine, scope=THEIRS)


def test_no_meeting_has_the_columns(any_engine: Engine) -> None:
    found = meetings(any_engine, EVERYTHING, BOARD)
    assert (list(found.columns), len(found)) == (COLUMNS, 0)
