"""Actions: what stands, every version of it, two who change one at once, and nobody else's."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from queries import loads, tables
from queries.actions import (
    ActionEdit,
    ChangedMeanwhileError,
    NotSavedError,
    Wanted,
    action_history,
    actions,
    add_action,
    change_action,
    edit_of,
    pinned_notes,
    save_all,
)
from queries.frames import each_row
from queries.scope import EVERYTHING, Scope
from tests.small_board import ABBEY, BOARD, BROOK, NEIGHBOUR

MINE, THEIRS, NOBODY = (Scope(frozenset(codes)) for codes in ({BOARD}, {NEIGHBOUR}, set()))
CALL = ActionEdit("action", "Call the provider", "Ann", date(2026, 7, 3))
EVERY_FIELD = ActionEdit(
    "note", "=1+1\nä <b>", "Ben", date(2026, 1, 2), "done", "ward", ABBEY, date(2026, 1, 1), "coverage"
)  # fmt: skip
TYPES = {
    "id": "int64", "icb_code": "str", "kind": "str", "words": "str", "owner": "str",
    "due_on": "object", "state": "str", "pinned_kind": "str", "pinned_code": "str",
    "pinned_on": "object", "page": "str", "meeting_id": "Int64", "version": "int64",
    "created_at": "object", "created_by": "str", "changed_at": "object", "changed_by": "str",
}  # fmt: skip


def stands(engine: Engine, icb_code: str = BOARD) -> list[tuple[int, int, ActionEdit, str, str]]:
    """Every entry of a board: id, version, what it says, who wrote it down, who changed it last."""
    return [
        (row.id, row.version, edit_of(row), row.created_by, row.changed_by)
        for row in each_row(actions(engine, EVERYTHING, icb_code))
    ]


def changes(engine: Engine) -> list[tuple[int, int, str]]:
    columns = (table := tables.action_change).c
    with engine.connect() as connection:
        found = connection.execute(
            select(columns.action_id, columns.version, columns.changed_by).order_by(
                *table.primary_key
            )
        )
        return [(row[0], row[1], row[2]) for row in found]


def meeting(engine: Engine, icb_code: str) -> int:
    with engine.begin() as connection:
        made = connection.execute(
            insert(tables.meeting).values(
                icb_code=icb_code, opened_at=datetime.now(UTC), opened_by="Ann",
                as_at=date(2026, 6, 30), address="icb=QZ1",
            )
        )  # fmt: skip
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])


def test_what_was_written_down_is_there(any_engine: Engine) -> None:
    before = datetime.now(UTC)
    first = add_action(any_engine, EVERYTHING, BOARD, EVERY_FIELD, "Ann")
    second = add_action(any_engine, MINE, BOARD, ActionEdit("decision", "Yes"), "Ben")
    found = actions(any_engine, MINE, BOARD)
    assert {column: str(dtype) for column, dtype in found.dtypes.items()} == TYPES
    assert stands(any_engine) == [
        (first, 1, EVERY_FIELD, "Ann", "Ann"),
        (second, 1, ActionEdit("decision", "Yes"), "Ben", "Ben"),
    ]
    for column in ("created_at", "changed_at"):
        for when in found[column]:
            assert before <= when <= datetime.now(UTC)
            assert when.utcoffset() == timedelta(0)
    assert changes(any_engine) == [(first, 1, "Ann"), (second, 1, "Ben")]


def test_nothing_written_down_has_the_types_too(any_engine: Engine) -> None:
    found = actions(any_engine, EVERYTHING, BOARD)
    assert found.empty
    assert {column: str(dtype) for column, dtype in found.dtypes.items()} == TYPES


def test_in_the_order_of_their_dates_then_of_writing(any_engine: Engine) -> None:
    dates = [None, date(2026, 7, 3), date(2026, 7, 1), None, date(2026, 7, 1)]
    ids = [add_action(any_engine, MINE, BOARD, replace(CALL, due_on=d), "Ann") for d in dates]
    order = [row[0] for row in stands(any_engine)]
    assert order == [ids[place] for place in (2, 4, 1, 0, 3)]


def test_each_change_is_a_version_and_keeps_what_was_said(any_engine: Engine) -> None:
    action_id = add_action(any_engine, MINE, BOARD, CALL, "Ann")
    later = replace(CALL, due_on=date(2026, 7, 10))
    done = replace(EVERY_FIELD, kind="action")
    assert change_action(any_engine, MINE, action_id, 1, later, "Ben") == 2
    assert change_action(any_engine, MINE, action_id, 2, done, "Cat") == 3
    assert stands(any_engine) == [(action_id, 3, done, "Ann", "Cat")]
    history = action_history(any_engine, MINE, action_id)
    said = [(row.version, row.changed_by, edit_of(row)) for row in each_row(history)]
    assert said == [(1, "Ann", CALL), (2, "Ben", later), (3, "Cat", done)]
    assert history["changed_at"].is_monotonic_increasing
    assert actions(any_engine, MINE, BOARD)["changed_at"][0] == history["changed_at"][2]
    assert actions(any_engine, MINE, BOARD)["created_at"][0] == history["changed_at"][0]


def test_the_history_has_the_types_of_the_actions(any_engine: Engine) -> None:
    action_id = add_action(any_engine, MINE, BOARD, ActionEdit("note", "Late"), "Ann")
    history = action_history(any_engine, MINE, action_id)
    found = {column: str(dtype) for column, dtype in history.dtypes.items()}
    assert found == {name: TYPES[name] for name in map(str, found)}
    assert set(TYPES) - set(found) == {"id", "icb_code", "created_at", "created_by"}


def test_what_somebody_else_changed_meanwhile_is_not_lost(any_engine: Engine) -> None:
    action_id = add_action(any_engine, MINE, BOARD, CALL, "Ann")
    theirs, mine = replace(CALL, owner="Ben"), replace(CALL, owner="Cat")
    change_action(any_engine, MINE, action_id, 1, theirs, "Ben")
    with pytest.raises(ChangedMeanwhileError) as raised:
        change_action(any_engine, MINE, action_id, 1, mine, "Cat")
    now = raised.value.now
    assert (now.id, now.icb_code, now.version, now.changed_by, now.edit) == (
        action_id, BOARD, 2, "Ben", theirs,
    )  # fmt: skip
    assert now.changed_at == actions(any_engine, MINE, BOARD)["changed_at"][0]
    assert changes(any_engine) == [(action_id, 1, "Ann"), (action_id, 2, "Ben")]
    # A version that never was is none in force either.
    with pytest.raises(ChangedMeanwhileError):
        change_action(any_engine, MINE, action_id, 3, mine, "Cat")
    assert change_action(any_engine, MINE, action_id, now.version, mine, "Cat") == 3


def test_what_says_the_same_is_no_change(any_engine: Engine) -> None:
    action_id = add_action(any_engine, MINE, BOARD, CALL, "Ann")
    later = replace(CALL, owner="Ben")
    change_action(any_engine, MINE, action_id, 1, later, "Ben")
    assert change_action(any_engine, MINE, action_id, 2, later, "Cat") == 2
    # Also from an older version: both want the same.
    assert change_action(any_engine, MINE, action_id, 1, later, "Cat") == 2
    assert stands(any_engine) == [(action_id, 2, later, "Ann", "Ben")]
    assert len(changes(any_engine)) == 2


def test_of_many_at_once_one_is_first(both_engines: Engine) -> None:
    action_id = add_action(both_engines, MINE, BOARD, CALL, "Ann")
    ends: list[int | str] = []
    begin = threading.Barrier(4)

    def change(name: str) -> None:
        begin.wait()
        try:
            edit = replace(CALL, owner=name)
            ends.append(change_action(both_engines, MINE, action_id, 1, edit, name))
        except ChangedMeanwhileError as error:
            ends.append(error.now.changed_by)

    threads = [threading.Thread(target=change, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((_, version, edit, _, by),) = stands(both_engines)
    assert version == 2
    assert edit.owner == by
    assert sorted(map(str, ends)) == sorted(["2", by, by, by])


@pytest.mark.parametrize("scope", [THEIRS, NOBODY])
def test_another_boards_is_not_there(any_engine: Engine, scope: Scope) -> None:
    action_id = add_action(any_engine, EVERYTHING, BOARD, CALL, "Ann")
    with pytest.raises(LookupError, match=f"no action {action_id}"):
        change_action(any_engine, scope, action_id, 1, EVERY_FIELD, "Eve")
    with pytest.raises(LookupError, match=f"no action {action_id}"):
        action_history(any_engine, scope, action_id)
    with pytest.raises(LookupError, match=BOARD):
        actions(any_engine, scope, BOARD)
    with pytest.raises(LookupError, match=BOARD):
        add_action(any_engine, scope, BOARD, CALL, "Eve")
    with pytest.raises(LookupError, match=BOARD):
        save_all(any_engine, scope, BOARD, [Wanted(CALL)], "Eve")
    with pytest.raises(LookupError, match=BOARD):
        pinned_notes(any_engine, scope, BOARD, "ward", ABBEY)
    assert stands(any_engine) == [(action_id, 1, CALL, "Ann", "Ann")]
    assert changes(any_engine) == [(action_id, 1, "Ann")]


def test_none_of_that_number(any_engine: Engine) -> None:
    for ask in (
        lambda: action_history(any_engine, EVERYTHING, 7),
        lambda: change_action(any_engine, EVERYTHING, 7, 1, CALL, "Ann"),
    ):
        with pytest.raises(LookupError, match="no action 7"):
            ask()
    with pytest.raises(LookupError, match="no board ''"):
        add_action(any_engine, EVERYTHING, "", CALL, "Ann")


def test_a_board_has_its_own(any_engine: Engine) -> None:
    mine = add_action(any_engine, EVERYTHING, BOARD, CALL, "Ann")
    theirs = add_action(any_engine, EVERYTHING, NEIGHBOUR, CALL, "Eve")
    assert [row[0] for row in stands(any_engine)] == [mine]
    assert [row[0] for row in stands(any_engine, NEIGHBOUR)] == [theirs]


def test_a_meeting_is_one_of_the_board(any_engine: Engine) -> None:
    mine, theirs = meeting(any_engine, BOARD), meeting(any_engine, NEIGHBOUR)
    held = replace(CALL, meeting_id=mine)
    action_id = add_action(any_engine, MINE, BOARD, held, "Ann")
    assert stands(any_engine) == [(action_id, 1, held, "Ann", "Ann")]
    for number in (theirs, 99):
        elsewhere = replace(CALL, meeting_id=number)
        with pytest.raises(LookupError, match=f"no meeting {number}"):
            add_action(any_engine, EVERYTHING, BOARD, elsewhere, "Ann")
        with pytest.raises(LookupError, match=f"no meeting {number}"):
            change_action(any_engine, EVERYTHING, action_id, 1, elsewhere, "Ann")
    assert len(changes(any_engine)) == 1
    # A meeting that is gone takes none of what was decided in it along.
    with any_engine.begin() as connection:
        connection.execute(tables.meeting.delete())
    assert stands(any_engine) == [(action_id, 1, CALL, "Ann", "Ann")]
    first = action_history(any_engine, MINE, action_id)
    assert [edit_of(row).meeting_id for row in each_row(first)] == [mine]


def test_several_are_written_all_or_none(any_engine: Engine) -> None:
    first = add_action(any_engine, MINE, BOARD, CALL, "Ann")
    second = add_action(any_engine, MINE, BOARD, CALL, "Ann")
    theirs = add_action(any_engine, EVERYTHING, NEIGHBOUR, CALL, "Eve")
    change_action(any_engine, MINE, second, 1, replace(CALL, owner="Ben"), "Ben")
    done = replace(CALL, state="done")
    before = (stands(any_engine), stands(any_engine, NEIGHBOUR), changes(any_engine))
    with pytest.raises(NotSavedError) as raised:
        save_all(
            any_engine, EVERYTHING, BOARD,
            [
                Wanted(EVERY_FIELD), Wanted(done, first, 1), Wanted(done, second, 1),
                Wanted(done, theirs, 1), Wanted(done, 99, 1), Wanted(done, second, None),
            ],
            "Cat",
        )  # fmt: skip
    kinds = {place: type(reason) for place, reason in raised.value.reasons.items()}
    assert kinds == {
        2: ChangedMeanwhileError, 3: LookupError, 4: LookupError, 5: ChangedMeanwhileError,
    }  # fmt: skip
    assert (stands(any_engine), stands(any_engine, NEIGHBOUR), changes(any_engine)) == before
    ids = save_all(any_engine, MINE, BOARD, [Wanted(EVERY_FIELD), Wanted(done, second, 2)], "Cat")
    assert ids[1] == second
    assert sorted(stands(any_engine), key=lambda row: row[0]) == [
        (first, 1, CALL, "Ann", "Ann"),
        (second, 3, done, "Ann", "Cat"),
        (ids[0], 1, EVERY_FIELD, "Cat", "Cat"),
    ]


def test_notes_of_a_chart(any_engine: Engine) -> None:
    note = ActionEdit(
        "note", "A scheme began", pinned_kind="ward", pinned_code=ABBEY, pinned_on=date(2026, 3, 1)
    )
    others = [
        replace(note, words="earlier", pinned_on=date(2026, 1, 1), state="done"),
        replace(note, words="the same day"),
        replace(note, words="dropped", state="dropped"),
        replace(note, words="without a day", pinned_on=None),
        replace(note, words="elsewhere", pinned_code=BROOK),
        replace(note, words="a network", pinned_kind="pcn"),
        replace(note, words="no note", kind="decision"),
    ]
    for edit in (note, *others):
        add_action(any_engine, MINE, BOARD, edit, "Ann")
    add_action(any_engine, EVERYTHING, NEIGHBOUR, replace(note, words="next door"), "Eve")
    found = pinned_notes(any_engine, MINE, BOARD, "ward", ABBEY)
    assert found.values.tolist() == [
        [date(2026, 1, 1), "earlier"],
        [date(2026, 3, 1), "A scheme began"],
        [date(2026, 3, 1), "the same day"],
    ]
    nothing = pinned_notes(any_engine, MINE, BOARD, "measure", ABBEY)
    assert nothing.empty
    for frame in (found, nothing):
        assert {c: str(t) for c, t in frame.dtypes.items()} == {
            "pinned_on": "object",
            "words": "str",
        }


def test_a_decision_is_no_change_of_the_data(any_engine: Engine) -> None:
    before = loads.data_state(any_engine)
    change_action(
        any_engine, MINE, add_action(any_engine, MINE, BOARD, CALL, "A"), 1, EVERY_FIELD, "A"
    )
    assert loads.data_state(any_engine) == before


def test_the_history_is_kept_as_it_was_said(any_engine: Engine) -> None:
    add_action(any_engine, MINE, BOARD, EVERY_FIELD, "Ann")
    with any_engine.connect() as connection:
        content = connection.scalar(select(tables.action_change.c.content))
    assert json.loads(content or "") == {
        "kind": "note", "words": "=1+1\nä <b>", "owner": "Ben", "due_on": "2026-01-02",
        "state": "done", "pinned_kind": "ward", "pinned_code": ABBEY, "pinned_on": "2026-01-01",
        "page": "coverage", "meeting_id": None,
    }  # fmt: skip
