"""How SQLite goes about what pages ask: through indexes, whatever else is in the database."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from queries import places, posts, practices, referrals, workforce
from queries.database import make_engine
from queries.scope import EVERYTHING
from tests.small_board import Board

BOARD, AS_AT = "QZ1", date(2026, 6, 30)
# As large as England, or as all months of it: nobody waits for all of one to be read.
LARGE = (
    "area", "deprivation", "link_worker", "load_part", "list_size", "lsoa_ward",
    "post", "practice", "referral_age_fact",
    "referral_fact", "registered_patients", "ward_population", "workforce_return",
)  # fmt: skip
ASKED: dict[str, Callable[[Engine], object]] = {
    "population": lambda e: places.population(e, EVERYTHING, BOARD),
    "deprivation": lambda e: places.ward_deprivation(e, EVERYTHING, BOARD),
    "shapes": lambda e: places.shapes(e, EVERYTHING, BOARD),
    "patients": lambda e: practices.patients_by_ward_and_pcn(e, EVERYTHING, BOARD, AS_AT),
    "practices": lambda e: practices.practice_places(e, EVERYTHING, BOARD, AS_AT),
    "link workers": lambda e: workforce.fte_by_pcn(e, EVERYTHING, BOARD, AS_AT),
    "posts": lambda e: posts.posts(e, EVERYTHING, BOARD, AS_AT),
    "referrals": lambda e: referrals.referrals_by_ward(e, EVERYTHING, BOARD, AS_AT, AS_AT),
    "by age": lambda e: referrals.referrals_by_ward_and_age(e, EVERYTHING, BOARD, AS_AT, AS_AT),
    "months": lambda e: referrals.returned_months(e, EVERYTHING, BOARD, AS_AT),
}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Engine]:
    """The small board, to read from."""
    path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("plans") / "board.db"))
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    Board(ages=True).save(engine)
    yield engine
    engine.dispose()


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """What is asked inside, with its values."""
    asked: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", hear)
    yield asked
    event.remove(engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("what", ASKED)
def test_no_large_table_is_read_whole(board: Engine, what: str) -> None:
    """SQLite plans without statistics: with a few rows as with millions."""
    with statements(board) as asked:
        ASKED[what](board)
    assert asked
    steps: list[str] = []
    with board.connect() as connection:
        for statement, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps += [row.detail for row in plan]
    scanned = [found[1] for step in steps if (found := re.match(r"SCAN (\w+?)(_\d+)?( |$)", step))]
    assert set(scanned) & set(LARGE) == set()
    # Nearly every part is in force: to begin with those is to begin with everything.
    assert [step for step in steps if "load_part" in step and "replaced" in step] == []
