"""`python -m dashboard`: what each command does, says and returns: 0 done, 1 refused, 2 misused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from dashboard.commands import app
from queries import loads
from queries.scope import EVERYTHING
from tests.intake import files
from tests.small_board import BOARD, Board


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def new(
    use_database: Callable[[Path], Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    """A database file that is not there yet."""
    monkeypatch.chdir(tmp_path)
    return use_database(tmp_path / "new.db")


@pytest.fixture
def own_demonstration(
    use_database: Callable[[Path], Engine], demonstration_path: Path, tmp_path: Path
) -> Engine:
    """A copy of the demonstration, which may be changed."""
    shutil.copy(demonstration_path, tmp_path / "own.db")
    return use_database(tmp_path / "own.db")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["load"],
        ["load", "no-such-file.csv"],
        ["export"],
        ["export", "coverage"],
        ["export", "secrets", "--icb", "QDK"],
        ["export", "coverage", "--icb", "QDK", "--format", "pdf"],
        ["export", "coverage", "--icb", "QDK", "--as-at", "yesterday"],
        ["demo", "--again"],
    ],
)
def test_misused(new: Engine, arguments: list[str]):
    assert run(*arguments).exit_code == 2


def test_a_good_file_is_loaded(new: Engine, tmp_path: Path):
    path = tmp_path / "lookup.csv"
    path.write_text(files.LSOA_WARD)
    told = run("load", str(path))
    assert told.exit_code == 0
    assert "lookup.csv: lsoa ward, 3 rows" in told.output
    assert list(loads.sources(new, EVERYTHING)["file_name"]) == ["lookup.csv"]


def test_the_same_file_twice_is_said_and_not_an_error(new: Engine, tmp_path: Path):
    path = tmp_path / "lookup.csv"
    path.write_text(files.LSOA_WARD)
    run("load", str(path))
    again = run("load", str(path))
    assert again.exit_code == 0
    assert "lookup.csv" in again.output
    assert len(loads.sources(new, EVERYTHING)) == 1


def test_a_bad_file_is_refused_and_the_others_are_loaded(new: Engine, tmp_path: Path):
    good, bad = tmp_path / "lookup.csv", tmp_path / "odd.csv"
    good.write_text(files.LSOA_WARD)
    bad.write_text("a,b\n1,2\n")
    told = run("load", str(bad), str(good))
    assert told.exit_code == 1
    assert "odd.csv" in told.output
    assert list(loads.sources(new, EVERYTHING)["file_name"]) == ["lookup.csv"]


def test_a_real_file_removes_the_demonstration_and_says_so(
    own_demonstration: Engine, tmp_path: Path
):
    path = tmp_path / "lookup.csv"
    path.write_text(files.LSOA_WARD)
    told = run("load", str(path))
    assert told.exit_code == 0
    assert "the demonstration was removed" in " ".join(told.output.split())
    assert not loads.data_state(own_demonstration).is_demonstration


def test_the_demonstration_is_made_once(own_demonstration: Engine):
    told = run("demo")
    assert told.exit_code == 0
    assert "already there" in told.output


def test_the_demonstration_is_removed(own_demonstration: Engine):
    told = run("demo", "--remove")
    assert told.exit_code == 0
    assert "was removed" in told.output
    assert not loads.data_state(own_demonstration).is_demonstration
    again = run("demo", "--remove")
    assert again.exit_code == 0
    assert "There was no demonstration" in again.output


def test_the_demonstration_is_refused_beside_real_files(load_board: Callable[[Board], Engine]):
    engine = load_board(Board())
    told = run("demo")
    assert told.exit_code == 1
    assert not loads.data_state(engine).is_demonstration


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
@pytest.mark.parametrize("subject", ["coverage", "workforce"])
def test_an_export_is_written(small_board: Engine, tmp_path: Path, subject: str, form: str):
    out = tmp_path / f"figures.{form}"
    told = run(
        "export", subject, "--icb", BOARD, "--as-at", "2026-06-30", "--format", form,
        "--out", str(out),
    )  # fmt: skip
    assert told.exit_code == 0
    body = out.read_bytes()
    assert body.startswith({"csv": b"\xef\xbb\xbf", "json": b"{", "xlsx": b"PK"}[form])
    if form == "json":
        assert json.loads(body)["meta"]["icb_code"] == BOARD


def test_an_export_of_a_board_that_is_not_there_is_refused(small_board: Engine):
    told = run("export", "coverage", "--icb", "QXX")
    assert told.exit_code == 1
    assert "Nothing to export" in told.output


def test_an_empty_database_has_nothing_to_export(new: Engine):
    assert run("export", "coverage", "--icb", BOARD).exit_code == 1
