"""An SQLite file that is locked, may not be written, is damaged or gone: it is said, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from starlette.types import Message, Receive
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard import access, data, errors, gate
from dashboard.errors import NotReadyError
from dashboard.gate import COOKIE
from dashboard.settings import settings
from queries.database import make_engine
from tests.conftest import skip_or_fail
from tests.faults.person import Person, Shown, look
from tests.identity_provider import Provider
from tests.made_once import HASH_KEY
from tests.served import ROOT, Server, environment, serving
from tests.small_board import BOARD, Board
from tests.test_sign_in import ANYTHING, Browser, service, team

__all__ = ["service", "team"]

pytestmark = [pytest.mark.timeout(300)]

NUMBER = re.compile(r" \(error [0-9a-f]{8}\)$")
# SQLite waits 10 s for a lock; a page must not wait for several one after the other.
IN_TIME = 30.0
TAKEN = f"/actions.csv?icb={BOARD}"


@pytest.fixture
def board(tmp_path: Path, upgraded_file: Path) -> Path:
    """A database with a board in it."""
    path = tmp_path / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    Board().save(engine)
    engine.dispose()
    return path


@pytest.fixture
def dashboard(board: Path, tmp_path: Path) -> Iterator[tuple[Server, int]]:
    with serving(board, tmp_path / "served") as server:
        yield server, port_of(server)


def port_of(server: Server) -> int:
    return int(server.url.rsplit(":", 1)[1])


def ask(server: Server, address: str) -> httpx.Response:
    return httpx.get(f"{server.url}{address}", timeout=IN_TIME)


def run(board: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on this database."""
    return subprocess.run(
        [sys.executable, "-m", "dashboard", *words],
        cwd=ROOT,
        env=environment(board),
        capture_output=True,
        text=True,
        timeout=120,
    )


def assert_told(shown: Shown, words: str) -> None:
    assert len(shown.faults) == 1, shown
    assert shown.faults[0].startswith(words)
    assert NUMBER.search(shown.faults[0].removeprefix(words))
    assert shown.seconds < IN_TIME


def assert_well(shown: Shown) -> None:
    assert not shown.faults
    assert shown.elements > 10


@pytest.mark.slow
def test_another_program_writes_for_too_long(board: Path, dashboard: tuple[Server, int]):
    server, port = dashboard
    person = Person(port)
    assert_well(person.looks())
    lines = number_of_lines(board)
    with closing(sqlite3.connect(board)) as other:
        other.execute("BEGIN IMMEDIATE")
        # Who reads waits for nobody.
        assert_well(person.looks("coverage"))
        began = time.monotonic()
        refused = ask(server, TAKEN)
        assert 5 < time.monotonic() - began < IN_TIME
        assert refused.status_code == 503
        assert refused.text.startswith("The file was not handed out")
        other.rollback()
    assert ask(server, TAKEN).status_code == 200
    assert number_of_lines(board) == lines + 1
    assert_well(person.looks())
    person.close()


def number_of_lines(board: Path) -> int:
    with closing(sqlite3.connect(board)) as connection:
        return int(connection.execute("SELECT count(*) FROM trail").fetchone()[0])


@pytest.mark.slow
def test_another_program_keeps_everybody_out(board: Path, tmp_path: Path):
    """Then not even reading is possible, from the start on."""
    with serving(board, tmp_path / "served") as server:
        assert_well(look(port_of(server)))
    with closing(sqlite3.connect(board)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        tried = run(board, "history")
        assert tried.returncode == 1
        assert errors.LOCKED in tried.stderr
        assert "Traceback" not in tried.stderr
        other.rollback()
    assert run(board, "history").returncode == 0


@pytest.fixture
def bound_by_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started is bound by the permissions of files, also where root runs the tests."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        skip_or_fail("root is bound by no permissions, and setpriv is not installed")
    script = tmp_path / "python"
    without = "--bounding-set=-dac_override,-dac_read_search"
    script.write_text(f'#!/bin/sh\nexec {setpriv} {without} "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="permissions of another kind")
@pytest.mark.parametrize("what", ["the file", "the folder too"])
def test_may_not_be_written_any_more(
    board: Path, tmp_path: Path, bound_by_permissions: None, what: str
):
    place = tmp_path / "data"
    place.mkdir()
    file = Path(shutil.copy(board, place / "board.db"))
    with serving(file, tmp_path / "served") as server:
        person = Person(port_of(server))
        assert_well(person.looks())
        assert ask(server, TAKEN).status_code == 200
        before = {path: path.stat().st_mode for path in (place, *place.iterdir())}
        assert len(before) == 4
        for path in [file] if what == "the file" else before:
            path.chmod(0o555 if path == place else 0o444)
        # Somebody who was there, and some who come now.
        for each in (person, *(Person(port_of(server)) for _ in range(3))):
            assert_well(each.looks("coverage"))
            each.close()
        # A connection that was open before may still write: not one that is opened now.
        with serving(file, tmp_path / "second") as second:
            assert_well(look(port_of(second)))
            refused = ask(second, TAKEN)
            assert refused.status_code == 503
            assert refused.text.startswith("The file was not handed out")
            assert errors.READ_ONLY in refused.text
        lines = number_of_lines(file)
        for path, mode in before.items():
            path.chmod(mode)
        assert ask(server, TAKEN).status_code == 200
        assert number_of_lines(file) == lines + 1


def damage(board: Path, *tables: str) -> None:
    """Write rubbish over the first page of these tables, and let nobody go on with a copy of it."""
    with closing(sqlite3.connect(board)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        pages = [
            connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
            ).fetchone()[0]
            for table in tables
        ]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with board.open("r+b") as file:
            for page in pages:
                file.seek((page - 1) * size)
                file.write(b"\xde\xad\xbe\xef" * (size // 4))
        # A change that is none: every connection reads anew.
        connection.execute("PRAGMA user_version = 7")


@pytest.mark.slow
def test_damaged_and_restored(board: Path, tmp_path: Path):
    backup = tmp_path / "kept" / "backup.db"
    backup.parent.mkdir()
    assert run(board, "backup", str(backup)).returncode == 0
    with serving(board, tmp_path / "served") as server:
        person = Person(port_of(server))
        assert_well(person.looks())
        damage(board, "data_version", "trail", "load")
        assert_told(person.looks("coverage"), errors.DAMAGED)
        assert_told(look(port_of(server)), errors.DAMAGED)
        assert errors.DAMAGED in ask(server, TAKEN).text
        told = ask(server, "/readyz")
        assert told.status_code == 503
        assert told.json()["database"].startswith("damaged")
        assert ask(server, "/healthz").status_code == 200
        person.close()
    # What the message says is done, and helps.
    done = run(board, "restore", str(backup), "--replace")
    assert done.returncode == 0, done.stderr
    with serving(board, tmp_path / "served") as server:
        assert_well(look(port_of(server)))
        lines = number_of_lines(board)
        assert ask(server, TAKEN).status_code == 200
    assert number_of_lines(board) == lines + 1


@pytest.mark.slow
def test_damage_is_remembered(board: Path, dashboard: tuple[Server, int]):
    """Also where nothing that the health check asks for is damaged."""
    server, port = dashboard
    assert_well(look(port))
    damage(board, "trail")
    assert ask(server, "/readyz").status_code == 200
    refused = ask(server, TAKEN)
    assert refused.status_code == 503
    assert errors.DAMAGED in refused.text
    told = ask(server, "/readyz")
    assert told.status_code == 503
    assert told.json()["database"].startswith("damaged")


@pytest.mark.slow
def test_gone_while_it_runs(board: Path, tmp_path: Path, dashboard: tuple[Server, int]):
    server, port = dashboard
    person = Person(port)
    assert_well(person.looks())
    lines, aside = number_of_lines(board), board.with_name("aside.db")
    board.rename(aside)
    assert_told(person.looks("coverage"), errors.GONE)
    assert_told(look(port), errors.GONE)
    # Not into the file that has no name any more.
    assert ask(server, TAKEN).status_code == 503
    assert ask(server, "/readyz").status_code == 503
    # What is started now begins nothing new either: neither an empty file nor a demonstration.
    for words in (("worker", "--until-idle"), ("history",), ("upgrade",)):
        tried = run(board, *words)
        assert tried.returncode != 0
        assert "gone" in tried.stderr
    assert not board.exists()
    with pytest.raises(RuntimeError, match="did not get ready"):
        started_again(board, tmp_path)
    assert not board.exists()
    # Put back, it goes on by itself.
    aside.rename(board)
    assert_well(person.looks())
    assert number_of_lines(board) == lines
    assert ask(server, TAKEN).status_code == 200
    assert number_of_lines(board) == lines + 1
    person.close()


def started_again(board: Path, tmp_path: Path) -> None:
    from tests import served

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served, "START_SECONDS", 15)
        with serving(board, tmp_path / "again"):
            pass


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Engine]]:
    """Makes the dashboard of this process use a file."""

    def use_it(path: Path) -> Engine:
        monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
        settings.cache_clear()
        return data.engine()

    yield use_it
    data.engine().dispose()
    settings.cache_clear()


def test_a_first_start_makes_the_file(use: Callable[[Path], Engine], tmp_path: Path):
    use(tmp_path / "new" / "first.db")
    assert data.prepare_database()
    assert not data.prepare_database()


@pytest.mark.parametrize("left", ["-wal", "-shm", "-journal", ".worker"])
def test_no_file_where_one_was(use: Callable[[Path], Engine], tmp_path: Path, left: str):
    path = tmp_path / "team.db"
    use(path)
    path.with_name(path.name + left).touch()
    with pytest.raises(NotReadyError, match=rf"team\.db is gone, and team\.db{re.escape(left)}"):
        data.prepare_database()
    assert not path.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_who_is_signed_in_is_told_and_stays(service: Provider, team: Engine):
    browser = Browser()
    browser.sign_in(service, "lead")
    assert browser.get(ANYTHING).status_code == 200
    board = Path(str(team.url.database))
    aside = board.with_name("aside.db")
    click = BackMsg()
    click.rerun_script.fragment_id = "a part of the page"

    async def receive() -> Message:
        return {"type": "websocket.receive", "bytes": click.SerializeToString()}

    def alone(ask: Receive) -> Message:
        # In a thread: the browser tests of the same worker leave an event loop running in this one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(ask())).result()

    token = browser.cookies[COOKIE]
    clicks = gate._watched(receive, token, access.reader_by(token))
    assert BackMsg.FromString(alone(clicks)["bytes"]).rerun_script.fragment_id
    board.rename(aside)
    answer = browser.get(ANYTHING)
    assert answer.status_code == 503
    assert answer.text.startswith(errors.GONE)
    # The connection is not cut: the page as a whole runs, and says the same.
    assert not BackMsg.FromString(alone(clicks)["bytes"]).rerun_script.fragment_id
    aside.rename(board)
    assert browser.get(ANYTHING).status_code == 200
    assert BackMsg.FromString(alone(clicks)["bytes"]).rerun_script.fragment_id
