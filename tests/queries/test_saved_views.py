"""Saved views: by name, of a board, never overwritten, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from queries.saved_views import NameTakenError, delete_view, save_view, saved_views
from queries.scope import EVERYTHING, Scope
from tests.small_board import BOARD, NEIGHBOUR

MINE, THEIRS = Scope(frozenset({BOARD})), Scope(frozenset({NEIGHBOUR}))


def saved(engine: Engine, scope: Scope = EVERYTHING, icb_code: str = BOARD) -> list[list[str]]:
    found = saved_views(engine, scope, icb_code)
    return [[view.view_name, view.address, view.saved_by] for view in found]


def test_what_was_saved_is_there_by_name(any_engine: Engine) -> None:
    before = datetime.now(UTC)
    save_view(any_engine, EVERYTHING, BOARD, "b", "take-up?pcn=U90001", "ann")
    save_view(any_engine, MINE, BOARD, "a", "?", "bob")
    found = saved_views(any_engine, EVERYTHING, BOARD)
    assert saved(any_engine) == [["a", "?", "bob"], ["b", "take-up?pcn=U90001", "ann"]]
    for when in (view.saved_at for view in found):
        assert before <= when <= datetime.now(UTC)
        assert when.utcoffset() == UTC.utcoffset(None)


def test_a_name_that_is_taken_keeps_what_it_names(any_engine: Engine) -> None:
    save_view(any_engine, EVERYTHING, BOARD, "view", "?pcn=1", "ann")
    with pytest.raises(NameTakenError, match="view"):
        save_view(any_engine, EVERYTHING, BOARD, "view", "?pcn=2", "bob")
    assert saved(any_engine) == [["view", "?pcn=1", "ann"]]
    # Another board's may be called the same.
    save_view(any_engine, EVERYTHING, NEIGHBOUR, "view", "?pcn=9", "eve")
    assert saved(any_engine, icb_code=NEIGHBOUR) == [["view", "?pcn=9", "eve"]]


def test_deleted_is_the_one_of_this_name_and_board(any_engine: Engine) -> None:
    for icb_code, name in ((BOARD, "view"), (BOARD, "other"), (NEIGHBOUR, "view")):
        save_view(any_engine, EVERYTHING, icb_code, name, "?", "ann")
    delete_view(any_engine, EVERYTHING, BOARD, "view")
    assert [row[0] for row in saved(any_engine)] == ["other"]
    assert [row[0] for row in saved(any_engine, icb_code=NEIGHBOUR)] == ["view"]
    delete_view(any_engine, EVERYTHING, BOARD, "never saved")
    assert [row[0] for row in saved(any_engine)] == ["other"]


@pytest.mark.parametrize("scope", [THEIRS, Scope(frozenset())])
def test_outside_the_scope_nothing_is_read_saved_or_deleted(
    any_engine: Engine, scope: Scope
) -> None:
    save_view(any_engine, EVERYTHING, BOARD, "view", "?", "ann")
    assert saved_views(any_engine, scope, BOARD) == []
    with pytest.raises(LookupError, match=BOARD):
        save_view(any_engine, scope, BOARD, "another", "?", "eve")
    delete_view(any_engine, scope, BOARD, "view")
    assert saved(any_engine) == [["view", "?", "ann"]]
