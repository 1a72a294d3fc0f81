"""Saved plans: by name, of a board, never overwritten, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from queries.scenarios import NameTakenError, delete_scenario, save_scenario, scenarios
from queries.scope import EVERYTHING, Scope
from tests.small_board import BOARD, NEIGHBOUR

TYPES = {
    "id": "int64", "scenario_name": "str", "choices": "str", "saved_by": "str",
    "saved_at": "object",
}  # fmt: skip
MINE, THEIRS = Scope(frozenset({BOARD})), Scope(frozenset({NEIGHBOUR}))


def saved(engine: Engine, scope: Scope = EVERYTHING, icb_code: str = BOARD) -> list[list[str]]:
    found = scenarios(engine, scope, icb_code)
    return found[["scenario_name", "choices", "saved_by"]].values.tolist()


def test_what_was_saved_is_there_by_name(any_engine: Engine) -> None:
    before = datetime.now(UTC)
    save_scenario(any_engine, EVERYTHING, BOARD, "two sites", "sites=2&weight=need", "ann")
    save_scenario(any_engine, MINE, BOARD, "Five sites", "sites=5", "bob")
    found = scenarios(any_engine, EVERYTHING, BOARD)
    assert {column: str(dtype) for column, dtype in found.dtypes.items()} == TYPES
    assert sorted(saved(any_engine)) == [
        ["Five sites", "sites=5", "bob"],
        ["two sites", "sites=2&weight=need", "ann"],
    ]
    assert found["id"].is_unique
    for when in found["saved_at"]:
        assert before <= when <= datetime.now(UTC)
        assert when.utcoffset() == UTC.utcoffset(None)


def test_in_the_order_of_their_names(any_engine: Engine) -> None:
    for name in ("b", "c", "a"):
        save_scenario(any_engine, EVERYTHING, BOARD, name, "", "ann")
    assert [row[0] for row in saved(any_engine)] == ["a", "b", "c"]


def test_a_name_that_is_taken_keeps_what_it_names(any_engine: Engine) -> None:
    save_scenario(any_engine, EVERYTHING, BOARD, "plan", "sites=2", "ann")
    with pytest.raises(NameTakenError, match="'plan'"):
        save_scenario(any_engine, EVERYTHING, BOARD, "plan", "sites=5", "bob")
    assert saved(any_engine) == [["plan", "sites=2", "ann"]]
    # Another board's may be called the same.
    save_scenario(any_engine, EVERYTHING, NEIGHBOUR, "plan", "sites=9", "eve")
    assert saved(any_engine, icb_code=NEIGHBOUR) == [["plan", "sites=9", "eve"]]
    assert saved(any_engine) == [["plan", "sites=2", "ann"]]


def test_deleted_is_the_one_of_this_name_and_board(any_engine: Engine) -> None:
    for icb_code, name in ((BOARD, "plan"), (BOARD, "other"), (NEIGHBOUR, "plan")):
        save_scenario(any_engine, EVERYTHING, icb_code, name, "", "ann")
    delete_scenario(any_engine, MINE, BOARD, "plan")
    assert [row[0] for row in saved(any_engine)] == ["other"]
    assert [row[0] for row in saved(any_engine, icb_code=NEIGHBOUR)] == ["plan"]
    delete_scenario(any_engine, EVERYTHING, BOARD, "never saved")
    assert [row[0] for row in saved(any_engine)] == ["other"]
    # A name that is free again may be taken again.
    save_scenario(any_engine, EVERYTHING, BOARD, "plan", "", "ann")


@pytest.mark.parametrize("scope", [THEIRS, Scope(frozenset())])
def test_outside_the_scope_nothing_is_read_saved_or_deleted(
    any_engine: Engine, scope: Scope
) -> None:
    save_scenario(any_engine, EVERYTHING, BOARD, "plan", "sites=2", "ann")
    nothing = scenarios(any_engine, scope, BOARD)
    assert nothing.empty
    assert {column: str(dtype) for column, dtype in nothing.dtypes.items()} == TYPES
    with pytest.raises(LookupError, match=BOARD):
        save_scenario(any_engine, scope, BOARD, "another", "", "eve")
    delete_scenario(any_engine, scope, BOARD, "plan")
    assert saved(any_engine) == [["plan", "sites=2", "ann"]]
