"""A database copied into another kind: every row, the next numbers, the same figures, or nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text

from dashboard import export
from dashboard.backup import BackupError, copy_all
from queries import copy, tables
from queries.actions import ActionEdit, add_action
from queries.copy import NotEmptyError
from queries.database import NEWEST_REVISION, make_engine, revision, writing
from queries.frames import in_utc
from queries.load import LoadRecord, NotWrittenError, save
from queries.loads import data_state
from queries.places import boards
from queries.scope import EVERYTHING
from tests import outcome_board
from tests import small_board as b
from tests.made_once import demonstration_file
from tests.release import fill, said


@pytest.fixture(scope="module")
def full(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small board with referrals and scores, and what people write themselves: read it only."""
    engine = outcome_board.loaded(upgraded_file, tmp_path_factory.mktemp("full"))
    fill(engine)
    yield engine
    engine.dispose()


def plain(value: Any) -> Any:
    """A value that both databases tell alike."""
    return in_utc(value) if hasattr(value, "tzinfo") else value


def every_row(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table; in what order they lie is each database's own affair."""
    with copy.snapshot(engine) as connection:
        return {
            table.name: sorted(
                (tuple(map(plain, row)) for row in connection.execute(select(table))), key=repr
            )
            for table in tables.metadata.sorted_tables
        }


@pytest.fixture
def back(tmp_path: Path) -> Iterator[Engine]:
    """An SQLite file that is not there yet."""
    engine = make_engine(f"sqlite:///{(tmp_path / 'back.db').as_posix()}")
    yield engine
    engine.dispose()


def test_there_and_back_every_row_is_the_same(
    full: Engine, postgres_engine: Engine, back: Engine
) -> None:
    """With bytes, dates, moments in UTC, umlauts and what is missing."""
    before: dict[str, list[tuple[Any, ...]]] = every_row(full)
    told: list[int] = []
    assert sum(map(bool, before.values())) > 40
    copy_all(full, postgres_engine, lambda table, rows: told.append(rows))
    assert every_row(postgres_engine) == before
    assert sum(told) == sum(map(len, before.values()))
    copy_all(postgres_engine, back)
    assert every_row(back) == before
    assert revision(back) == revision(postgres_engine) == NEWEST_REVISION


def test_a_page_says_the_same(full: Engine, postgres_engine: Engine) -> None:
    """One of them in every run; all of them below."""
    copy_all(full, postgres_engine)
    here, there = (
        export.make(each, EVERYTHING, "services", b.BOARD, b.AS_AT, "json").body
        for each in (full, postgres_engine)
    )
    assert there == here


@pytest.mark.slow
def test_every_export_says_the_same(full: Engine, postgres_engine: Engine, back: Engine) -> None:
    copy_all(full, postgres_engine)
    copy_all(postgres_engine, back)
    wanted = said(full)
    assert set(wanted) == set(export.SUBJECTS)
    assert all(wanted.values())
    assert said(postgres_engine) == wanted
    assert said(back) == wanted


def test_what_comes_next_has_the_next_number(full: Engine, postgres_engine: Engine) -> None:
    """PostgreSQL gives numbers of its own, and knows nothing of those that were copied."""
    copy_all(full, postgres_engine)
    newest = {
        table.name: max(row[0] for row in rows)
        for table in tables.metadata.sorted_tables
        if table.autoincrement_column is not None and (rows := every_row(full)[table.name])
    }
    again = b.services((b.Service("new", (b.ABBEY,), provider="Another"),))
    assert save(postgres_engine, again).load_id == newest["load"] + 1
    call = ActionEdit("action", "Call")
    number = add_action(postgres_engine, EVERYTHING, b.BOARD, call, "Ann")
    assert number == newest["action"] + 1
    with writing(postgres_engine) as connection:
        for table in tables.metadata.sorted_tables:
            if table.autoincrement_column is not None:
                sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                following = connection.scalar(text(f"SELECT nextval({sequence})"))
                assert following > newest.get(table.name, 0), table.name
    assert data_state(postgres_engine).version == data_state(full).version + 1


def test_nothing_is_copied_over_rows(full: Engine, both_engines: Engine) -> None:
    save(both_engines, b.services(b.SERVICES))
    before = every_row(both_engines)
    with pytest.raises(BackupError, match=r"holds data already \(load, trail, load_part, service"):
        copy_all(full, both_engines)
    with pytest.raises(NotEmptyError), copy.snapshot(full) as source:
        copy.copy_into(source, both_engines, lambda table, rows: None)
    assert every_row(both_engines) == before


def test_a_row_that_is_refused_leaves_nothing(
    full: Engine, postgres_engine: Engine, upgraded_file: Path, tmp_path: Path
) -> None:
    """SQLite keeps a code of any length, PostgreSQL does not; the row itself is not repeated."""
    shutil.copy(upgraded_file, tmp_path / "long.db")
    long = make_engine(f"sqlite:///{(tmp_path / 'long.db').as_posix()}")
    save(long, b.services(b.SERVICES))
    with writing(long) as connection:
        connection.execute(
            insert(tables.ward).values(ward_code="A secret " * 9, ward_name="x", vintage=1, lsoas=1)
        )
    before = every_row(postgres_engine)
    with pytest.raises(NotWrittenError, match=r"table ward: .*nothing was copied") as told:
        copy_all(long, postgres_engine)
    assert "secret" not in str(told.value)
    assert every_row(postgres_engine) == before
    long.dispose()


def test_what_is_loaded_meanwhile_is_not_half_there(both_engines: Engine, tmp_path: Path) -> None:
    """The copy is of the moment when it began."""
    save(both_engines, b.services(b.SERVICES))
    before = every_row(both_engines)
    target = make_engine(f"sqlite:///{(tmp_path / 'copy.db').as_posix()}")
    loaded: list[LoadRecord] = []

    def load_once(_table: str, _rows: int) -> None:
        if not loaded:
            loaded.append(save(both_engines, b.practices()))

    copy_all(both_engines, target, load_once)
    assert loaded
    assert every_row(target) == before
    assert every_row(both_engines) != before
    target.dispose()


def test_an_empty_database_without_tables_takes_it(full: Engine, any_bare_engine: Engine) -> None:
    copy_all(full, any_bare_engine)
    assert every_row(any_bare_engine) == every_row(full)


def test_another_program_in_the_same_database_is_left_alone(
    full: Engine, postgres_engine: Engine
) -> None:
    with writing(postgres_engine) as connection:
        connection.execute(text("CREATE TABLE theirs AS SELECT 1 AS one"))
    copy_all(full, postgres_engine)
    with postgres_engine.connect() as connection:
        assert connection.scalar(text("SELECT one FROM theirs")) == 1


def test_a_copy_that_lost_rows_is_none(full: Engine, postgres_engine: Engine) -> None:
    with writing(postgres_engine) as connection:
        connection.execute(
            text(
                "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER lose BEFORE INSERT ON saved_view FOR EACH ROW "
                "EXECUTE FUNCTION lose()"
            )
        )
    with pytest.raises(NotWrittenError, match="not every row arrived in saved_view"):
        copy_all(full, postgres_engine)
    with copy.snapshot(postgres_engine) as connection:
        assert copy.tables_with_rows(connection) == []


@pytest.mark.slow
def test_the_demonstration(
    postgres_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = demonstration_file(tmp_path_factory)
    source = make_engine(f"sqlite:///{path.as_posix()}")
    copy_all(source, postgres_engine)
    assert every_row(postgres_engine) == every_row(source)
    icb_code = boards(source, EVERYTHING)["icb_code"][0]
    day = data_state(source).newest_date
    assert day
    for subject in export.SUBJECTS:
        here, there = (
            json.loads(export.make(each, EVERYTHING, subject, icb_code, day, "json").body)
            for each in (source, postgres_engine)
        )
        assert there == here, subject
    source.dispose()
