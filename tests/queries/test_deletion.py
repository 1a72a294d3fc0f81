"""What GOVERNANCE.md says of deleting rows about persons does that, and takes nothing else away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, select, text

from dashboard import intake
from dashboard.intake.source import Source
from queries import tables
from queries.database import make_engine
from queries.places import in_force
from tests.database_roles import make_roles
from tests.outcome_board import KEY, OutcomeBoard

GOVERNANCE = Path(__file__).resolve().parents[2] / "GOVERNANCE.md"
OF_PERSONS = ("referrals", "outcomes", "gp_contacts")
_PART = tables.load_part.c


def statements(about: str) -> list[str]:
    """The statements of the block of SQL whose first line, a comment, holds these words."""
    blocks = re.findall(r"```sql\n(.*?)```", GOVERNANCE.read_text(encoding="utf-8"), re.DOTALL)
    block = next(each for each in blocks if about in each.splitlines()[0])
    plain = re.sub(r"--.*", "", block)
    return [each.strip() for each in plain.split(";") if each.strip()]


@contextmanager
def operator(engine: Engine) -> Iterator[Engine]:
    """Who deletes: on PostgreSQL the role that owns the tables and is bound by its policies."""
    if engine.dialect.name == "sqlite":
        yield engine
        return
    owner = make_engine(make_roles(engine)["owner"])
    yield owner
    owner.dispose()


def run(engine: Engine, about: str, **values: object) -> None:
    with operator(engine) as owner, owner.connect() as connection, connection.begin():
        for each in statements(about):
            connection.execute(text(each), {k: v for k, v in values.items() if f":{k}" in each})


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
        parts_where(corrected, _PART.id.in_(in_force())),
    )
    assert any(name == "referral" and part in gone for name, part in before)
    run(corrected, "not in force")
    assert rows_by_part(corrected) == {
        key: count for key, count in before.items() if key[1] not in gone
    }
    assert parts_where(corrected, _PART.id.in_(in_force())) == in_force_before


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
    run(corrected, "older than", day=first_kept)
    assert parts_where(corrected, is_old) == set()
    assert rows_by_part(corrected) == {
        key: count for key, count in before.items() if key[1] not in old
    }
    # What the pages keep in memory is of another version now.
    assert version(corrected) == told + 1
