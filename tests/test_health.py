"""Whether the process says truly that it answers, and whether people can be sent to it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from dashboard import __version__, data, drain, health, routes, warm_up
from dashboard.request_log import RequestLog
from dashboard.settings import settings
from queries import jobs
from queries.health import Found, ask, worker_at_work
from tests.made_once import HASH_KEY

ALL_WELL = {
    "ready": True,
    "database": "ok",
    "form": "ok",
    "disk": "ok",
    "worker": "none, and nothing waits",
}


@pytest.fixture
def use_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes the dashboard of this process use another database."""
    monkeypatch.setattr(health, "_QUEUE", health.Queue())
    monkeypatch.setattr(health, "_ASKED", None)
    monkeypatch.setattr(warm_up, "_DONE", [])

    def use(url: str) -> None:
        monkeypatch.setenv("DASHBOARD_DATABASE_URL", url)
        monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
        settings.cache_clear()

    yield use
    data.engine().dispose()
    settings.cache_clear()


@pytest.fixture
def own(use_url: Callable[[str], None], upgraded_file: Path, tmp_path: Path) -> Engine:
    """The dashboard reads an empty database of the newest form."""
    path = Path(shutil.copy(upgraded_file, tmp_path / "own.db"))
    use_url(f"sqlite:///{path.as_posix()}")
    return data.engine()


def get(path: str) -> httpx.Response:
    """What the two routes answer, without a server."""
    app = Starlette(
        routes=[Route("/healthz", routes.is_alive), Route("/readyz", routes.is_ready)],
        middleware=[Middleware(RequestLog)],
    )

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asked()).result()


def test_the_process_answers_with_a_body_of_its_own():
    answer = get("/healthz")
    assert answer.json() == {"process": "ok", "version": __version__}
    assert answer.headers["cache-control"] == "no-store"


class TestReady:
    def test_when_all_is_well(self, own: Engine):
        answer = get("/readyz")
        assert (answer.status_code, answer.json()) == (200, ALL_WELL)
        assert answer.headers["cache-control"] == "no-store"

    def test_not_before_the_upgrade(self, use_url: Callable, tmp_path: Path):
        (tmp_path / "bare.db").touch()
        use_url(f"sqlite:///{(tmp_path / 'bare.db').as_posix()}")
        answer = get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == ALL_WELL | {"ready": False, "form": "needs an upgrade"}

    def test_not_with_a_file_that_is_no_database(self, use_url: Callable, tmp_path: Path):
        (tmp_path / "odd.db").write_text("no database, but words of 943 476 5919" * 100)
        use_url(f"sqlite:///{(tmp_path / 'odd.db').as_posix()}")
        answer = get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "ready": False,
            "database": "does not answer",
            "form": "unknown",
            "disk": "ok",
            "worker": "unknown",
        }

    def test_not_with_too_little_room(self, own: Engine, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 80)
        answer = get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == ALL_WELL | {"ready": False, "disk": "too little room"}

    def test_the_folders_that_must_have_room(self, own: Engine, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("tempfile.gettempdir", lambda: "/somewhere")
        assert health._folders() == [Path("/somewhere"), Path(str(own.url.database)).parent]
        assert health._disk() == "cannot be looked at"

    def test_not_while_it_drains(self, own: Engine, monkeypatch: pytest.MonkeyPatch):
        draining = threading.Event()
        draining.set()
        monkeypatch.setattr(drain, "draining", draining)
        answer = get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"draining": True})

    def test_not_while_it_starts(self, own: Engine, monkeypatch: pytest.MonkeyPatch):
        """It says so at once: it does not wait for the end of the start."""
        begun: Future[None] = Future()
        monkeypatch.setattr(warm_up, "_DONE", [begun])
        answer = get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "start": "under way"})
        begun.set_exception(ValueError("943 476 5919"))
        assert get("/readyz").json() == {"ready": False, "start": "failed"}

    def test_a_line_when_it_changes(
        self, own: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        monkeypatch.setattr(health, "_LAST_TOLD", {})
        caplog.set_level("INFO", "dashboard")
        for least in (1, 1, 1 << 80, 1 << 80, 1):
            monkeypatch.setattr(health, "LEAST_FREE_BYTES", least)
            health.readiness()
        assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


class TestADatabaseThatDoesNotAnswer:
    @pytest.fixture
    def black_hole(self) -> Iterator[int]:
        """A port that takes connections, and what is said there, and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield listener.getsockname()[1]

    @pytest.mark.slow  # the limit of two seconds
    @pytest.mark.timeout(30)
    def test_keeps_nobody_waiting(self, use_url: Callable, black_hole: int):
        use_url(f"postgresql+psycopg://ann:secret@127.0.0.1:{black_hole}/board")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: get("/readyz"), range(8)))
            asking = [one for one in threading.enumerate() if one.name == "health"]
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json()["database"] for answer in answers} == {"does not answer"}
        # However many ask, one question is under way.
        assert len(asking) <= 1
        for answer in answers:
            for told in ("secret", "127.0.0.1", str(black_hole), "psycopg", "Error"):
                assert told not in answer.text

    @pytest.mark.slow
    @pytest.mark.timeout(30)
    def test_is_asked_again_when_it_is_back(
        self, use_url: Callable, black_hole: int, postgres_engine: Engine
    ):
        use_url(f"postgresql+psycopg://ann@127.0.0.1:{black_hole}/board")
        assert health.ask_database() is None
        for one in threading.enumerate():
            if one.name == "health":
                one.join(20)
                assert not one.is_alive()
        use_url(postgres_engine.url.render_as_string(hide_password=False))
        assert get("/readyz").json() == ALL_WELL

    @pytest.mark.timeout(30)
    def test_is_waited_for_no_longer_than_the_limit(
        self, own: Engine, monkeypatch: pytest.MonkeyPatch
    ):
        """Also where the driver has no limit of its own; and nobody asks twice meanwhile."""
        hangs, asked = threading.Event(), []

        def ask_and_hang(engine: Engine) -> Found:
            asked.append(engine)
            hangs.wait(60)
            return ask(engine)

        monkeypatch.setattr("queries.health.ask", ask_and_hang)
        monkeypatch.setattr(health, "DATABASE_SECONDS", 0.05)
        assert [health.ask_database() for _ in range(3)] == [None] * 3
        assert len(asked) == 1
        hangs.set()
        monkeypatch.setattr(health, "DATABASE_SECONDS", 20)
        assert health.ask_database() is not None

    def test_is_not_there_at_all(self, use_url: Callable):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        use_url(f"postgresql+psycopg://ann@127.0.0.1:{port}/board")
        assert health.ask_database() is None


class TestTheWorker:
    def test_is_seen_by_its_lock(self, both_engines: Engine):
        assert not worker_at_work(both_engines)
        with jobs.workers_lock(both_engines) as mine:
            assert mine
            assert worker_at_work(both_engines)
        assert not worker_at_work(both_engines)

    def test_asking_does_not_take_it(self, both_engines: Engine):
        for _ in range(3):
            assert not worker_at_work(both_engines)
            with jobs.workers_lock(both_engines) as mine:
                assert mine

    def test_asking_makes_no_file(self, own: Engine):
        assert not worker_at_work(own)
        assert not Path(f"{own.url.database}.worker").exists()

    def test_what_the_database_says(self, both_engines: Engine):
        for number, name in enumerate(("a", "b", "c")):
            jobs.offer(both_engines, f"{name}.csv", 1, str(number) * 64, "Ann")
        jobs.ended(both_engines, 1, "failed", "no")
        assert jobs.queue(both_engines, 1)
        found = ask(both_engines)
        assert found.has_newest_form
        assert found.waiting == (1,)
        assert found.jobs == {"waiting": 1, "checking": 2}
        assert found.loads == {}

    def test_missing_is_said_and_no_reason_while_a_file_has_just_come(self, own: Engine):
        jobs.ended(own, jobs.offer(own, "a.csv", 1, "0" * 64, "Ann"), "failed", "no")
        jobs.queue(own, 1)
        answer = get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == ALL_WELL | {"worker": "none, and files wait"}

    def test_missing_too_long_is_a_reason(self, own: Engine, monkeypatch: pytest.MonkeyPatch):
        jobs.ended(own, jobs.offer(own, "a.csv", 1, "0" * 64, "Ann"), "failed", "no")
        jobs.queue(own, 1)
        now = [1_000.0]
        monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
        assert health.readiness()[0]
        now[0] += health.LONGEST_WAIT_SECONDS
        assert health.readiness()[0]
        now[0] += 1
        ready, told = health.readiness()
        assert not ready
        assert told == ALL_WELL | {"ready": False, "worker": "none, and files wait too long"}
        with jobs.workers_lock(own):
            assert health.readiness() == (True, ALL_WELL | {"worker": "at work"})
        # It begins to count anew: the worker that is gone was at work until now.
        assert health.readiness()[0]

    def test_each_file_waits_by_itself(self, monkeypatch: pytest.MonkeyPatch):
        now = [0.0]
        monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
        queue = health.Queue()
        assert queue.longest_wait([1], False) == 0
        now[0] = 5
        assert queue.longest_wait([1, 2], False) == 5
        now[0] = 7
        assert queue.longest_wait([2], False) == 2
        assert queue.longest_wait([2], True) == 0
        assert queue.longest_wait([], False) == 0

    def test_of_a_database_of_another_form_nothing_is_known(self, any_bare_engine: Engine):
        assert ask(any_bare_engine) == Found(None)
