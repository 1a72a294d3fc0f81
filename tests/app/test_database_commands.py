"""The commands of the database: what each says and returns."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from dashboard.commands import app
from queries.database import NEWEST_REVISION, make_engine, revision
from queries.load import save
from tests import small_board as b
from tests.queries.test_save import contents, rows_in
from tests.served import ROOT, environment

pytestmark = pytest.mark.slow


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def flat(told: Result) -> str:
    return " ".join(told.output.split())


def without_version(engine: Engine) -> dict[str, object]:
    return {name: rows for name, rows in contents(engine).items() if name != "data_version"}


@pytest.fixture
def mine(
    use_database: Callable[[Path], Engine], small_board_path: Path, on_the_day: None, tmp_path: Path
) -> Engine:
    """The dashboard reads a small board of its own."""
    (tmp_path / "live").mkdir()
    shutil.copy(small_board_path, tmp_path / "live" / "dashboard.db")
    return use_database(tmp_path / "live" / "dashboard.db")


def test_there_and_back(mine: Engine, tmp_path: Path) -> None:
    before, file = without_version(mine), str(tmp_path / "one.backup")
    told = run("backup", file)
    assert told.exit_code == 0, told.output
    assert re.search(
        rf"one\.backup: [0-9.]+ MB, form {NEWEST_REVISION}, with its checksum", flat(told)
    )
    assert run("backup", file).exit_code == 1
    save(mine, b.services((b.Service("new", (b.ABBEY,), provider="Another"),)))
    told = run("restore", file)
    assert told.exit_code == 1
    assert "holds data already" in flat(told)
    # Nobody looks on meanwhile.
    mine.dispose()
    told = run("restore", file, "--replace")
    assert told.exit_code == 0, told.output
    assert "The old database is now dashboard-before-restore-" in flat(told)
    assert without_version(mine) == before


def test_to_postgresql_and_back(mine: Engine, postgres_engine: Engine, tmp_path: Path) -> None:
    address = postgres_engine.url.render_as_string(hide_password=False)
    told = run("copy", "--to", address)
    assert told.exit_code == 0, told.output
    assert "Set DASHBOARD_DATABASE_URL to that database" in flat(told)
    assert {name: len(rows) for name, rows in contents(postgres_engine).items()} == {
        name: len(rows) for name, rows in contents(mine).items()
    }
    told = run("copy", "--to", address)
    assert (told.exit_code, "holds data already" in flat(told)) == (1, True)
    back = f"sqlite:///{(tmp_path / 'back.db').as_posix()}"
    run("backup", str(tmp_path / "one.backup"))
    assert run("restore", str(tmp_path / "one.backup"), "--into", back).exit_code == 0
    engine = make_engine(back)
    assert rows_in(engine) == rows_in(mine)
    engine.dispose()


@pytest.mark.parametrize(
    "address", ["nonsense", "mysql://a:secret@b/c", "postgresql://a:secret@b/c"]
)
def test_an_address_that_is_none(mine: Engine, address: str) -> None:
    told = run("copy", "--to", address)
    assert told.exit_code == 2
    assert "Expected the address of a database: sqlite:///FILE or postgresql+psycopg" in flat(told)
    assert "secret" not in told.output


def test_nobody_answers(mine: Engine) -> None:
    told = run("copy", "--to", "postgresql+psycopg://a:secret@127.0.0.1:9/c")
    assert told.exit_code == 1
    assert "can't be reached" in flat(told)
    assert "secret" not in told.output


def test_not_to_itself(mine: Engine) -> None:
    told = run("copy", "--to", str(mine.url))
    assert (told.exit_code, "itself" in flat(told)) == (2, True)


def test_a_drill(mine: Engine) -> None:
    told = run("drill")
    assert told.exit_code == 0, told.output
    assert re.search(r"backup [0-9.]+ s, restore [0-9.]+ s, compare", flat(told))
    assert "The same came back" in flat(told)
    assert "and 8 exports" in flat(told)


@pytest.mark.parametrize(
    "arguments",
    [["worker", "--until-idle"], ["upgrade"], ["history"], ["demo"], ["backup", "one.backup"], ["drill"]],
)  # fmt: skip
def test_a_newer_version_was_here(mine: Engine, tmp_path: Path, arguments: list[str]) -> None:
    """Every command stops with one message and no traceback, and changes nothing."""
    path = Path(str(mine.url.database))
    mine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    told = shell(tmp_path, path, *arguments)
    assert told.returncode == 1
    words = " ".join(told.stderr.split())
    assert "The database has the form 9999, which a newer version of the dashboard made" in words
    assert f"forms up to {NEWEST_REVISION}" in words
    assert "Traceback" not in words
    assert revision(mine) == "9999"
    assert not (tmp_path / "one.backup").exists()


def shell(folder: Path, database: Path, *arguments: str, bytes_a_file: int = 0):  # type: ignore[no-untyped-def]
    """The command in a process of its own, in which no file may grow beyond so many bytes."""

    def bound() -> None:
        import resource

        if bytes_a_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

    return subprocess.run(
        [sys.executable, "-m", "dashboard", *arguments],
        cwd=folder,
        env=environment(database) | {"PYTHONPATH": str(ROOT)},
        preexec_fn=bound if os.name != "nt" else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows bounds files otherwise")
def test_a_full_disk_leaves_nothing_half(mine: Engine, tmp_path: Path) -> None:
    path = Path(str(mine.url.database))
    before = contents(mine)
    mine.dispose()
    size = path.stat().st_size
    told = shell(tmp_path, path, "backup", "one.backup", bytes_a_file=size // 2)
    assert told.returncode == 1
    assert "No backup was made, and nothing is left of one.backup" in " ".join(told.stderr.split())
    assert {each.name for each in tmp_path.iterdir()} == {"live"}
    assert shell(tmp_path, path, "backup", "one.backup").returncode == 0
    beside = {each.name for each in path.parent.iterdir()}
    told = shell(tmp_path, path, "restore", "one.backup", "--replace", bytes_a_file=size // 2)
    assert told.returncode == 1
    assert "nothing was changed" in " ".join(told.stderr.split())
    assert contents(mine) == before
    mine.dispose()
    assert {each.name for each in path.parent.iterdir()} <= beside
