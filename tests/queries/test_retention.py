"""Deleting rows about persons does that, and takes nothing else away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pandas as pd
import pytest
from sqlalchemy import ColumnElement, Engine, select
from typer.testing import CliRunner

from dashboard import data, intake
from dashboard.commands import app
from dashboard.intake.source import Source
from dashboard.settings import settings
from queries import retention, tables, trail
from queries.database import make_engine
from queries.places import in_force
from queries.retention import OF_PERSONS
from tests.database_roles import make_roles
from tests.outcome_board import KEY, OutcomeBoard

ROWS = ("referral", "outcome", "gp_contact")
_PART = tables.load_part.c


@contextmanager
def operator(engine: Engine) -> Iterator[Engine]:
    """Who deletes: on PostgreSQL the role that owns the tables and is bound by its policies."""
    if engine.dialect.name == "sqlite":
        yield engine
        return
    owner = make_engine(make_roles(engine)["owner"])
    yield owner
    owner.dispose()


def forget(engine: Engine, which: ColumnElement[bool]) -> int:
    with operator(engine) as owner:
        rows = retention.rows_of(owner, which)
        assert retention.forget(owner, which, "test", 7) > 0
    return rows


def rows_by_part(engine: Engine) -> dict[tuple[str, int], int]:
    """How many rows of each table belong to each part."""
    found: dict[tuple[str, int], int] = {}
    with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            if "part_id" in table.c:
                for part in connection.scalars(select(table.c.part_id)):
                    found[table.name, part] = found.get((table.name, part), 0) + 1
    return found


def parts_where(engine: Engine, *conditions: object) -> set[int]:
    with engine.connect() as connection:
        return set(connection.scalars(select(_PART.id).where(*conditions)))  # type: ignore[arg-type]


def version(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalars(select(tables.data_version.c.version)).one())


@pytest.fixture
def corrected(both_engines: Engine) -> Engine:
    """The board with its outcomes, and a second return of referrals without some of the people."""
    board = OutcomeBoard()
    board.save(both_engines)
    fewer = pd.DataFrame([row for group in board.people[:-1] for row in group.rows()])
    source = Source.of("again.csv", fewer.to_csv(index=False).encode())
    intake.take_in(both_engines, source, KEY)
    return both_engines


def test_rows_that_are_not_in_force_go(corrected: Engine) -> None:
    gone = parts_where(corrected, _PART.replaced_by.is_not(None), _PART.dataset.in_(OF_PERSONS))
    before, in_force_before = (
        rows_by_part(corrected),
        parts_where(corrected, in_force(_PART.id)),
    )
    assert any(name == "referral" and part in gone for name, part in before)
    rows = forget(corrected, retention.parts_corrected())
    assert rows == sum(n for (name, part), n in before.items() if part in gone and name in ROWS)
    assert rows_by_part(corrected) == {
        key: count for key, count in before.items() if key[1] not in gone
    }
    assert parts_where(corrected, in_force(_PART.id)) == in_force_before


def test_rows_of_old_months_go_and_no_older_version_comes_back(corrected: Engine) -> None:
    days = parts_where(corrected, _PART.dataset == "referrals")
    assert days
    with corrected.connect() as connection:
        ends = sorted(
            connection.scalars(select(_PART.period_end).where(_PART.dataset == "referrals"))
        )
    first_kept: date = ends[len(ends) // 2]
    is_old = (_PART.period_end < first_kept) & _PART.dataset.in_(OF_PERSONS)
    old, before, told = parts_where(corrected, is_old), rows_by_part(corrected), version(corrected)
    assert any(name == "referral" and part in old for name, part in before)
    forget(corrected, retention.parts_before(first_kept))
    assert parts_where(corrected, is_old) == set()
    assert rows_by_part(corrected) == {
        key: count for key, count in before.items() if key[1] not in old
    }
    # What the pages keep in memory is of another version now.
    assert version(corrected) == told + 1
    line = trail.lines(corrected, 1).iloc[0]
    assert (line["kind"], line["person_id"]) == (trail.FORGOTTEN, 7)


def test_the_command_says_before_it_does(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    OutcomeBoard().save(sqlite_engine)
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", str(sqlite_engine.url))
    settings.cache_clear()

    def run(*words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(app, ["forget", *words])
        return answer.exit_code, answer.output

    try:
        for wrong in ([], ["--corrected", "--before", "2026-01-01"]):
            assert run(*wrong)[0] == 2
        rows = retention.rows_of(sqlite_engine, retention.parts_before(date(2030, 1, 1)))
        assert rows > 100
        code, said = run("--before", "2030-01-01")
        assert (code, f"{rows:,} rows about persons would be deleted" in said) == (0, True)
        assert retention.rows_of(sqlite_engine, retention.parts_before(date(2030, 1, 1))) == rows
        code, said = run("--before", "2030-01-01", "--yes")
        assert (code, f"{rows:,} rows about persons in" in said) == (0, True)
        assert retention.rows_of(sqlite_engine, retention.parts_before(date(2030, 1, 1))) == 0
        # Of published files nothing goes.
        assert len(rows_by_part(sqlite_engine)) > 10
    finally:
        data.engine().dispose()
        settings.cache_clear()
