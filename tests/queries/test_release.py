"""A database that an earlier release left behind, as files of `tests.release` hold it, goes on."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from dashboard import backup, data
from dashboard.backup import back_up, restore
from dashboard.facts import count_missing
from dashboard.settings import settings
from queries import copy
from queries.database import (
    NEWEST_REVISION,
    bring_to,
    changing_form,
    make_engine,
    revision,
    upgrade,
)
from tests.conftest import skip_or_fail
from tests.release import FILES, said

FORMS = sorted(path.name.split("_")[1].split(".")[0] for path in FILES.glob("release_*.sql.gz"))
POSTGRESQL = pytest.mark.parametrize("any_bare_engine", ["postgresql"], indirect=True)
EACH = pytest.mark.parametrize("form", FORMS)


def as_released(form: str, path: Path) -> Engine:
    """The database of that release, as an SQLite file."""
    dump = gzip.decompress((FILES / f"release_{form}.sql.gz").read_bytes()).decode()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)
    return make_engine(f"sqlite:///{path.as_posix()}")


def then(form: str) -> dict[str, list[dict[str, Any]]]:
    """What its exports said on the day."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        gzip.decompress((FILES / f"release_{form}.json.gz").read_bytes())
    )
    return found


def now(engine: Engine, like: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What they say today, in the columns they had: a later version may show more."""
    return {
        subject: [{name: row[name] for name in like[subject][0]} for row in rows]
        for subject, rows in said(engine).items()
        if subject in like
    }


def rows(engine: Engine, names: list[str]) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names
        }


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The release's database on SQLite."""
    engine = as_released(request.getfixturevalue("form"), tmp_path / "dashboard.db")
    yield engine
    engine.dispose()


def moved(old: Engine, form: str, target: Engine) -> Engine:
    """The same on PostgreSQL, in the release's own form."""
    with copy.snapshot(old) as source, changing_form(target) as connection:
        bring_to(connection, form)
        found = copy.tables_of(source, connection)
        copy.copy_rows(source, connection, found, backup.nothing)
    assert revision(target) == form
    return target


def test_there_is_one_of_the_release_before() -> None:
    assert FORMS
    if int(NEWEST_REVISION) - int(FORMS[-1]) > 1:
        skip_or_fail(f"form {NEWEST_REVISION} has no file of the form before: see tests/release.py")


@EACH
def test_every_row_is_there_after_the_upgrade_of_sqlite(form: str, old: Engine) -> None:
    names = list(rows_before(old))
    before = rows(old, names)
    assert sum(map(bool, before.values())) > 40
    upgrade(old)
    count_missing(old)
    assert revision(old) == NEWEST_REVISION
    assert rows(old, names) == before


@EACH
@POSTGRESQL
def test_every_row_is_there_after_the_upgrade_of_postgresql(
    form: str, old: Engine, any_bare_engine: Engine
) -> None:
    names = list(rows_before(old))
    before = rows(old, names)
    engine = moved(old, form, any_bare_engine)
    assert rows(engine, names) == before
    upgrade(engine)
    count_missing(engine)
    assert rows(engine, names) == before


def rows_before(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        return [name for (name,) in found if name != "alembic_version"]


@EACH
@pytest.mark.slow
def test_the_figures_are_the_same_after_the_upgrade(
    form: str, old: Engine, any_bare_engine: Engine, settings_as_shipped: None
) -> None:
    is_sqlite = any_bare_engine.dialect.name == "sqlite"
    engine = old if is_sqlite else moved(old, form, any_bare_engine)
    upgrade(engine)
    count_missing(engine)
    wanted = then(form)
    assert now(engine, wanted) == wanted


@EACH
def test_the_start_keeps_what_was_before(
    form: str, old: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person gets who installs a new version and starts it: nothing to be done, and a way back."""
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", str(old.url))
    settings.cache_clear()
    if form == NEWEST_REVISION:
        return
    before = rows(old, rows_before(old))
    old.dispose()
    try:
        assert not data.prepare_database()
        kept = [path for path in tmp_path.glob("*.db") if "-form-" in path.name]
        assert [path.name[: len("dashboard-form-0007")] for path in kept] == [
            f"dashboard-form-{form}"
        ]
        copied = make_engine(f"sqlite:///{kept[0].as_posix()}")
        assert revision(copied) == form
        assert rows(copied, list(before)) == before
        copied.dispose()
        assert revision(data.engine()) == NEWEST_REVISION
        # Once: the next start has nothing to upgrade.
        assert not data.prepare_database()
        assert len([path for path in tmp_path.glob("*.db") if "-form-" in path.name]) == 1
    finally:
        data.engine().dispose()
        settings.cache_clear()


@EACH
def test_a_start_that_can_not_keep_it_changes_nothing(
    form: str, old: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form == NEWEST_REVISION:
        return
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", str(old.url))
    settings.cache_clear()

    def full(_engine: Engine, _path: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("queries.sqlite_file.write_copy", full)
    try:
        with pytest.raises(backup.BackupError, match="disk is full"):
            data.prepare_database()
        assert revision(old) == form
    finally:
        data.engine().dispose()
        settings.cache_clear()


@EACH
def test_an_old_backup_is_restored_and_brought_up(
    form: str, old: Engine, any_bare_engine: Engine, tmp_path: Path
) -> None:
    before = rows(old, rows_before(old))
    made = back_up(old, tmp_path / "old.backup")
    assert made.form == form
    done = restore(made.path, any_bare_engine)
    assert done.form == form
    assert revision(any_bare_engine) == NEWEST_REVISION
    assert rows(any_bare_engine, list(before)) == before


@EACH
@POSTGRESQL
def test_an_old_database_of_postgresql_is_backed_up_in_its_own_form(
    form: str, old: Engine, any_bare_engine: Engine, tmp_path: Path
) -> None:
    """Before its upgrade, by the new version."""
    before = rows(old, rows_before(old))
    made = back_up(moved(old, form, any_bare_engine), tmp_path / "old.backup")
    assert made.form == form
    restored = make_engine(f"sqlite:///{(tmp_path / 'restored.db').as_posix()}")
    restore(made.path, restored)
    assert rows(restored, list(before)) == before
    restored.dispose()
