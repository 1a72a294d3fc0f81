"""The trail of what was done is written once, and shows when it was not left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from queries import trail
from queries.database import writing


def fill(engine: Engine, lines: int = 4) -> None:
    for number in range(lines):
        trail.note_alone(engine, trail.EXPORTED, number, {"board": "QKS", "n": number})


def without_guard(engine: Engine, statement: str) -> None:
    """What somebody does who owns the database."""
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            for name in ("trail_no_update", "trail_no_delete"):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE trail DISABLE TRIGGER ALL"))
        connection.execute(text(statement))


def test_each_line_says_what_was_done(both_engines: Engine):
    fill(both_engines)
    lines = trail.lines(both_engines)
    assert lines["id"].tolist() == [4, 3, 2, 1]
    assert lines["detail"].iloc[0] == '{"board": "QKS", "n": 3}'
    assert lines["person_id"].tolist() == [3, 2, 1, 0]
    assert trail.lines(both_engines, 1)["id"].tolist() == [4]
    assert list(trail.broken_at(both_engines)) == []


def test_an_empty_trail_is_whole(both_engines: Engine):
    assert list(trail.broken_at(both_engines)) == []
    assert trail.head(both_engines) == (0, trail.FIRST)
    assert not trail.has(both_engines, "1:abc")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail SET person_id = 7",
        "UPDATE trail SET detail = '{}' WHERE id = 2",
        "DELETE FROM trail",
        "DELETE FROM trail WHERE id = 4",
    ],
)
def test_no_line_is_changed_or_taken_out(both_engines: Engine, statement: str):
    fill(both_engines)
    with pytest.raises(DBAPIError), writing(both_engines) as connection:
        connection.execute(text(statement))
    assert list(trail.broken_at(both_engines)) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE trail SET person_id = 7 WHERE id = 2", ["line 2 is not"]),
        ("UPDATE trail SET kind = 'loaded' WHERE id = 3", ["line 3 is not"]),
        ("UPDATE trail SET detail = '{}' WHERE id = 1", ["line 1 is not"]),
        ("UPDATE trail SET at = '2020-01-01 00:00:00+00:00' WHERE id = 1", ["line 1 is not"]),
        ("UPDATE trail SET hash = 'x' WHERE id = 2", ["line 2 is not", "line 3 is not"]),
        ("DELETE FROM trail WHERE id = 2", ["lines 2 to 2 are missing", "line 3 is not"]),
        ("DELETE FROM trail WHERE id = 1", ["lines 1 to 1 are missing", "line 2 is not"]),
    ],
)
def test_who_changes_it_all_the_same_is_noticed(
    both_engines: Engine, statement: str, said: list[str]
):
    fill(both_engines)
    without_guard(both_engines, statement)
    found = list(trail.broken_at(both_engines))
    assert len(found) == len(said)
    assert all(words in line for words, line in zip(said, found, strict=True))


def test_who_cuts_the_end_off_is_noticed_by_a_line_kept_elsewhere(both_engines: Engine):
    fill(both_engines)
    kept = ":".join(map(str, trail.head(both_engines)))
    assert trail.has(both_engines, kept)
    without_guard(both_engines, "DELETE FROM trail WHERE id = 4")
    assert list(trail.broken_at(both_engines)) == []
    assert not trail.has(both_engines, kept)


def test_many_at_once_follow_one_another(both_engines: Engine):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fill(both_engines, 3), range(8)))
    assert trail.head(both_engines)[0] == 24
    assert list(trail.broken_at(both_engines)) == []


def test_what_is_taken_back_leaves_no_line(both_engines: Engine):
    with both_engines.connect().execution_options(writes=True) as connection:
        trail.note(connection, trail.LOADED, 0, {})
        connection.rollback()
    assert trail.head(both_engines)[0] == 0
