"""The whole app without a browser: on the demonstration, on the small board, on nothing."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.components.v2 import manifest_scanner

from dashboard import access, filters
from dashboard.rules import roles
from queries.database import make_engine
from queries.people import Grant
from tests.app.reading import View
from tests.made_once import demonstration_file
from tests.small_board import AS_AT, Board

Become = Callable[..., None]


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """Streamlit looks through every installed package whenever a test opens the app."""
    with pytest.MonkeyPatch.context() as patch:
        scan = manifest_scanner.scan_component_manifests
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(scan))
        yield


@pytest.fixture(scope="session")
def demonstration_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demonstration_file(tmp_path_factory)


@pytest.fixture
def demonstration(use_database: Callable[[Path], Engine], demonstration_path: Path) -> Engine:
    """The dashboard reads the demonstration."""
    return use_database(demonstration_path)


@pytest.fixture(scope="session")
def small_board_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The small board as it is without a change to its knobs: read it only."""
    path = tmp_path_factory.mktemp("small") / "board.db"
    fill(path, upgraded_file, Board())
    return path


def fill(path: Path, upgraded_file: Path, board: Board) -> None:
    """A new database with a board."""
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    board.save(engine)
    engine.dispose()


@pytest.fixture
def empty(use_database: Callable[[Path], Engine], upgraded_file: Path) -> Engine:
    """The dashboard reads a database in which nothing is loaded."""
    return use_database(upgraded_file)


@pytest.fixture
def on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest date to choose is the day that the small board tells of."""
    monkeypatch.setattr(filters, "newest_as_at", lambda: AS_AT)


@pytest.fixture
def small_board(
    use_database: Callable[[Path], Engine], small_board_path: Path, on_the_day: None
) -> Engine:
    """The dashboard reads the small board, loaded as if from real files."""
    return use_database(small_board_path)


@pytest.fixture
def own(
    use_database: Callable[[Path], Engine], small_board_path: Path, on_the_day: None, tmp_path: Path
) -> Engine:
    """The small board in a database that may be written to."""
    return use_database(Path(shutil.copy(small_board_path, tmp_path / "own.db")))


@pytest.fixture
def load_board(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path, on_the_day: None
) -> Callable[[Board], Engine]:
    """Makes the dashboard read a new database with a board of one's own."""
    made: list[Path] = []

    def load(board: Board) -> Engine:
        made.append(tmp_path / f"board-{len(made)}.db")
        fill(made[-1], upgraded_file, board)
        return use_database(made[-1])

    return load


@pytest.fixture
def read_as(become: Become) -> Callable[[str], None]:
    """Makes the reader one who may see a single board, with every role that is given for a board."""

    def read(icb_code: str) -> None:
        given = [role for role in roles.ROLES if "icb" in roles.AREAS[role]]
        become(*(Grant(role, "icb", icb_code) for role in given))

    return read


@pytest.fixture
def read_as_role(become: Become) -> Callable[..., None]:
    """Makes the reader one of a single role: for a network, for a board, or for everything."""

    def read(role: str, icb_code: str | None = None, pcn_code: str | None = None) -> None:
        kind = "pcn" if pcn_code else "icb" if icb_code else "all"
        become(Grant(role, kind, icb_code, pcn_code))

    return read


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Makes the reader one with these roles; another person for other roles, nobody without one."""

    def be(*grants: Grant) -> None:
        given = frozenset(grants)
        # PostgreSQL's whole numbers end at 2,147,483,647, and databases of tests are copied into it.
        number = 1 + zlib.crc32(repr(sorted(map(repr, given))).encode()) % 1_000_000
        who = access.Reader(number, f"Reader {number}", given)
        monkeypatch.setattr(access, "reader_now", lambda: who if given else access.NOT_SIGNED_IN)

    return be


@pytest.fixture
def open_page() -> Callable[..., View]:
    """Opens a page at an address, as a link does: `open_page("coverage", icb="QDK")`."""

    def open_it(page: str = "coverage", **address: str) -> View:
        return View.open(page, address)

    return open_it
