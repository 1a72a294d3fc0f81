"""A disk that is full: nothing is half there, somebody is told, and it goes on when there is room."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dashboard import loading
from dashboard.intake.source import Source
from queries import jobs
from queries.database import make_engine
from tests.conftest import rest_is_slow
from tests.faults.worker import offered, referrals, rows_in, states, torn
from tests.intake import files
from tests.served import ROOT, environment
from tests.small_board import BOARD, Board


@contextmanager
def full(engine: Engine, *, spare_pages: int) -> Iterator[None]:
    """Inside, the database grows by so many pages and no further."""
    with engine.connect() as connection:
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + spare_pages

    def bound(pages: int) -> None:
        engine.dispose()
        for connections in [engine.connect() for _ in range(4)]:
            with connections as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    bound(most)
    yield
    bound(1_073_741_823)


def everything(engine: Engine) -> tuple[dict[str, int], list[str]]:
    return rows_in(engine), torn(engine, thoroughly=True)


# Pages to spare: none at all, some rows, most rows.
@pytest.mark.parametrize("spare_pages", rest_is_slow(0, 5, 60))
def test_a_file_loaded_at_once(sqlite_engine: Engine, spare_pages: int):
    loading.load_now(sqlite_engine, Source.of("a.csv", files.SERVICES.encode()), "ann")
    before = everything(sqlite_engine)
    source = Source.of("b.csv", referrals(5_000).encode())
    with full(sqlite_engine, spare_pages=spare_pages), pytest.raises(DBAPIError, match="full"):
        loading.load_now(sqlite_engine, source, "ann")
    assert everything(sqlite_engine) == before
    assert loading.load_now(sqlite_engine, source, "ann").rows_read == 5_000
    assert torn(sqlite_engine, thoroughly=True) == []


@pytest.mark.parametrize("spare_pages", rest_is_slow(0, 5, 60))
def test_a_file_loaded_by_the_worker(sqlite_engine: Engine, spare_pages: int):
    job = offered(sqlite_engine, referrals(5_000))
    before = everything(sqlite_engine)
    with full(sqlite_engine, spare_pages=spare_pages):
        assert loading.work(sqlite_engine, until_idle=True, wait=lambda: None)
    assert everything(sqlite_engine) == before
    assert states(sqlite_engine) == {job: "failed"}
    told = jobs.one(sqlite_engine, job).message
    assert told
    assert told.startswith("Nothing was loaded: the database could not be written (is the disk")
    assert jobs.queue(sqlite_engine, job)
    assert loading.work(sqlite_engine, until_idle=True, wait=lambda: None)
    assert states(sqlite_engine) == {job: "loaded"}
    assert rows_in(sqlite_engine)["referral"] == 5_000
    assert torn(sqlite_engine, thoroughly=True) == []


def test_a_file_checked(sqlite_engine: Engine):
    source = Source.of("b.csv", referrals(20_000).encode())
    job = jobs.offer(sqlite_engine, source.name, source.size, source.sha256, "ann")
    with full(sqlite_engine, spare_pages=5):
        loading.check(sqlite_engine, job, source)
    assert states(sqlite_engine) == {job: "refused"}
    told = jobs.one(sqlite_engine, job).message
    assert told
    assert "is the disk full?" in told
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM job_piece").scalar_one() == 0


# What a full disk does to a command, by the limit that every system has: no file grows beyond it. It
# holds from when the file is written: the database has a disk of its own.
_LIMITED = """
import resource, signal, sys
from dashboard import backup, commands
most = int(sys.argv.pop(1))
def limited(module, name):
    plain = getattr(module, name)
    def begin(*given, **named):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return plain(*given, **named)
    setattr(module, name, begin)
limited(commands, "_write_whole")
limited(backup.sqlite_file, "write_copy")
commands.app()
"""


def command(path: Path, *words: str, most_bytes: int | None = None) -> tuple[int, str]:
    """The code and the words with which a command ends, where no file may be longer."""
    begin = ["-c", _LIMITED, str(most_bytes)] if most_bytes is not None else ["-m", "dashboard"]
    done = subprocess.run(
        [sys.executable, *begin, *words],
        cwd=ROOT,
        env=environment(path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stderr


@pytest.mark.slow  # processes
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such limit")
@pytest.mark.parametrize("what", ["export", "pack", "backup"])
def test_a_file_that_is_written(tmp_path: Path, upgraded_file: Path, what: str):
    path = Path(shutil.copy(upgraded_file, tmp_path / "board.db"))
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    Board().save(engine)
    engine.dispose()
    folder = tmp_path / "written"
    folder.mkdir()
    asked = {
        "export": ("export", "coverage", "--icb", BOARD, "--out", str(folder / "a.csv")),
        "pack": ("pack", "--icb", BOARD, "--out", str(folder / "a.xlsx")),
        "backup": ("backup", str(folder / "a.db")),
    }[what]
    file = folder / asked[-1].rsplit("/", 1)[-1]
    if what != "backup":
        # An older one stays as it is.
        file.write_bytes(b"before")
    code, said = command(path, *asked, most_bytes=500)
    assert code == 1
    assert "Traceback" not in said
    assert file.name in said
    assert [each.name for each in folder.iterdir()] == ([] if what == "backup" else [file.name])
    assert what == "backup" or file.read_bytes() == b"before"
    code, said = command(path, *asked)
    assert (code, "Traceback" in said) == (0, False), said
    assert file.stat().st_size > 500


def test_an_upload_needs_no_room_for_temporary_files(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """It is kept in memory and read by a process that may write nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is none"))
    job = offered(sqlite_engine, referrals(3_000))
    assert loading.work(sqlite_engine, until_idle=True, wait=lambda: None)
    assert states(sqlite_engine) == {job: "loaded"}
