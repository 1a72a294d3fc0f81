"""PostgreSQL itself shows nobody the rows of another board, whatever a query forgets; and no more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from dashboard import export
from dashboard.data import engine as engine_of_settings
from dashboard.filters import Area, newest_as_at
from dashboard.meeting_pack import meeting_pack
from dashboard.settings import settings
from queries import actions, jobs, posts, tables
from queries.actions import ActionEdit
from queries.copy import analyse, copy_into, snapshot
from queries.database import make_engine, reading, upgrade, writing
from queries.load import save
from queries.places import boards
from queries.row_security import BOUND, OPEN
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import _new_postgres_database
from tests.database_roles import make_roles
from tests.made_once import demonstration_file
from tests.small_board import Board

OURS, THEIRS = b.BOARD, b.NEIGHBOUR
ONLY_OURS, ONLY_THEIRS = Scope(frozenset({OURS})), Scope(frozenset({THEIRS}))
BOTH, NOBODY = Scope(frozenset({OURS, THEIRS})), Scope(frozenset())
OUTSIDER = Scope(frozenset({b.OUTSIDER_ICB}))
# So that no two rows are alike.
NUMBERS = itertools.count()
# Nobody who reads a board sees these.
OF_PERSONS = {"referral", "outcome", "gp_contact"}
# By column: what is of our board, and what of the neighbour.
OWN = {
    "icb_code": (OURS, THEIRS),
    "pcn_code": (b.NORTH, b.GORSE_PCN),
    "ward_code": (b.ABBEY, b.GORSE),
    "speaks_for_code": (b.NORTHAM, THEIRS),
    # By name, in another case.
    "locality": ("NORTHAM", THEIRS),
}
# What does not follow from the column's kind; of the facts by category a ward, and no network.
SPECIAL: dict[str, dict[str, tuple[Any, Any]]] = {
    "pathway_fact": {"category": ("ward",) * 2, "value": OWN["ward_code"], "pcn_code": (None,) * 2},
    "score_fact": {"category": ("ward",) * 2, "value": OWN["ward_code"], "pcn_code": (None,) * 2},
    "referral_fact": {"pcn_code": (None,) * 2},
    "job": {"dataset": ("posts",) * 2, "offered_by": ("Ann", "Bob")},
}


def test_every_table_is_decided_upon() -> None:
    assert set(BOUND) | set(OPEN) == set(tables.metadata.tables)
    assert not set(BOUND) & set(OPEN)
    assert all(OPEN.values())


@contextmanager
def loaded(postgres_url: str) -> Iterator[tuple[Engine, Mapping[str, str]]]:
    """The small board, loaded by the worker's role; the superuser's engine, and the roles' addresses."""
    with _new_postgres_database(postgres_url) as admin:
        upgrade(admin)
        urls = make_roles(admin)
        worker = make_engine(urls["worker"])
        Board(ages=True).save(worker)
        worker.dispose()
        yield admin, urls


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[tuple[Engine, Mapping[str, str]]]:
    """One to write to."""
    with loaded(postgres_url) as made:
        yield made


@pytest.fixture(scope="module")
def admin(database: tuple[Engine, Mapping[str, str]]) -> Engine:
    return database[0]


@pytest.fixture(scope="module")
def worker(database: tuple[Engine, Mapping[str, str]]) -> Iterator[Engine]:
    engine = make_engine(database[1]["worker"])
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def pages(database: tuple[Engine, Mapping[str, str]]) -> Iterator[Engine]:
    engine = make_engine(database[1]["pages"])
    yield engine
    engine.dispose()


def test_the_policies_in_force_are_those_that_were_decided_upon(admin: Engine) -> None:
    upgrade(admin)
    with admin.connect() as connection:
        found = connection.execute(
            text(
                "SELECT relname, relrowsecurity AND relforcerowsecurity, (SELECT count(*) FROM pg_policy "
                "WHERE polrelid = pg_class.oid) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        )
        bound = {name: (is_forced, policies) for name, is_forced, policies in found}
    del bound["alembic_version"]
    assert bound == {
        name: (True, 1) if name in BOUND else (False, 0) for name in tables.metadata.tables
    }


def row_of(table: Table, place: int, keys: Mapping[str, int]) -> dict[str, Any]:
    """A row of our board (0) or of the neighbour (1) that says of everything else as little as it may."""
    row: dict[str, Any] = {}
    for column in table.columns:
        special = SPECIAL.get(table.name, {}).get(column.name) or OWN.get(column.name)
        if special:
            row[column.name] = special[place]
        elif column.name in keys:
            row[column.name] = keys[column.name]
        elif isinstance(column.type, Boolean):
            row[column.name] = False
        elif isinstance(column.type, Integer):
            if column is not table.autoincrement_column:
                row[column.name] = 900 + place
        elif isinstance(column.type, DateTime):
            row[column.name] = datetime(2026, 6, 1, tzinfo=UTC)
        elif isinstance(column.type, Date):
            row[column.name] = date(2026, 6, 1)
        elif isinstance(column.type, Float):
            row[column.name] = 1.0
        else:
            row[column.name] = (
                b"." if isinstance(column.type, LargeBinary) else f"row {next(NUMBERS)}"
            )
    for key in table.foreign_keys:
        if key.parent.nullable:
            row[key.parent.name] = None
    return row


def written(worker: Engine, table: Table, place: int) -> Any:
    """Write such a row, with whatever it belongs to; what tells it from others: all that it says."""
    keys: dict[str, int] = {}
    with writing(worker) as connection:
        for column, of in (("action_id", tables.action), ("job_id", tables.job)):
            if column in table.c:
                new = insert(of).values(row_of(of, place, {})).returning(of.c.id)
                keys[column] = connection.execute(new).scalar_one()
        if "part_id" in table.c:
            made = select(tables.load_part.c.id).limit(1)
            keys["part_id"] = connection.execute(made).scalar_one()
        row = row_of(table, place, keys)
        connection.execute(insert(table).values(row))
    return row


def sees(engine: Engine, scope: Scope, table: Table, row: Mapping[str, Any], who: str = "") -> bool:
    said = [table.c[name] == value for name, value in row.items() if value is not None]
    with reading(engine, scope, who) as connection:
        return connection.execute(select(table).where(*said)).first() is not None


@pytest.mark.parametrize("name", sorted(BOUND))
def test_rows_are_seen_by_their_own_board_alone(worker: Engine, name: str) -> None:
    """Asked without any WHERE of its own, by a role that may read the whole table."""
    table = tables.metadata.tables[name]
    ours, theirs = (written(worker, table, place) for place in (0, 1))
    of_jobs = name.startswith("job")
    # A file is its sender's, whichever board they read.
    readers = {
        "ours": (NOBODY if of_jobs else ONLY_OURS, "Ann"),
        "theirs": (NOBODY if of_jobs else ONLY_THEIRS, "Bob"),
        "both": (BOTH, ""),
        "everybody": (EVERYTHING, ""),
        "outsider": (OUTSIDER, "Cy"),
        "nobody": (NOBODY, ""),
    }
    found = {
        reader: tuple(sees(worker, scope, table, row, who) for row in (ours, theirs))
        for reader, (scope, who) in readers.items()
    }
    of_one = name not in OF_PERSONS
    assert found == {
        "ours": (of_one, False),
        "theirs": (False, of_one),
        "both": (of_one and not of_jobs,) * 2,
        "everybody": (True, True),
        "outsider": (False, False),
        "nobody": (False, False),
    }


@pytest.mark.parametrize("name", sorted(BOUND))
def test_who_does_not_say_for_whom_sees_nothing(worker: Engine, name: str) -> None:
    table = tables.metadata.tables[name]
    written(worker, table, 0)
    with worker.connect() as connection:
        assert connection.execute(select(table)).first() is None
    # Nor from what the last one on this connection said.
    with reading(worker, EVERYTHING) as connection:
        assert connection.execute(select(table)).first() is not None
    with worker.connect() as connection:
        assert connection.execute(select(table)).first() is None


def test_published_files_are_told_of_to_everybody(worker: Engine) -> None:
    job_id = jobs.offer(worker, "a.csv", 1, "f" * 64, "Ann")
    with writing(worker) as connection:
        connection.execute(text("UPDATE job SET dataset = 'workforce'"))
    with reading(worker, OUTSIDER) as connection:
        seen = connection.scalars(select(tables.job.c.id).where(tables.job.c.id == job_id))
        assert seen.all() == [job_id]


def test_a_referral_across_the_border_is_of_both_boards(worker: Engine) -> None:
    """Somebody of our ward was sent to the neighbour's network."""
    for table, where in (
        (tables.referral_fact, {"ward_code": b.ABBEY}),
        (tables.pathway_fact, {"category": "ward", "value": b.ABBEY}),
        (tables.score_fact, {"category": "ward", "value": b.ABBEY}),
    ):
        with writing(worker) as connection:
            part_id = connection.scalar(select(tables.load_part.c.id).limit(1))
            row = row_of(table, 0, {"part_id": part_id or 0})
            # A number that no other row has.
            row |= {**where, "pcn_code": b.GORSE_PCN, "referrals": 77_001}
            connection.execute(insert(table).values(row))
        told = {"referrals": 77_001}
        assert [
            sees(worker, scope, table, told) for scope in (ONLY_OURS, ONLY_THEIRS, OUTSIDER)
        ] == [True, True, False]


def test_a_network_that_moved_is_of_both_boards(postgres_engine: Engine) -> None:
    """By the older extract ours, by the newer one the neighbour's: both see its posts."""
    urls = make_roles(postgres_engine)
    worker = make_engine(urls["worker"])
    Board().save(worker)
    practice = b.PRACTICE_OF[b.SOUTH]
    moved = b.practices(date(2026, 6, 20), **{practice: b.GORSE_PCN})
    rows = moved.rows["practice"]
    rows.loc[rows["practice_code"] == practice, ["pcn_code", "icb_code"]] = [b.SOUTH, THEIRS]
    save(worker, moved)
    told = {"pcn_code": b.SOUTH}
    found = [sees(worker, scope, tables.post, told) for scope in (ONLY_OURS, ONLY_THEIRS, OUTSIDER)]
    assert found == [True, True, False]
    assert b.SOUTH in set(posts.posts(worker, ONLY_THEIRS, THEIRS, b.AS_AT)["pcn_code"])
    worker.dispose()


def test_nobody_writes_for_another_board(pages: Engine) -> None:
    edit = ActionEdit("note", "a note", None)
    number = actions.add_action(pages, ONLY_OURS, OURS, edit, "Ann")
    assert actions.change_action(
        pages, ONLY_OURS, number, 1, ActionEdit("note", "another", None), "Ann"
    )
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        writing(pages, scope=ONLY_OURS) as connection,
    ):
        connection.execute(insert(tables.meeting).values(row_of(tables.meeting, 1, {})))
    with writing(pages, scope=ONLY_THEIRS) as connection:
        changed = connection.execute(text("UPDATE action SET words = 'theirs'")).rowcount
    assert changed == sum(row == THEIRS for row in _boards_of_actions(pages))


def _boards_of_actions(engine: Engine) -> list[str]:
    with reading(engine, EVERYTHING) as connection:
        return list(connection.scalars(select(tables.action.c.icb_code)))


def test_whose_rows_they_are_is_asked_once_a_statement(pages: Engine) -> None:
    with reading(pages, ONLY_OURS) as connection:
        plan = "\n".join(
            connection.scalars(text("EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM referral_fact"))
        )
    assert "hashed SubPlan" in plan
    calls = [line for line in plan.splitlines() if "ProjectSet" in line or "Function Scan" in line]
    assert calls
    assert all("loops=1)" in line or "never executed" in line for line in calls), plan


@pytest.fixture
def as_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The database of the settings, as whoever has the address."""

    def as_who(url: str) -> Engine:
        # As whoever was asked before, which nobody is any more.
        engine_of_settings().dispose()
        monkeypatch.setenv("DASHBOARD_DATABASE_URL", url)
        monkeypatch.setenv("DASHBOARD_HASH_KEY", "k" * 32)
        settings.cache_clear()
        return engine_of_settings()

    yield as_who
    engine_of_settings().dispose()
    settings.cache_clear()


def exports(engine: Engine, icb_code: str, *subjects: str) -> dict[str, bytes]:
    """These exports of a board, for somebody of that board."""
    as_at, scope = newest_as_at(), Scope(frozenset({icb_code}))
    return {
        subject: export.make(engine, scope, subject, icb_code, as_at, "json").body
        for subject in subjects
    }


@pytest.fixture(scope="module")
def only_read(postgres_url: str) -> Iterator[tuple[Engine, Mapping[str, str]]]:
    """Another one, in which nobody writes."""
    with loaded(postgres_url) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("icb_code", [OURS, THEIRS])
def test_figures_are_the_same_with_and_without(
    only_read: tuple[Engine, Mapping[str, str]], as_reader: Any, icb_code: str
) -> None:
    """A policy that hid a row which a query counts would change figures, and say nothing."""
    admin, urls = only_read
    area, scope = Area(icb_code, b.AS_AT), Scope(frozenset({icb_code}))

    def told(engine: Engine) -> dict[str, object]:
        # The pack has the findings and tables of every page.
        pack = meeting_pack(engine, scope, area)
        assert pack
        return {"pack": repr(pack), **exports(engine, icb_code, *export.SUBJECTS)}

    unbound, bound = (told(as_reader(url)) for url in (as_text(admin), urls["pages"]))
    assert [name for name in unbound if unbound[name] != bound[name]] == []


def as_text(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_figures_of_the_demonstration_are_the_same(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, as_reader: Any
) -> None:
    """Two boards, people of each in networks of the other: but for the plan, which is worked out of
    what is compared here and takes as long as all the rest."""
    file = make_engine(f"sqlite:///{demonstration_file(tmp_path_factory).as_posix()}")
    subjects = tuple(subject for subject in export.SUBJECTS if subject != export.SITE_PLAN)
    with _new_postgres_database(postgres_url) as admin:
        urls = make_roles(admin)
        owner = make_engine(urls["owner"])
        with snapshot(file) as source:
            copy_into(source, owner, lambda _table, _rows: None)
        analyse(owner, ["referral_fact", "pathway_fact", "score_fact", "load_part"])
        for icb_code in boards(admin, EVERYTHING)["icb_code"]:
            unbound, bound = (
                exports(as_reader(url), icb_code, *subjects)
                for url in (as_text(admin), urls["pages"])
            )
            assert [name for name in unbound if unbound[name] != bound[name]] == [], icb_code
        owner.dispose()
    file.dispose()
