"""Posts, plans, targets and budgets: those of the board, at the date, that are in force."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from queries import history, posts
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.queries.test_reads import plain

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def spells(engine: Engine, as_at: date = b.AS_AT) -> list[tuple[object, ...]]:
    found = posts.posts(engine, EVERYTHING, b.BOARD, as_at)
    return plain(found[["pcn_code", "post_id", "status", "funded_fte", "since", "until"]])


def test_every_spell_is_there_those_to_come_included(small_board_engine: Engine) -> None:
    told = [(p.pcn_code, p.post_id, p.status, p.funded_fte, p.since, p.until) for p in b.POSTS]
    assert spells(small_board_engine) == told
    assert spells(small_board_engine, date(2026, 1, 1)) == told


def test_a_post_that_does_not_say_since_when_comes_before_its_dated_spells(
    any_engine: Engine,
) -> None:
    """On both databases, which put missing dates at different ends."""
    b.Board(posts=b.POSTS[::-1]).save(any_engine)
    fifth = [row for row in spells(any_engine) if row[1] == "P5"]
    assert [row[2] for row in fifth] == ["filled", "ended"]


def test_a_new_return_of_a_pcn_replaces_its_posts_and_no_others(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    save(any_engine, b.posts([b.Post("P9", b.NORTH, "filled", 1.0)]))
    assert [row[:2] for row in spells(any_engine)] == [(b.NORTH, "P9"), (b.SOUTH, "P7")]


def test_posts_of_a_pcn_of_another_board_are_not_there(any_engine: Engine) -> None:
    b.Board(posts=(*b.POSTS, b.Post("G1", b.GORSE_PCN, "vacant", 1.0))).save(any_engine)
    assert {row[0] for row in spells(any_engine)} == {b.NORTH, b.SOUTH}
    theirs = posts.posts(any_engine, EVERYTHING, b.NEIGHBOUR, b.AS_AT)
    assert theirs["post_id"].tolist() == ["G1"]


def test_plans_and_targets(small_board_engine: Engine) -> None:
    asked = (small_board_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert plain(posts.planned_fte(*asked)) == list(b.PLANS)
    expected = [(*target, "agreed") for target in b.TARGETS]
    assert plain(posts.local_targets(*asked)) == expected


def test_a_plan_of_the_same_year_replaces_it_and_one_of_another_stands_beside_it(
    any_engine: Engine,
) -> None:
    b.Board().save(any_engine)
    save(any_engine, b.plans([(b.NORTH, date(2026, 8, 1), 6.0)]))
    found = posts.planned_fte(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert plain(found) == [(b.NORTH, date(2026, 8, 1), 6.0), (b.SOUTH, JUNE, 1.0)]


def test_targets_and_plans_of_another_board_are_not_there(any_engine: Engine) -> None:
    since = date(2026, 1, 1)
    b.Board(
        targets=(*b.TARGETS, (b.GORSE_PCN, 9.0, since, None)),
        plans=(*b.PLANS, (b.GORSE_PCN, JUNE, 9.0)),
    ).save(any_engine)
    for read in (posts.planned_fte, posts.local_targets):
        assert set(read(any_engine, EVERYTHING, b.BOARD, b.AS_AT)["pcn_code"]) == {b.NORTH, b.SOUTH}
        theirs = read(any_engine, EVERYTHING, b.NEIGHBOUR, b.AS_AT)
        assert theirs["pcn_code"].tolist() == [b.GORSE_PCN]


def target_history(
    engine: Engine, pcn_code: str = b.NORTH, scope: Scope = EVERYTHING
) -> list[tuple[object, ...]]:
    found = posts.target_history(engine, scope, b.BOARD, b.AS_AT, pcn_code)
    now = datetime.now(UTC)
    assert all(now - timedelta(minutes=10) < moment <= now for moment in found["loaded_at"])
    return plain(found[["loaded_by", "target_fte", "valid_from", "valid_until", "is_in_force"]])


def test_the_history_of_a_target(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    first = [(None, fte, start, end, True) for _, fte, start, end in b.TARGETS[:2]]
    assert target_history(any_engine) == first
    later = save(any_engine, b.targets([(b.NORTH, 7.0, JULY, None)]), loaded_by="Ann")
    replaced = [(*row[:-1], False) for row in first]
    assert target_history(any_engine) == [("Ann", 7.0, JULY, None, True), *replaced]
    # South's is its own, and another board's reader is told of neither.
    assert len(target_history(any_engine, b.SOUTH)) == 1
    assert target_history(any_engine, b.GORSE_PCN) == []
    assert target_history(any_engine, scope=Scope(frozenset({b.NEIGHBOUR}))) == []
    history.undo(any_engine, later.load_id, "Bob")
    assert target_history(any_engine) == [("Ann", 7.0, JULY, None, False), *first]


@pytest.mark.parametrize(
    ("as_at", "rows"),
    [
        (date(2026, 3, 30), []),
        (date(2026, 3, 31), [(date(2026, 3, 31), "mental health", 30)]),
        (date(2026, 6, 29), [(date(2026, 3, 31), "mental health", 30)]),
        (
            b.AS_AT,
            [
                (date(2026, 3, 31), "mental health", 30),
                (b.AS_AT, "mental health", 40),
                (b.AS_AT, "wheelchair", None),
            ],
        ),
    ],
)
def test_budgets(small_board_engine: Engine, as_at: date, rows: list[tuple[object, ...]]) -> None:
    """A count that the return hides is missing, not 0."""
    found = posts.budgets_in_place(small_board_engine, EVERYTHING, b.BOARD, as_at)
    assert plain(found) == rows
    theirs = posts.budgets_in_place(small_board_engine, EVERYTHING, b.NEIGHBOUR, as_at)
    assert theirs.empty
