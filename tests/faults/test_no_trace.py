"""A refused file with an NHS number leaves no trace of it: no row, no byte, no log, no file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashboard import loading
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries import jobs, tables
from tests.faults.worker import ROOT, rows_in, url_of
from tests.intake.test_hostile_files import NUMBER, TRACE, WITH_NUMBER, table

# A part of it can stand in a checksum by chance.
WHOLE = re.compile(r"999\D{0,3}000\D{0,3}0018", re.ASCII)


def kept(engine: Engine) -> str:
    """Everything in every table, and every byte of the database's files."""
    told = ""
    with engine.connect() as connection:
        for each in tables.metadata.sorted_tables:
            told += "\n".join(map(str, connection.execute(each.select())))
    if engine.url.database and engine.dialect.name == "sqlite":
        for path in Path(engine.url.database).parent.glob(Path(engine.url.database).name + "*"):
            told += path.read_bytes().decode("latin-1")
    return told


def test_nothing_is_kept_of_a_file_that_was_offered(
    any_engine: Engine, caplog: pytest.LogCaptureFixture
):
    for make in WITH_NUMBER.values():
        source = Source.of("file", make())
        job = jobs.offer(any_engine, source.name, source.size, source.sha256, "ann")
        loading.check(any_engine, job, source)
        assert jobs.one(any_engine, job).state == "refused"
    with pytest.raises(RefusedError):
        loading.load_now(any_engine, source, "ann")
    found = kept(any_engine)
    assert "refused" in found
    assert not WHOLE.search(found)
    assert not TRACE.search(caplog.text)
    assert rows_in(any_engine) == {}


@pytest.mark.slow  # processes
def test_nothing_is_said_or_written_by_the_command(sqlite_engine: Engine, tmp_path: Path):
    offered, temporary = tmp_path / "offered", tmp_path / "temporary"
    offered.mkdir()
    temporary.mkdir()
    (offered / "plain.csv").write_text(table(NUMBER))
    (offered / f"{NUMBER}.csv").write_text(table("x"))
    (offered / "heading.csv").write_text("a,999 000 0018\n1,2\n")
    done = subprocess.run(
        [sys.executable, "-m", "dashboard", "load", "--json", *map(str, offered.iterdir())],
        cwd=ROOT,
        env={
            **os.environ,
            "DASHBOARD_DATABASE_URL": url_of(sqlite_engine),
            "TMPDIR": str(temporary),
        },
        capture_output=True,
        timeout=100,
        check=False,
    )
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert told.count("refused and nothing") == 3
    assert "rename the file" in told
    assert not TRACE.search(told)
    assert not WHOLE.search(kept(sqlite_engine))
    assert list(temporary.iterdir()) == []
